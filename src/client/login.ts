// The account call that a client has to make next: register, log in or resume, with its repeats.
//
// `session.ts` holds at most one. One that a user asked for has a ticket and ends in time; one that
// the client makes by itself, after a link broke or a session ended, is repeated until it is decided.
import { backoffMs } from './backoff.ts';
import type { BookLimits } from './calls.ts';
import type { Resumed } from './told-places.ts';
import type { Outcome } from '../base/errors.ts';
import type { LogIn } from '../wire/calls.ts';
import { formatPlayerFrame } from '../wire/player.ts';

const RETRY_MS_MIN = 50;

/** What a user may ask for. */
export type LogInCall =
  | { readonly call: 'account.register'; readonly args: LogIn; readonly nonce: string }
  | { readonly call: 'account.logIn'; readonly args: LogIn };
export type AccountCall =
  | LogInCall
  | { readonly call: 'account.resume'; readonly args: Resumed };

export class Login {
  readonly account: AccountCall;
  /** `undefined` when nobody waits for it. */
  readonly ticket: number | undefined;
  readonly #madeAtMs: number;
  readonly #limits: BookLimits;
  #frame = 0;
  #sentAtMs = Infinity;
  #retryAtMs = 0;
  #maybe = false;
  #doubts = 0;

  constructor(
    account: AccountCall,
    limits: BookLimits,
    asked?: { readonly ticket: number; readonly nowMs: number },
  ) {
    this.account = account;
    this.ticket = asked?.ticket;
    this.#madeAtMs = asked?.nowMs ?? Infinity;
    this.#limits = limits;
  }

  /** Whether an answer is awaited. */
  get awaiting(): boolean {
    return this.#frame !== 0;
  }

  /** When the frame whose answer is awaited was sent. */
  get awaitingSinceMs(): number {
    return this.awaiting ? this.#sentAtMs : Infinity;
  }

  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  get deadlineMs(): number {
    return this.#madeAtMs + this.#limits.deadlineMs;
  }

  /** The frame to send, as text. */
  attempt(frame: number, nowMs: number): string {
    this.#frame = frame;
    this.#sentAtMs = nowMs;
    const { account } = this;
    return formatPlayerFrame({
      id: frame,
      call: account.call,
      args: account.args,
      commandId: account.call === 'account.register' ? account.nonce : undefined,
      answeredBelow: 0,
    });
  }

  /** What is decided by the answer to `frame`; `undefined` when it must be asked again. */
  answered(
    frame: number,
    outcome: Outcome<unknown>,
    now: { readonly nowMs: number; readonly random: () => number },
  ): Outcome<unknown> | undefined {
    if (frame !== this.#frame) return undefined;
    this.#frame = 0;
    if (outcome.kind === 'done' || outcome.kind === 'rejected') return outcome;
    const { nowMs, random } = now;
    if (outcome.kind === 'uncertain') {
      this.#maybe = true;
      this.#retryAtMs = nowMs + backoffMs(this.#doubts++, random);
      return undefined;
    }
    this.#retryAtMs = nowMs + Math.max(outcome.retryAfterMs, RETRY_MS_MIN);
    const late = this.#retryAtMs > this.#madeAtMs + this.#limits.unavailableMs;
    return late && !this.#maybe ? outcome : undefined;
  }

  linkLost(): void {
    this.#maybe = this.#maybe || this.awaiting;
    this.#frame = 0;
    this.#retryAtMs = 0;
  }

  /** How it ends undecided. */
  givenUp(): Outcome<unknown> {
    const doubtful = this.#maybe || this.awaiting;
    return doubtful ? { kind: 'uncertain' } : { kind: 'unavailable', retryAfterMs: RETRY_MS_MIN };
  }
}
