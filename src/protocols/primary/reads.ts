// Reads with a bound: which of them this copy may serve now, which wait, and which go to the primary.
//
// `state.ts` owns one per copy. How new a state is, a replica knows without any other clock than its
// own: the primary, sure that it is the only one, echoes the replica's stamp together with its last
// sequence. Once that is applied here, the state is at least as new as the moment of the stamp.
import type { Position, Stamp } from './messages.ts';

/** Reads that wait here; more go to the primary at once. */
export const READS_WAITING_MAX = 4_096;
/** So long a read waits for its bound: a round trip to a far primary, and no more. */
export const READ_WAIT_MS = 250;
/** Echoes whose sequence is not applied yet; of more only the newest are kept. */
const ECHOES_MAX = 64;

export type Bound =
  | { readonly kind: 'primary' }
  | ({ readonly kind: 'atLeast' } & Position)
  | { readonly kind: 'atMostMsOld'; readonly ms: number };

export interface ResolvedRead {
  readonly ticket: number;
  /** False: this copy can not, the primary may. */
  readonly serves: boolean;
}

interface WaitingRead {
  readonly ticket: number;
  readonly bound: Bound;
  /** The moment that the state must be as new as. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface Echo {
  readonly ms: number;
  readonly sequence: number;
}

export class Reads {
  waiting: WaitingRead[] = [];
  /** Our state is at least as new as this moment of our own clock. */
  freshMs: number = Number.NEGATIVE_INFINITY;
  /** What left us at this moment of our own clock has reached a primary that reaches us. */
  answeredMs: number = Number.NEGATIVE_INFINITY;
  #echoes: Echo[] = [];
  /** What the stamps of this life and epoch look like. */
  #life = 0;
  #sinceMs = 0;

  begin(life: number, nowMs: number): void {
    this.#life = life;
    this.#sinceMs = nowMs;
  }

  /** The primary has our stamp in hand. */
  answered(stamp: Stamp): void {
    if (this.#isOurs(stamp)) this.answeredMs = Math.max(this.answeredMs, stamp.ms);
  }

  /** The primary had come to `sequence` when it had our stamp in hand. */
  echoed(stamp: Stamp, sequence: number): void {
    if (!this.#isOurs(stamp) || stamp.ms <= this.freshMs) return;
    const newest = this.#echoes.at(-1);
    if (newest !== undefined && stamp.ms <= newest.ms) return;
    this.#echoes.push({ ms: stamp.ms, sequence });
    if (this.#echoes.length > ECHOES_MAX) this.#echoes.shift();
  }

  /** The state machine holds everything up to `sequence` of this primary's log. */
  applied(sequence: number): void {
    let echo = this.#echoes[0];
    while (echo !== undefined && echo.sequence <= sequence) {
      this.freshMs = Math.max(this.freshMs, echo.ms);
      this.#echoes.shift();
      echo = this.#echoes[0];
    }
  }

  /** What another primary had echoed says nothing about this one's log. */
  forgetEchoes(): void {
    this.#echoes = [];
    this.freshMs = Number.NEGATIVE_INFINITY;
  }

  #isOurs({ life, ms }: Stamp): boolean {
    return life === this.#life && ms >= this.#sinceMs;
  }

  get dueMs(): number {
    return this.waiting.reduce((due, { untilMs }) => Math.min(due, untilMs), Number.POSITIVE_INFINITY);
  }
}
