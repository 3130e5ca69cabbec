// Tells one player what a promotion cost him of what he was told at `one`.
//
// `player-session.ts` has one as soon as there is something to tell of. The word on a promotion and the
// place may come in either order: the last answers of a former primary come late, and who resumes after
// his gateway died hands in what he was told there.
import { type PlaceAtOne, ToldAtOne } from '../../base/told-at-one.ts';
import { formatPush, REGION_LOST_PUSH } from '../../wire/player.ts';
import type { Appointment } from '../../wire/placement.ts';
import { lostPlaces } from './lost-places.ts';

/** A region that has a primary. */
export interface AppointedRegion {
  readonly name: string;
  /** The standing one last. */
  readonly appointments: readonly Appointment[];
}

export class LostNotices {
  readonly #told = new ToldAtOne();
  readonly #appointed: (region: string) => AppointedRegion | undefined;
  readonly #offer: (push: string) => boolean;

  /** `offer` is false where the player does not read. */
  constructor(o: {
    appointed: (region: string) => AppointedRegion | undefined;
    offer: (push: string) => boolean;
  }) {
    this.#appointed = o.appointed;
    this.#offer = o.offer;
  }

  note(places: readonly PlaceAtOne[]): void {
    for (const place of places) this.#told.note(place);
    for (const name of new Set(places.map(({ region }) => region))) {
      const region = this.#appointed(name);
      if (region !== undefined) this.appointed(region);
    }
  }

  /** Each loss is told once; who does not read now is told at the next occasion. */
  appointed({ name, appointments }: AppointedRegion): void {
    for (const place of this.#told.places) {
      const lost = place.region === name ? lostPlaces(place, appointments) : undefined;
      if (lost === undefined) continue;
      const value = JSON.stringify({ region: name, epoch: place.epoch, ...lost });
      if (this.#offer(formatPush(REGION_LOST_PUSH, value))) this.#told.forget(place);
    }
  }
}
