// A rate limit with room for bursts: so many a second on average, so many at once.
//
// Each player's link has one for calls and one for motion. What was refused is counted on as debt, so
// that someone who takes refusals for an invitation is told apart from someone who was hasty once.

/** `over`: more than the rate allows. `flood`: went on regardless until the debt was full. */
export type Admission = 'admitted' | 'over' | 'flood';

export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
  readonly debtMax: number;
}

export class TokenBucket {
  readonly #limits: BucketLimits;
  /** Thousandths of a token, so that whole milliseconds fill it without fractions. */
  #level: number;
  #filledAtMs: number;

  constructor(limits: BucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#level = limits.burst * 1_000;
    this.#filledAtMs = nowMs;
  }

  take(nowMs: number): Admission {
    const { perSecond, burst, debtMax } = this.#limits;
    const filled = this.#level + (nowMs - this.#filledAtMs) * perSecond;
    this.#filledAtMs = nowMs;
    this.#level = Math.min(filled, burst * 1_000) - 1_000;
    if (this.#level >= 0) return 'admitted';
    return this.#level >= -debtMax * 1_000 ? 'over' : 'flood';
  }
}
