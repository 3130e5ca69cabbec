// What the player was told at `one`, over all links: heard in answers, handed in when a session is resumed.
//
// `session.ts` owns one and shows it every frame. A gateway that dies takes its memory of that with it.
import { type PlaceAtOne, ToldAtOne } from '../base/told-at-one.ts';
import { REGION_LOST_PUSH, regionLost, type ServerFrame } from '../wire/player.ts';

/** The arguments of `account.resume`. */
export interface Resumed {
  readonly token: string;
  /** What the player was told at `one`, to be told what has become of it. */
  readonly atOne?: readonly PlaceAtOne[];
}

export class ToldPlaces {
  #told: ToldAtOne;

  constructor(places: readonly PlaceAtOne[] | undefined) {
    this.#told = new ToldAtOne(places);
  }

  /** Throws `InvalidInputError` for what no gateway sends. */
  heard(frame: ServerFrame): void {
    if (frame.kind === 'outcome' && frame.atOne !== undefined) this.#told.note(frame.atOne);
    if (frame.kind !== 'push' || frame.push !== REGION_LOST_PUSH) return;
    const { region, epoch, to: order } = regionLost.parse(frame.value, REGION_LOST_PUSH);
    this.#told.forget({ region, epoch, order });
  }

  forget(): void {
    this.#told = new ToldAtOne();
  }

  with(token: string): Resumed {
    const { places } = this.#told;
    return places.length === 0 ? { token } : { token, atOne: places };
  }
}
