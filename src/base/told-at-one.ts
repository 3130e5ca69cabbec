// What a session was told at `one`: places in the logs of regions that a single disk had at that moment.
//
// The client keeps one over all its links and hands it in when it resumes; the gateway keeps one for each
// link. Whichever of the two is left can tell what a promotion has cost the player. Of each region and
// epoch the highest place stands for those before it.

/** A place in a region's log; the epoch is that of the primary that answered. */
export interface PlaceAtOne {
  readonly region: string;
  readonly epoch: number;
  readonly order: number;
}

/** The places that are remembered; beyond, the one that was noted first is forgotten. */
export const PLACES_AT_ONE_MAX = 64;

export class ToldAtOne {
  #places: readonly PlaceAtOne[];

  constructor(places: readonly PlaceAtOne[] = []) {
    this.#places = places.slice(-PLACES_AT_ONE_MAX);
  }

  /** One of each region and epoch, the one noted first in front. */
  get places(): readonly PlaceAtOne[] {
    return this.#places;
  }

  note(place: PlaceAtOne): void {
    const known = this.#places.find((each) => isSameEpoch(each, place));
    if (known !== undefined && known.order >= place.order) return;
    const others = this.#places.filter((each) => each !== known);
    this.#places = [...others, place].slice(-PLACES_AT_ONE_MAX);
  }

  /** The player knows what became of everything up to this place, of its epoch. */
  forget(place: PlaceAtOne): void {
    this.#places = this.#places.filter((each) => !isSameEpoch(each, place) || each.order > place.order);
  }
}

function isSameEpoch(one: PlaceAtOne, other: PlaceAtOne): boolean {
  return one.region === other.region && one.epoch === other.epoch;
}
