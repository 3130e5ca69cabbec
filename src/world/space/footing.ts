// Where a player is as far as he is believed, and how far he may go from there at once: the rule of speed.
//
// `region.ts` judges by it whom it has, and `presence.ts` by the very same what a gateway hands on and where
// it enters him on foot, so that neither a hand-over nor a new primary asks less or more than a walk does.
// Invariant: over any stretch of time the ways that were taken are together at most `BURST_METRES` plus
// `SPEED_METRES_PER_SECOND` times that stretch. To put him back costs nothing, and gives nothing back.
import { distanceMm, normalPlace } from '../../base/earth.ts';
import type { Place } from '../../wire/calls.ts';

/** The fastest a player may go for long: a sprint on foot. */
export const SPEED_METRES_PER_SECOND = 12;
/** What he may catch up at once after silence or a slow network: three seconds of running. */
export const BURST_METRES = 36;

const BURST_MM: number = BURST_METRES * 1_000;

export class Footing {
  #place: Place;
  /** A bucket that fills at the highest speed, as of `allowedAtMs`. */
  #allowedMm: number;
  #allowedAtMs: number;

  /** Times are of one clock, whichever; without `allowedMm` he has the whole burst. */
  constructor(at: Place, nowMs: number, allowedMm: number = BURST_MM) {
    this.#place = normalPlace(at);
    this.#allowedMm = Math.min(allowedMm, BURST_MM);
    this.#allowedAtMs = nowMs;
  }

  get place(): Place {
    return this.#place;
  }

  /** How far he may go at once. */
  allowedMm(nowMs: number): number {
    // Metres per second are millimetres per millisecond.
    const gainedMm = Math.max(0, nowMs - this.#allowedAtMs) * SPEED_METRES_PER_SECOND;
    return Math.min(BURST_MM, this.#allowedMm + gainedMm);
  }

  reaches(place: Place, nowMs: number): boolean {
    return distanceMm(this.#place, place) <= this.allowedMm(nowMs);
  }

  /** He is there now; only for a place that he reaches. */
  go(to: Place, nowMs: number): void {
    const place = normalPlace(to);
    this.#allowedMm = this.allowedMm(nowMs) - distanceMm(this.#place, place);
    this.#allowedAtMs = nowMs;
    this.#place = place;
  }

  /** As it would be if he went there. */
  after(place: Place, nowMs: number): Footing {
    const next = new Footing(this.#place, nowMs, this.allowedMm(nowMs));
    next.go(place, nowMs);
    return next;
  }

  putBack(place: Place): void {
    this.#place = normalPlace(place);
  }
}
