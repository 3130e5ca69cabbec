// One player's link, from its first frame to its end: admits, checks, asks, answers.
//
// The gateway makes one per link. Everything a player sends is judged here before it costs anyone
// else anything: its form, its rate, its right to be asked, its arguments by the call's own schema.
// Invariant: every well-formed frame gets exactly one outcome under its id, unless the link ends first.
import { done, InvalidInputError, type Outcome, rejected } from '../../base/errors.ts';
import { type PlayerId, playerId } from '../../base/id.ts';
import type { PlaceAtOne } from '../../base/told-at-one.ts';
import type { Clock, Logger, PlayerLink } from '../../runtime/ports.ts';
import {
  type Entered,
  enter,
  type LoggedIn,
  leave,
  logInCall,
  type OpenedSession,
  register,
  resume,
} from '../../wire/calls.ts';
import { encodeQuery } from '../../wire/command.ts';
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
  parsePlayerFrame,
  type PlayerFrame,
} from '../../wire/player.ts';
import { encodeWith, type Schema } from '../../wire/schema.ts';
import type { Accounts } from './accounts.ts';
import { CallPaces } from './call-paces.ts';
import { commandBody } from './command-body.ts';
import type { GroupCall, GroupCalls } from '../calls/group-calls.ts';
import { type AppointedRegion, LostNotices } from './lost-notices.ts';
import type { Presences, Viewer } from '../space/presences.ts';
import { type RegionCalls, SeenPlaces } from '../calls/region-calls.ts';
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
  readonly motionLimits: BucketLimits;
  /** What was heard last of a region's primary; `undefined` before anything was. */
  appointed(region: string): AppointedRegion | undefined;
  /** Makes this the player's only link here. */
  admitted(player: PlayerId, session: PlayerSession): void;
  ended(session: PlayerSession): void;
  counted(outcome: Outcome<unknown>): void;
  sent(bytes: number): void;
}

export class PlayerSession implements Viewer {
  readonly #link: PlayerLink;
  readonly #house: PlayerHouse;
  readonly #callBucket: TokenBucket;
  readonly #motionBucket: TokenBucket;
  /** Until he is logged in. */
  #cancelDeadline: (() => void) | undefined;
  /** Since his first call that has a pace. */
  #paces: CallPaces | undefined;
  /** Since his first regional call. */
  #seen: SeenPlaces | undefined;
  /** Since he was first told something at `one`, on this link or before it. */
  #lostNotices: LostNotices | undefined;
  #identity: OpenedSession | undefined;
  #isLoggingIn = false;
  #failedLogIns = 0;
  #outstanding = 0;
  #isEnded = false;

  constructor(link: PlayerLink, house: PlayerHouse) {
    const nowMs = house.clock.monotonicMs();
    this.#link = link;
    this.#house = house;
    this.#callBucket = new TokenBucket(CALL_LIMITS, nowMs);
    this.#motionBucket = new TokenBucket(house.motionLimits, nowMs);
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

  /** Another copy is primary of a region: what this player was told at `one` may be lost by it. */
  regionAppointed(region: AppointedRegion): void {
    this.#lostNotices?.appointed(region);
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
    this.#cancelDeadline?.();
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
    const asked =
      call.mode === 'query'
        ? done(encodeQuery({ player: identity.player, call: call.name, args: bytes }))
        : commandBody(frame, identity, bytes);
    if (asked.kind === 'rejected') return this.#answer(frame.id, asked);
    const body = asked.value;
    const tooFast = this.#tooFast(call);
    if (tooFast !== undefined) return this.#answer(frame.id, tooFast);
    const settle = (outcome: Outcome<unknown>, atOne?: PlaceAtOne): void => {
      this.#paid(call, outcome);
      this.#answer(frame.id, outcome, atOne);
      if (atOne !== undefined) this.#toldAtOne([atOne]);
    };
    if (call.group !== undefined) {
      return this.#house.calls.ask({ call, value: call.value, body, settle: (outcome) => settle(outcome) });
    }
    this.#seen ??= new SeenPlaces();
    const ask = { call, frame, player: this.player, seen: this.#seen, body, settle };
    if (this.#house.regional.ask(ask)) return;
    const refusal: CommonRefusal = 'bad-arguments';
    settle(rejected(refusal, `there is no region "${frame.region}"`));
  }

  #toldAtOne(places: readonly PlaceAtOne[]): void {
    this.#lostNotices ??= new LostNotices({
      appointed: (region) => this.#house.appointed(region),
      offer: (push) => this.offer(push),
    });
    this.#lostNotices.note(places);
  }

  #tooFast(call: GroupCall): Outcome<never> | undefined {
    if (call.pace === undefined) return undefined;
    this.#paces ??= new CallPaces();
    return this.#paces.tooFast(call.name, call.pace, this.#house.clock.monotonicMs());
  }

  /** A pace is for what is done, or may be: not for what was refused, or could not be asked. */
  #paid({ name, pace }: GroupCall, { kind }: Outcome<unknown>): void {
    if (pace === undefined || kind === 'done' || kind === 'uncertain') return;
    this.#paces?.giveBack(name, pace, this.#house.clock.monotonicMs());
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
      if (given === undefined) return;
      const outcome = accounts.resume(given.value.token);
      this.#loggedIn(id, outcome);
      const { atOne } = given.value;
      if (outcome.kind === 'done' && atOne !== null) this.#toldAtOne(atOne);
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
      // What an idle player does not need is not kept: the token, and the timer's closures.
      const { player, session, expiresAtMs } = outcome.value;
      this.#identity = { player, session, expiresAtMs };
      this.#cancelDeadline?.();
      this.#cancelDeadline = undefined;
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

  #answer(id: number, outcome: Outcome<unknown>, atOne?: PlaceAtOne): void {
    this.#outstanding -= 1;
    this.#house.counted(outcome);
    if (this.#isEnded) return;
    if (this.#link.queuedBytes() > UNREAD_BYTES_MAX) return this.close('too-slow');
    const text = formatOutcome(id, outcome, atOne);
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
export function motionLimits(tickMs: number): BucketLimits {
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
