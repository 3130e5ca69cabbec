// Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end, the second for one at once.
//
// `up.ts` owns it. A signal can arrive twice for one press of the keys (from the terminal, and from the
// launcher above us): what follows within half a second is the same wish.
import type { Terminal } from '../adapters/node/terminal.ts';
import type { Clock } from '../runtime/ports.ts';

const SAME_WISH_MS = 500;

export class Stops {
  /** Resolves at the first wish to stop. */
  readonly first: Promise<void>;
  readonly #release: () => void;
  #firstAtMs: number | undefined;
  #atOnce: () => void = () => {};
  #isAtOnce = false;

  constructor(terminal: Terminal, clock: Clock) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.first = promise;
    this.#release = terminal.onStop(() => {
      const nowMs = clock.monotonicMs();
      this.#firstAtMs ??= nowMs;
      resolve();
      if (nowMs - this.#firstAtMs < SAME_WISH_MS) return;
      this.#isAtOnce = true;
      this.#atOnce();
    });
  }

  get isStopping(): boolean {
    return this.#firstAtMs !== undefined;
  }

  /** Whether the second wish came: nothing was ended in order then. */
  get isAtOnce(): boolean {
    return this.#isAtOnce;
  }

  /** What to do at the second wish. */
  onSecond(atOnce: () => void): void {
    this.#atOnce = atOnce;
  }

  release(): void {
    this.#release();
  }
}
