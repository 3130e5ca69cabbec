// The calls that a client has made and not yet settled: their numbers, repeats, deadlines and bounds.
//
// `session.ts` owns one book, hands in time and answers, and sends the frames it gives out. Pure.
// B1. A call leaves the book exactly once, with its outcome.
// B2. A command keeps its number as long as its session lives, and no number is used for two commands.
// B3. `unavailable` is only said of a call that cannot have happened: it never left, or each of its
//     attempts was answered by `unavailable`. Everything else that stays undecided is `uncertain`.
import { backoffMs } from './backoff.ts';
import type { Outcome } from '../base/errors.ts';
import type { GroupRefusal } from '../wire/command.ts';
import type { AckLevel } from '../wire/levels.ts';
import { type CallClass, formatCommandId, formatPlayerFrame, type StatedBound } from '../wire/player.ts';

const RETRY_MS_MIN = 20;
const UNAVAILABLE_RETRY_MS = 500;
const SESSION_OVER: GroupRefusal = 'session-expired';
/** Refusals of a group that is full: the very same command may still be applied. */
const UNDECIDED: readonly string[] = [
  'too-many-outstanding',
  'too-many-sessions',
] satisfies readonly GroupRefusal[];
/** How far numbers may run ahead of the oldest unanswered one: what a group remembers is bounded. */
const NUMBERS_AHEAD_MAX = 256;

export interface BookLimits {
  /** A call that is undecided for so long is settled as it stands. */
  readonly deadlineMs: number;
  /** For so long a call that is answered `unavailable` is asked again. */
  readonly unavailableMs: number;
  /** Calls that were sent and are not settled; further ones wait. */
  readonly outstandingMax: number;
  /** Calls that wait; a further one is `unavailable` at once. */
  readonly waitingMax: number;
}

export interface Request {
  /** The caller's own number for this call, unique; the settlement bears it. */
  readonly ticket: number;
  readonly call: string;
  /** How it is repeated. */
  readonly kind: Exclude<CallClass, 'account'>;
  /** Whether a region answers it. */
  readonly isRegional: boolean;
  readonly args: unknown;
  /** Of a regional call. */
  readonly options?: CallOptions;
}

/** What a regional call may say besides its arguments; other calls are refused for it. */
export interface CallOptions {
  /** By default where the player stands, else the region of the gateway that he is connected to. */
  readonly region?: string | undefined;
  /** Of a command: on whose disks it must be; by default as its feature declares. */
  readonly ack?: AckLevel | undefined;
  /**
   * Of a query: so old it may be at most, or what it must have seen, by `epoch` and `order` of an outcome
   * of that region, anybody's; never older than what the player has seen and done over this link.
   */
  readonly bound?: StatedBound | undefined;
}

export interface Settlement {
  readonly ticket: number;
  readonly outcome: Outcome<unknown>;
}

interface Call extends Request {
  readonly madeAtMs: number;
  /** Within the session, from 1; 0 until a command is sent for the first time. */
  number: number;
  /** Of a regional call, from its first attempt on: another region would take a repeat for new. */
  region: string | undefined;
  /** The frame whose answer is awaited; 0 when none is. */
  frame: number;
  /** An attempt may have been applied although no decision came back. */
  maybe: boolean;
  doubts: number;
  retryAtMs: number;
}

export class CallBook {
  readonly #limits: BookLimits;
  readonly #nextFrame: () => number;
  readonly #random: () => number;
  /** Sent at least once, oldest first. */
  readonly #active = new Map<number, Call>();
  readonly #waiting: Call[] = [];
  /** By frame, oldest first. A call that was settled meanwhile stays until its answer comes. */
  readonly #inFlight = new Map<number, { readonly call: Call; readonly sentAtMs: number }>();
  #settled: Settlement[] = [];
  #session = 0;
  #nextNumber = 1;
  /** Where regional calls go that name no region themselves; else to `home`, the gateway's region. */
  standsIn: string | undefined;
  home: string | undefined;

  constructor(limits: BookLimits, nextFrame: () => number, random: () => number) {
    this.#limits = limits;
    this.#nextFrame = nextFrame;
    this.#random = random;
  }

  /** Whether answers of the link are awaited. */
  get awaiting(): boolean {
    return this.#inFlight.size > 0;
  }

  /** The number that the session's next command will bear. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** When the oldest frame without an answer was sent; infinity when there is none. */
  get awaitingSinceMs(): number {
    for (const { sentAtMs } of this.#inFlight.values()) return sentAtMs;
    return Infinity;
  }

  add(request: Request, nowMs: number): void {
    if (this.#waiting.length >= this.#limits.waitingMax) {
      this.#settled.push({ ticket: request.ticket, outcome: unavailable() });
      return;
    }
    this.#waiting.push({
      ...request,
      madeAtMs: nowMs,
      number: 0,
      region: request.options?.region,
      frame: 0,
      maybe: false,
      doubts: 0,
      retryAtMs: 0,
    });
  }

  /** The frames that may go out now, as text; from here on their answers are awaited. */
  take(nowMs: number): readonly string[] {
    const frames: string[] = [];
    for (const call of this.#active.values()) {
      if (call.frame === 0 && call.retryAtMs <= nowMs) frames.push(this.#attempt(call, nowMs));
    }
    while (this.#hasRoom()) {
      const call = this.#waiting.shift();
      if (call === undefined) break;
      this.#active.set(call.ticket, call);
      frames.push(this.#attempt(call, nowMs));
    }
    return frames;
  }

  /** Takes an answer; true when it says that the session is over. Unknown frames are ignored. */
  answered(frame: number, outcome: Outcome<unknown>, nowMs: number): boolean {
    const call = this.#inFlight.get(frame)?.call;
    if (call === undefined) return false;
    this.#inFlight.delete(frame);
    call.frame = 0;
    const over = outcome.kind === 'rejected' && outcome.reason === SESSION_OVER;
    if (!this.#active.has(call.ticket)) return over;
    // This attempt was not applied. If an earlier one may have been, nobody can tell any more.
    if (over) this.#forgetNumber(call);
    else this.#weigh(call, outcome, nowMs);
    return over;
  }

  /** The link is gone: what was in flight may have happened, and is due again on the next link. */
  linkLost(): void {
    for (const { call } of this.#inFlight.values()) {
      call.frame = 0;
      call.maybe = mayHappen(call);
      call.retryAtMs = 0;
    }
    this.#inFlight.clear();
  }

  /**
   * Commands belong to this session from now on. In a new one, those of the old that may have
   * happened are settled as `uncertain`: no one can ask for their answer any more.
   */
  beginSession(session: number, firstNumber: number): void {
    if (session === this.#session) return;
    this.#session = session;
    this.#nextNumber = firstNumber;
    for (const call of this.#active.values()) {
      if (call.number > 0) this.#forgetNumber(call);
    }
  }

  /** Settles what has been undecided for too long. */
  expire(nowMs: number): void {
    const before = nowMs - this.#limits.deadlineMs;
    for (const call of this.#active.values()) {
      if (call.madeAtMs <= before) this.#giveUp(call);
    }
    let late = 0;
    for (const call of this.#waiting) {
      if (call.madeAtMs > before) break;
      late += 1;
    }
    for (const call of this.#waiting.splice(0, late)) this.#giveUp(call);
  }

  /** Settles everything: `unsent` for what cannot have happened, the rest as `uncertain`. */
  abandon(unsent: Outcome<unknown>): void {
    this.standsIn = undefined;
    for (const call of [...this.#active.values(), ...this.#waiting.splice(0)]) {
      this.#giveUp(call, unsent);
    }
  }

  /** Hands over what was settled since the last time. */
  takeSettled(): readonly Settlement[] {
    const settled = this.#settled;
    if (settled.length > 0) this.#settled = [];
    return settled;
  }

  /** When a deadline is due or, where the link is `ready`, a repeat. */
  wakeAtMs(ready: boolean): number {
    let wake = Infinity;
    for (const call of this.#active.values()) {
      wake = Math.min(wake, call.madeAtMs + this.#limits.deadlineMs);
      if (ready && call.frame === 0) wake = Math.min(wake, call.retryAtMs);
    }
    const first = this.#waiting[0];
    return first === undefined ? wake : Math.min(wake, first.madeAtMs + this.#limits.deadlineMs);
  }

  #hasRoom(): boolean {
    return (
      Math.max(this.#active.size, this.#inFlight.size) < this.#limits.outstandingMax &&
      this.#nextNumber - this.#answeredBelow() < NUMBERS_AHEAD_MAX
    );
  }

  #answeredBelow(): number {
    let lowest = this.#nextNumber;
    for (const call of this.#active.values()) {
      if (call.number > 0) lowest = Math.min(lowest, call.number);
    }
    return lowest;
  }

  #attempt(call: Call, nowMs: number): string {
    const isCommand = call.kind === 'command';
    if (isCommand && call.number === 0) call.number = this.#nextNumber++;
    call.frame = this.#nextFrame();
    this.#inFlight.set(call.frame, { call, sentAtMs: nowMs });
    const { ack, bound } = call.options ?? {};
    if (call.isRegional) call.region ??= this.standsIn ?? this.home;
    return formatPlayerFrame({
      id: call.frame,
      call: call.call,
      args: call.args,
      commandId: isCommand
        ? formatCommandId({ session: this.#session, number: call.number })
        : undefined,
      answeredBelow: isCommand ? this.#answeredBelow() : 0,
      region: call.region,
      ack,
      bound,
    });
  }

  #weigh(call: Call, outcome: Outcome<unknown>, nowMs: number): void {
    switch (outcome.kind) {
      case 'done':
        return this.#settle(call, outcome);
      case 'rejected':
        if (UNDECIDED.includes(outcome.reason)) return this.#weigh(call, unavailable(), nowMs);
        return this.#settle(call, outcome);
      case 'unavailable':
        call.retryAtMs = nowMs + Math.max(outcome.retryAfterMs, RETRY_MS_MIN);
        if (call.maybe || call.retryAtMs <= call.madeAtMs + this.#limits.unavailableMs) return;
        return this.#settle(call, outcome);
      case 'uncertain':
        call.maybe = mayHappen(call);
        call.retryAtMs = nowMs + backoffMs(call.doubts++, this.#random);
    }
  }

  #forgetNumber(call: Call): void {
    call.number = 0;
    call.retryAtMs = 0;
    if (call.maybe) this.#giveUp(call);
  }

  #giveUp(call: Call, unsent: Outcome<unknown> = unavailable()): void {
    const doubtful = call.maybe || (call.frame !== 0 && mayHappen(call));
    this.#settle(call, doubtful ? { kind: 'uncertain' } : unsent);
  }

  #settle(call: Call, outcome: Outcome<unknown>): void {
    this.#active.delete(call.ticket);
    this.#settled.push({ ticket: call.ticket, outcome });
  }
}

/** A query changes nothing, so one that was lost did not happen. */
function mayHappen(call: Call): boolean {
  return call.kind !== 'query';
}

function unavailable(): Outcome<unknown> {
  return { kind: 'unavailable', retryAfterMs: UNAVAILABLE_RETRY_MS };
}
