// Which gateway a client dials next, and when: all in turn, with pauses that grow while none is good.
//
// `session.ts` owns one and tells it how links ended. A link that held for a while was a good one: its
// gateway is tried once more first, and soon. Pure.
import { BACKOFF_MS_MAX, backoffMs } from './backoff.ts';

export class Dialer {
  readonly #urls: readonly string[];
  readonly #random: () => number;
  #at = 0;
  #failures = 0;
  #dialAtMs = 0;

  /** At least one address. */
  constructor(urls: readonly string[], random: () => number) {
    this.#urls = urls;
    this.#random = random;
  }

  get url(): string {
    return this.#urls[this.#at % this.#urls.length] ?? '';
  }

  /** Not before this time. */
  get dialAtMs(): number {
    return this.#dialAtMs;
  }

  /** Somebody waits who did not before: no pause. */
  hurry(nowMs: number): void {
    this.#dialAtMs = nowMs;
  }

  /** A link ended `heldMs` after it was proven; `elsewhere` when its gateway is better avoided. */
  ended(link: { readonly heldMs: number; readonly elsewhere: boolean }, nowMs: number): void {
    const held = link.heldMs >= BACKOFF_MS_MAX;
    this.#failures = held ? 0 : this.#failures + 1;
    if (!held || link.elsewhere) this.#at += 1;
    this.#dialAtMs = nowMs + backoffMs(this.#failures, this.#random);
  }
}
