// A clock and loop that stand still until a test moves them.
//
// Service tests hand it in as `Clock`. Timers run in the order of their times, and what was deferred
// runs before time goes on, as on a real loop.
import type { Clock } from '../../src/runtime/ports.ts';

interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #wallOffsetMs: number;
  #timers: Timer[] = [];
  #deferred: (() => void)[] = [];

  constructor(wallStartMs: number = 1_700_000_000_000) {
    this.#wallOffsetMs = wallStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    const timer = { atMs, wake };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  /** How many timers wait: an idle service should have none. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Runs what was deferred, and what that defers. */
  settle(): void {
    while (this.#deferred.length > 0) {
      const due = this.#deferred;
      this.#deferred = [];
      for (const run of due) run();
    }
  }

  /** Moves time on, running everything that falls due on the way. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      this.settle();
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs);
      const next = due.reduce<Timer | undefined>(
        (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
        undefined,
      );
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = untilMs;
  }

  /** As `advance`, for code that also awaits: lets promises settle after every millisecond. */
  async live(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      this.advance(1);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    this.settle();
  }
}
