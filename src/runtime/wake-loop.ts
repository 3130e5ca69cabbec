// The loop of a driver: whatever wakes it, it takes one turn for all of it, and one when something is due.
//
// `turn.ts` and `replica-set.ts` own one each. A turn comes after everything that has already arrived.
// Invariants: no turn before `begin` or after `stop`, and none within another; one timer is armed, for
// the earliest moment at which anything was due.
import type { Clock } from './ports.ts';

export interface WakeLoopOptions {
  readonly clock: Clock;
  /** Does what there is to do; true when something is left for the next turn. */
  readonly turn: () => boolean;
  /** After each turn. What wakes the loop from here on counts for the next one. */
  readonly turned: () => void;
  /** When `due` must be called, monotonic. */
  readonly dueMs: () => number;
  /** It is at least `dueMs`. */
  readonly due: (dueMs: number) => void;
  /** A promise of ours is broken: the loop has stopped. */
  readonly fail: (cause: unknown) => void;
}

export class WakeLoop {
  readonly #o: WakeLoopOptions;
  #begun = false;
  #stopped = false;
  #scheduled = false;
  #running = false;
  #armedMs: number = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;
  readonly #run = (): void => this.run();
  readonly #deferred = (): void => {
    this.#scheduled = false;
    this.guarded(this.#run);
  };

  constructor(options: WakeLoopOptions) {
    this.#o = options;
  }

  /** Begun and not stopped. */
  get isOn(): boolean {
    return this.#begun && !this.#stopped;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  begin(): void {
    this.#begun = true;
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm?.();
  }

  /** There is something to do, soon. */
  wake(): void {
    if (this.#scheduled || this.#running || !this.isOn) return;
    this.#scheduled = true;
    this.#o.clock.defer(this.#deferred);
  }

  /** Takes a turn at once. */
  run(): void {
    if (this.#stopped) return;
    this.#running = true;
    const isMore = this.#o.turn();
    this.#running = false;
    this.#o.turned();
    if (isMore) this.wake();
    this.arm();
  }

  /** Re-arms the timer if something is due earlier than it. */
  arm(): void {
    const dueMs = this.#o.dueMs();
    if (this.#stopped || dueMs >= this.#armedMs) return;
    this.#disarm?.();
    this.#armedMs = dueMs;
    this.#disarm = this.#o.clock.wakeAt(dueMs, () => {
      this.#armedMs = Number.POSITIVE_INFINITY;
      this.guarded(() => this.#o.due(dueMs));
    });
  }

  /** Every break of a promise in `work` ends the process. */
  guarded(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.stop();
      this.#o.fail(cause);
    }
  }
}
