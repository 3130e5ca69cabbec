// A player's way through his neighbourhood: straight legs over land, at a walk or a run.
//
// The crowd steps one walker per player and reports the places. Each leg lies on a great circle towards
// a point around the walker's home, so that those born together stay together. Where the next step may
// not be taken (water, the region's edge) he stands for that step and sets out for another point.
// Invariant: whoever starts where he may stand is never anywhere else.
import type { Random } from '../base/random.ts';
import type { Place } from '../wire/calls.ts';
import { distanceMm } from '../base/earth.ts';
import { ahead, bearingTo } from './great-circle.ts';

/** How far from home the legs end. */
export const ROAM_METRES = 300;
export const SPEED_METRES_PER_SECOND_MIN = 1.4;
export const SPEED_METRES_PER_SECOND_MAX = 5;
/** A walker whose process was asleep does not catch up: the server would take it for a cheat's leap. */
export const STEP_MS_MAX = 1_000;

interface Leg {
  readonly from: Place;
  readonly bearing: number;
  readonly metres: number;
  readonly metresPerSecond: number;
  /** How much of it is done. */
  gone: number;
}

export class Walker {
  readonly #random: Random;
  readonly #mayStand: (place: Place) => boolean;
  readonly #home: Place;
  #place: Place;
  #leg: Leg | undefined;

  constructor(o: { random: Random; start: Place; mayStand: (place: Place) => boolean }) {
    this.#random = o.random;
    this.#mayStand = o.mayStand;
    this.#home = o.start;
    this.#place = o.start;
  }

  get place(): Place {
    return this.#place;
  }

  /** Walks on for that many milliseconds, at most `STEP_MS_MAX`, and says where he is then. */
  step(milliseconds: number): Place {
    const leg = this.#leg ?? this.#setOut();
    const stride = (Math.min(milliseconds, STEP_MS_MAX) / 1_000) * leg.metresPerSecond;
    leg.gone = Math.min(leg.metres, leg.gone + stride);
    const next = ahead(leg.from, leg.bearing, leg.gone);
    const blocked = !this.#mayStand(next);
    if (!blocked) this.#place = next;
    this.#leg = blocked || leg.gone === leg.metres ? undefined : leg;
    return this.#place;
  }

  /** The server says that he stands here: he sets out anew from there. */
  putBack(place: Place): void {
    this.#place = place;
    this.#leg = undefined;
  }

  #setOut(): Leg {
    const metresHome = Math.sqrt(this.#between(0, 1)) * ROAM_METRES;
    const goal = ahead(this.#home, this.#between(0, 2 * Math.PI), metresHome);
    return {
      from: this.#place,
      bearing: bearingTo(this.#place, goal),
      metres: distanceMm(this.#place, goal) / 1_000,
      metresPerSecond: this.#between(SPEED_METRES_PER_SECOND_MIN, SPEED_METRES_PER_SECOND_MAX),
      gone: 0,
    };
  }

  #between(min: number, max: number): number {
    return min + (this.#random.uint32() / 2 ** 32) * (max - min);
  }
}
