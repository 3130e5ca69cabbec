// One player's pace in the calls that have one: asked too fast, they are not passed on.
//
// A session has one. The log holds him to the same pace by its own time and whichever gateway he comes
// through; this spares it the entries of a flood. What did not happen is not charged, or a mistake would
// cost the next true word; a flood of mistakes is charged all the same.
import type { Outcome } from '../../base/errors.ts';
import { earlyMs, type Pace, paidAfter } from '../../base/pace.ts';

/** As `paidAtMs` of `base/pace`: of what was asked, and of what was given back of that. */
interface Charged {
  paidAtMs: number;
  backAtMs: number;
}

export class CallPaces {
  /** As many as there are calls with a pace. */
  readonly #charged = new Map<string, Charged>();

  /**
   * `undefined` when it may be asked. Else it is `unavailable` until it may, never `rejected`: what is
   * asked too fast may be the repeat of a command that was applied, and then a refusal would be a lie.
   */
  tooFast(call: string, pace: Pace, nowMs: number): Outcome<never> | undefined {
    const charged = this.#charged.get(call) ?? { paidAtMs: 0, backAtMs: 0 };
    const early = earlyMs(pace, charged.paidAtMs, nowMs);
    if (early > 0) return { kind: 'unavailable', retryAfterMs: early };
    charged.paidAtMs = paidAfter(pace, charged.paidAtMs, nowMs);
    this.#charged.set(call, charged);
    return undefined;
  }

  /** It was asked and did not happen: its charge is given back, which has the same pace. */
  giveBack(call: string, pace: Pace, nowMs: number): void {
    const charged = this.#charged.get(call);
    if (charged === undefined || earlyMs(pace, charged.backAtMs, nowMs) > 0) return;
    charged.backAtMs = paidAfter(pace, charged.backAtMs, nowMs);
    charged.paidAtMs -= pace.everyMs;
  }
}
