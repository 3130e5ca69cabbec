// How long to wait for a member's answer, by how long its answers took: what TCP does for acknowledgements.
//
// `route.ts` keeps one for each member of a group that has answered or been waited for. Half around the world
// and a round of the group take 300 ms and more, on one machine it is two, and nobody tells us which it is.
// Source: RFC 6298, sections 2 and 5.5.

/** On one machine: a leader that hangs has a successor by then, and one that is slow gets only a repeat. */
export const PATIENCE_MS_MIN = 250;
/** Before anything is known, and at most: no two places of the Earth need more for a link and a round. */
export const PATIENCE_MS_MAX = 1_000;

export class AnswerTime {
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #patienceMs: number;

  /** `patienceMs`: until it has answered once. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  get patienceMs(): number {
    return this.#patienceMs;
  }

  answeredAfter(ms: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = ms;
      this.#variationMs = ms / 2;
    } else {
      this.#variationMs += (Math.abs(this.#smoothedMs - ms) - this.#variationMs) / 4;
      this.#smoothedMs += (ms - this.#smoothedMs) / 8;
    }
    this.#patienceMs = bounded(this.#smoothedMs + 4 * this.#variationMs);
  }

  /** Patience ran out: it may be slower than it was, and is given twice as long until it answers. */
  ranOut(): void {
    this.#patienceMs = bounded(2 * this.#patienceMs);
  }
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, PATIENCE_MS_MIN), PATIENCE_MS_MAX);
}
