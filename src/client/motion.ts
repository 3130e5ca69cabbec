// The motion lane as the client sees it: where this player goes, and whom he sees.
//
// `connection.ts` drives both classes. Pure: time comes in. The newest place replaces the one before,
// nothing queues, and after a break the player enters again at the last place.
import type { Place } from '../wire/calls.ts';
import { type Avatar, encodeUpdate, FORGET_AFTER_MS } from '../wire/motion.ts';

const SEQUENCE_END: number = 2 ** 32;

export class MotionLane {
  #place: Place | undefined;
  /** 0 while no region has taken the player in over the link of now. */
  #tickMs = 0;
  #moved = false;
  #sendAtMs = 0;
  #sequence = 0;

  /** Where to enter again once a link is proven; `undefined` when there is no need to. */
  get reentry(): Place | undefined {
    return this.#tickMs === 0 ? this.#place : undefined;
  }

  /** When `take` has something to give; infinity while nothing is to be sent. */
  get wakeAtMs(): number {
    return this.#moved && this.#tickMs > 0 ? this.#sendAtMs : Infinity;
  }

  /** The region took the player in at `place`. */
  entered(place: Place, tickMs: number): void {
    this.#place = place;
    this.#moved = false;
    this.#tickMs = tickMs;
  }

  /** The region took the player in again; where he went meanwhile is the next update. */
  reentered(tickMs: number): void {
    this.#moved = true;
    this.#tickMs = tickMs;
  }

  /** The link is gone and with it the place in the region; `reentry` says where to go on. */
  interrupted(): void {
    this.#tickMs = 0;
  }

  /** The player is not in the world and does not want to be. */
  left(): void {
    this.#place = undefined;
    this.#tickMs = 0;
    this.#moved = false;
  }

  /** Ignored before the first `entered` and after `left`. */
  moveTo(place: Place): void {
    if (this.#place === undefined) return;
    this.#place = place;
    this.#moved = true;
  }

  /** The region puts the player back: moves that it has not taken are forgotten. */
  corrected({ lat, lon }: Place): void {
    if (this.#place === undefined) return;
    this.#place = { lat, lon };
    this.#moved = false;
  }

  /** The update to send now; at most one per tick. */
  take(nowMs: number): Uint8Array | undefined {
    if (this.#place === undefined || this.wakeAtMs > nowMs) return undefined;
    this.#moved = false;
    this.#sendAtMs = nowMs + this.#tickMs;
    this.#sequence = (this.#sequence + 1) % SEQUENCE_END;
    const { lat, lon } = this.#place;
    return encodeUpdate({ sequence: this.#sequence, lat, lon });
  }
}

/** Where another player was seen last, and when by the client's own monotonic clock. */
export interface Seen extends Place {
  readonly seenAtMs: number;
}

/** The other players in sight; whoever was not heard of for 3 s went out of it. */
export class Others {
  readonly #seen = new Map<number, Seen>();

  saw(avatars: readonly Avatar[], self: number, nowMs: number): void {
    for (const { player, lat, lon } of avatars) {
      if (player !== self) this.#seen.set(player, { lat, lon, seenAtMs: nowMs });
    }
    this.at(nowMs);
  }

  at(nowMs: number): ReadonlyMap<number, Seen> {
    for (const [player, { seenAtMs }] of this.#seen) {
      if (nowMs - seenAtMs >= FORGET_AFTER_MS) this.#seen.delete(player);
    }
    return this.#seen;
  }
}
