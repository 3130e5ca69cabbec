// One player's pace in the calls that have one: asked too fast, they are not passed on.
//
// A session has one. The log holds him to the same pace by its own time and whichever gateway he comes
// through; this spares it the entries of a flood.
import type { Outcome } from '../../base/errors.ts';
import { earlyMs, type Pace, paidAfter } from '../../base/pace.ts';

export class CallPaces {
  /** As many as there are calls with a pace. */
  readonly #paidAtMs = new Map<string, number>();

  /**
   * `undefined` when it may be asked. Else it is `unavailable` until it may, never `rejected`: what is
   * asked too fast may be the repeat of a command that was applied, and then a refusal would be a lie.
   */
  tooFast(call: string, pace: Pace, nowMs: number): Outcome<never> | undefined {
    const paidAtMs = this.#paidAtMs.get(call) ?? 0;
    const early = earlyMs(pace, paidAtMs, nowMs);
    if (early > 0) return { kind: 'unavailable', retryAfterMs: early };
    this.#paidAtMs.set(call, paidAfter(pace, paidAtMs, nowMs));
    return undefined;
  }
}
