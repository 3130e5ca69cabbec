// One player's link, from its first frame to its end: admits, checks, asks, answers.
//
// The gateway makes one per link. Everything a player sends is judged here before it costs anyone
// else anything: its form, its rate, its right to be asked, its arguments by the call's own schema.
// Invariant: every well-formed frame gets exactly one outcome under its id, unless the link ends first.
import { InvalidInputError, type Outcome, rejected } from '../base/errors.ts';
import { type PlayerId, playerId } from '../base/id.ts';
import type { Clock, Logger, PlayerLink } from '../runtime/ports.ts';
import { type Entered, enter, type LoggedIn, leave, logInCall, register, resume } from '../wire/calls.ts';
import { encodeCommand, encodeQuery } from '../wire/command.ts';
import {
  type CloseName,
  closings,
  type CommonRefusal,
  CROSSED_PUSH,
  formatError,
  formatOutcome,
  formatPush,
  LOGIN_DEADLINE_MS,
  OUTSTANDING_CALLS_MAX,
  parseCommandId,
  parsePlayerFrame,
  type PlayerFrame,
  REGION_LOST_PUSH,
} from '../wire/player.ts';
import { encodeWith, type Schema } from '../wire/schema.ts';
import type { Accounts } from './accounts.ts';
import type { GroupCall, GroupCalls } from './group-calls.ts';
import type { Presences, Viewer } from './presences.ts';
import { type RegionCalls, SeenPlaces } from './region-calls.ts';
import { type BucketLimits, TokenBucket } from './token-bucket.ts';

/** A person needs a few calls a second and a busy tool hundreds; neither may starve the others. */
const CALL_LIMITS: BucketLimits = { perSecond: 1_000, burst: 2_000, debtMax: 4_000 };
const OVER_RATE_RETRY_MS = 1_000;
const FAILED_LOG_INS_MAX = 5;
/** Who repeats a registration with its nonce is taken for the one who began it: it can't be short. */
const NONCE_LENGTH_MIN = 16;
/** A player who leaves so much unread gets no pushes. */
const SLOW_BYTES: number = 256 * 1024;
/** And at so much no motion: a few seconds of a crowd's, which are worth nothing once they are old. */
const SLOW_MOTION_BYTES: number = 16 * 1024;
/**
 * And at so much unread the link is closed: he can resume and ask again. Below the adapter's own
 * limit, which cuts off without a word.
 */
const UNREAD_BYTES_MAX: number = 512 * 1024;

/** What a session needs of its gateway. */
export interface PlayerHouse {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly calls: GroupCalls;
  readonly regional: RegionCalls;
  readonly accounts: Accounts;
  readonly presences: Presences;
  /** Makes this the player's only link here. */
  admitted(player: PlayerId, session: PlayerSession): void;
  ended(session: PlayerSession): void;
  counted(outcome: Outcome<unknown>): void;
  sent(bytes: number): void;
}

/** The beginning of a primary's epoch. */
export interface AppointedRegion {
  readonly number: number;
  readonly name: string;
  readonly epoch: number;
  /** The last place of the log that it goes on from. */
  readonly start: number;
}

export class PlayerSession implements Viewer {
  readonly #link: PlayerLink;
  readonly #house: PlayerHouse;
  readonly #callBucket: TokenBucket;
  readonly #motionBucket: TokenBucket;
  readonly #cancelDeadline: () => void;
  readonly #seen = new SeenPlaces();
  #identity: LoggedIn | undefined;
  #isLoggingIn = false;
  #failedLogIns = 0;
  #outstanding = 0;
  #isEnded = false;

  constructor(link: PlayerLink, house: PlayerHouse) {
    const nowMs = house.clock.monotonicMs();
    this.#link = link;
    this.#house = house;
    this.#callBucket = new TokenBucket(CALL_LIMITS, nowMs);
    this.#motionBucket = new TokenBucket(motionLimits(house.presences.tickMsMin), nowMs);
    this.#cancelDeadline = house.clock.wakeAt(nowMs + LOGIN_DEADLINE_MS, () => {
      this.close('not-logged-in-in-time');
    });
  }

  /** 0 before log-in. */
  get player(): PlayerId {
    return playerId(this.#identity?.player ?? 0);
  }

  text(text: string): void {
    if (this.#isEnded) return;
    const admission = this.#callBucket.take(this.#house.clock.monotonicMs());
    if (admission === 'flood') return this.close('too-many-calls');
    let frame: PlayerFrame;
    try {
      frame = parsePlayerFrame(text);
    } catch (cause) {
      return this.#malformed(cause);
    }
    if (this.#outstanding >= OUTSTANDING_CALLS_MAX) return this.close('too-many-calls');
    this.#outstanding += 1;
    if (admission === 'over') {
      this.#answer(frame.id, { kind: 'unavailable', retryAfterMs: OVER_RATE_RETRY_MS });
    } else {
      this.#call(frame);
    }
  }

  binary(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    const { presences, clock } = this.#house;
    const admission = this.#motionBucket.take(clock.monotonicMs());
    if (admission === 'flood') return this.close('too-many-calls');
    if (!presences.holds(this.player)) return this.close('binary-before-entering');
    if (admission === 'over') return;
    try {
      presences.moved(this.player, bytes);
    } catch (cause) {
      this.#malformed(cause);
    }
  }

  /** Sends what may be lost; false when the player is too slow for it. */
  offer(frame: string | Uint8Array): boolean {
    if (this.#isEnded) return false;
    const isText = typeof frame === 'string';
    if (this.#link.queuedBytes() > (isText ? SLOW_BYTES : SLOW_MOTION_BYTES)) return false;
    this.#house.sent(frame.length);
    return isText ? this.#link.sendText(frame) : this.#link.sendBinary(frame);
  }

  crossed(entered: Entered): void {
    this.offer(formatPush(CROSSED_PUSH, JSON.stringify(entered)));
  }

  superseded(): void {
    this.close('replaced');
  }

  /**
   * A region has a primary whose epoch began after `start`: what this session was told at `one` and lies
   * beyond is lost. He hears of it on this link or not at all.
   */
  regionAppointed({ number, name, epoch, start }: AppointedRegion): void {
    const lost = this.#seen.lostBy(number, epoch, start);
    if (lost === undefined) return;
    this.offer(formatPush(REGION_LOST_PUSH, JSON.stringify({ region: name, ...lost })));
  }

  close(why: CloseName): void {
    if (this.#isEnded) return;
    const { code, reason } = closings[why];
    this.ended();
    this.#link.close(code, reason);
  }

  /** The link is gone: the player leaves the region, and nothing is sent any more. */
  ended(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelDeadline();
    this.#house.ended(this);
  }

  #call(frame: PlayerFrame): void {
    switch (frame.call) {
      case 'account.register':
      case 'account.logIn':
      case 'account.resume':
        return this.#account(frame);
      case 'position.enter':
      case 'position.leave':
        return this.#position(frame);
      default: {
        const call = this.#house.calls.find(frame.call);
        if (call?.by === 'player') this.#ask(frame, call);
        else this.#refuse(frame.id, 'unknown-call');
      }
    }
  }

  #ask(frame: PlayerFrame, call: GroupCall): void {
    const identity = this.#identity;
    if (identity === undefined) return this.#refuse(frame.id, 'not-logged-in');
    const misplaced = misplacedIn(frame, call);
    if (misplaced !== undefined) return this.#refuse(frame.id, 'bad-arguments', misplaced);
    const args = this.#args(frame, call.args);
    if (args === undefined) return;
    const bytes = encodeWith(call.args, args.value);
    const body =
      call.mode === 'query'
        ? encodeQuery({ player: identity.player, call: call.name, args: bytes })
        : this.#command(frame, identity, bytes);
    if (body === undefined) return;
    const settle = (outcome: Outcome<unknown>): void => this.#answer(frame.id, outcome);
    if (call.group !== undefined) {
      return this.#house.calls.ask({ call, value: call.value, body, settle });
    }
    const { player } = identity;
    const ask = { call, frame, player: playerId(player), seen: this.#seen, body, settle };
    if (this.#house.regional.ask(ask)) return;
    this.#refuse(frame.id, 'bad-arguments', `there is no region "${frame.region}"`);
  }

  /** A command in bytes; `undefined` when its id was refused. */
  #command(frame: PlayerFrame, identity: LoggedIn, args: Uint8Array): Uint8Array | undefined {
    const { id, call, commandId, answeredBelow } = frame;
    const parsed = commandId === undefined ? undefined : parseCommandId(commandId);
    if (parsed === undefined) {
      const form = 'commandId must be "<session>.<number>", with numbers from 1';
      this.#refuse(id, 'command-id-missing', form);
      return undefined;
    }
    if (parsed.session !== identity.session) {
      this.#refuse(id, 'foreign-command-id');
      return undefined;
    }
    if (answeredBelow > parsed.number) {
      const rule = "answeredBelow may not be above the command's own number";
      this.#refuse(id, 'bad-arguments', rule);
      return undefined;
    }
    return encodeCommand({
      session: identity.session,
      sessionExpiresAtMs: identity.expiresAtMs,
      number: parsed.number,
      answeredBelow,
      player: identity.player,
      call,
      args,
    });
  }

  #position(frame: PlayerFrame): void {
    const { id } = frame;
    if (this.#identity === undefined) return this.#refuse(id, 'not-logged-in');
    const { presences } = this.#house;
    if (frame.call === 'position.leave') {
      if (this.#args(frame, leave.args) === undefined) return;
      const left = presences.leave(this.player);
      this.#answer(id, left ? { kind: 'done', value: null } : rejected('not-in-the-world'));
      return;
    }
    const place = this.#args(frame, enter.args);
    if (place === undefined) return;
    presences.enter(this.player, {
      place: place.value,
      viewer: this,
      settle: (outcome) => this.#answer(id, outcome),
    });
  }

  #account(frame: PlayerFrame): void {
    const { id } = frame;
    const { accounts } = this.#house;
    if (this.#identity !== undefined) return this.#refuse(id, 'already-logged-in');
    if (this.#isLoggingIn) {
      return this.#answer(id, { kind: 'unavailable', retryAfterMs: OVER_RATE_RETRY_MS });
    }
    if (frame.call === 'account.resume') {
      const given = this.#args(frame, resume.args);
      if (given !== undefined) this.#loggedIn(id, accounts.resume(given.value.token));
      return;
    }
    const attempt = this.#logInAttempt(frame);
    if (attempt === undefined) return;
    this.#isLoggingIn = true;
    attempt.then(
      (outcome) => {
        this.#isLoggingIn = false;
        this.#loggedIn(id, outcome);
      },
      (cause: unknown) => {
        this.#isLoggingIn = false;
        this.#house.logger.log('error', 'log-in-broke', { call: frame.call, cause });
        this.#answer(id, { kind: 'uncertain' });
      },
    );
  }

  /** `undefined` when the frame was refused already. */
  #logInAttempt(frame: PlayerFrame): Promise<Outcome<LoggedIn>> | undefined {
    const { accounts } = this.#house;
    const isNew = frame.call === 'account.register';
    const who = this.#args(frame, isNew ? register.args : logInCall.args);
    if (who === undefined) return undefined;
    if (!isNew) return accounts.logIn(who.value);
    const { commandId = '' } = frame;
    if (commandId.length >= NONCE_LENGTH_MIN) return accounts.register(commandId, who.value);
    const form = 'commandId must be 128 random bits as text, the same for every repeat';
    this.#refuse(frame.id, 'command-id-missing', form);
    return undefined;
  }

  #loggedIn(id: number, outcome: Outcome<LoggedIn>): void {
    if (this.#isEnded) return this.#house.counted(outcome);
    if (outcome.kind === 'done') {
      this.#identity = outcome.value;
      this.#cancelDeadline();
      this.#house.admitted(this.player, this);
    }
    this.#answer(id, outcome);
    if (outcome.kind !== 'rejected') return;
    this.#failedLogIns += 1;
    if (this.#failedLogIns >= FAILED_LOG_INS_MAX) this.close('too-many-log-ins');
  }

  /** The checked arguments, in a box since `null` is a value; `undefined` when they were refused. */
  #args<Args>(frame: PlayerFrame, schema: Schema<Args>): { readonly value: Args } | undefined {
    try {
      return { value: schema.parse(frame.args, 'args') };
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.#refuse(frame.id, 'bad-arguments', cause.message);
      return undefined;
    }
  }

  #refuse(id: number, reason: CommonRefusal, detail?: string): void {
    this.#answer(id, rejected(reason, detail));
  }

  #answer(id: number, outcome: Outcome<unknown>): void {
    this.#outstanding -= 1;
    this.#house.counted(outcome);
    if (this.#isEnded) return;
    if (this.#link.queuedBytes() > UNREAD_BYTES_MAX) return this.close('too-slow');
    const text = formatOutcome(id, outcome);
    this.#house.sent(text.length);
    this.#link.sendText(text);
  }

  #malformed(cause: unknown): void {
    if (!(cause instanceof InvalidInputError)) throw cause;
    this.#link.sendText(formatError(cause.message));
    this.close('malformed-frame');
  }
}

/** Twice the tick, so that a burst after a stall passes; more is dropped, since newer ones follow. */
function motionLimits(tickMs: number): BucketLimits {
  return { perSecond: Math.ceil(2_000 / tickMs), burst: 60, debtMax: 1_000 };
}

/** What a frame says that its call does not know; `undefined` when there is no such thing. */
function misplacedIn({ region, ack, bound }: PlayerFrame, call: GroupCall): string | undefined {
  if (call.group !== undefined && (region ?? ack ?? bound) !== undefined) {
    return `${call.name} is no regional call: region, ack and bound are not for it`;
  }
  if (call.mode === 'query' && ack !== undefined) return 'ack is for commands';
  return call.mode === 'command' && bound !== undefined ? 'bound is for queries' : undefined;
}
