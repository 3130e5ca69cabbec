// The client's side of a player's session: links that come and go, one log-in, the calls under it.
//
// A pure state machine: `connection.ts` hands in what happened and the time, and carries out the
// effects in their order. Links are numbered; what a former link still says is ignored.
// S1. Every ticket is settled exactly once.
// S2. Nothing but an account call leaves before the link is proven, and no command but under the
//     session that its command id names.
// S3. A command that may have happened is only ever repeated under its own command id.
import { CallBook, type BookLimits, type Request } from './calls.ts';
import { Dialer } from './dialer.ts';
import { Login, type LogInCall } from './login.ts';
import { type Resumed, ToldPlaces } from './told-places.ts';
import { InvalidInputError, type Outcome, rejected } from '../base/errors.ts';
import type { LoggedIn, LogIn } from '../wire/calls.ts';
import {
  closings,
  type CommonRefusal,
  parseServerFrame,
  PLAYER_FRAME_BYTES_MAX,
} from '../wire/player.ts';

const RETRY_AFTER_MS = 2_000;
const OPENING_MS_MAX = 3_000;
/** A gateway answers calls within 5 s; log-ins, which wait for a slow hash, within 10 s. */
const ANSWER_MS_MAX = 6_000;
const LOGIN_ANSWER_MS_MAX = 12_000;
/** Leaves room in a frame for its id, command id and call. */
const ARGS_LENGTH_MAX: number = PLAYER_FRAME_BYTES_MAX - 512;

/**
 * - `logged-out`: nothing to prove a player with; calls are refused until someone logs in.
 * - `connecting`: there is no proven link at the moment; calls wait.
 * - `ready`: calls flow.
 * - `replaced`: the player logged in elsewhere, so this client keeps still until it logs in again.
 * - `closed`: for ever.
 */
export type ClientState = 'logged-out' | 'connecting' | 'ready' | 'replaced' | 'closed';

export type SessionEffect =
  | { readonly kind: 'open'; readonly link: number; readonly url: string }
  | { readonly kind: 'send'; readonly link: number; readonly text: string }
  | { readonly kind: 'drop'; readonly link: number }
  | { readonly kind: 'settle'; readonly ticket: number; readonly outcome: Outcome<unknown> }
  | { readonly kind: 'push'; readonly push: string; readonly value: unknown }
  | { readonly kind: 'state'; readonly state: ClientState };

/** What resumes a session in another process or after a page was loaded anew. Keep it secret. */
export interface StoredSession extends Resumed {
  /** Lower command numbers of this session are used up. */
  readonly nextNumber: number;
}

export interface SessionOptions {
  readonly urls: readonly string[];
  readonly stored: StoredSession | undefined;
  readonly keepCredentials: boolean;
  readonly limits: BookLimits;
  /** From 0 to 1, for jitter. */
  random(): number;
}

interface Link {
  readonly number: number;
  readonly openingSinceMs: number;
  stage: 'opening' | 'open' | 'proven';
  provenAtMs: number;
}

export class ClientSession {
  readonly #options: SessionOptions;
  readonly #book: CallBook;
  readonly #dialer: Dialer;
  #effects: SessionEffect[] = [];
  #state: ClientState;
  #toldState: ClientState;
  #link: Link | undefined;
  #linkNumber = 0;
  #frame = 0;
  /** What proves the player on the link; once done it is gone. */
  #login: Login | undefined;
  #loggedIn: LoggedIn | undefined;
  #credentials: LogIn | undefined;
  #firstNumber: number;
  readonly #told: ToldPlaces;
  /** The session is over: the answers under way are awaited, then the link is given up. */
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#book = new CallBook(options.limits, () => ++this.#frame, options.random);
    this.#dialer = new Dialer(options.urls, options.random);
    this.#firstNumber = options.stored?.nextNumber ?? 1;
    this.#told = new ToldPlaces(options.stored?.atOne);
    if (options.stored !== undefined) this.#login = this.#resumption(options.stored.token);
    this.#state = this.#login === undefined ? 'logged-out' : 'connecting';
    this.#toldState = this.#state;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The link that is proven, for the motion lane; 0 when there is none. */
  get provenLink(): number {
    return this.#link?.stage === 'proven' && !this.#over ? this.#link.number : 0;
  }

  /** 0 while nobody is logged in. */
  get player(): number {
    return this.#loggedIn?.player ?? 0;
  }

  get stored(): StoredSession | undefined {
    const token = this.#loggedIn?.token;
    if (token === undefined) return undefined;
    return { ...this.#told.with(token), nextNumber: this.#book.nextNumber };
  }

  /** When `time` must be called, if nothing else happens before; infinity for never. */
  get wakeAtMs(): number {
    if (this.#state === 'closed') return Infinity;
    const link = this.#link;
    let wake = Math.min(
      this.#book.wakeAtMs(this.provenLink !== 0),
      this.#login?.deadlineMs ?? Infinity,
      givenUpAtMs(this.#link, this.#login, this.#book),
    );
    if (link === undefined && this.#wanted()) wake = Math.min(wake, this.#dialer.dialAtMs);
    if (link?.stage === 'open' && this.#login?.awaiting === false) {
      wake = Math.min(wake, this.#login.retryAtMs);
    }
    return wake;
  }

  /** Ends what went on before, becomes the player of `account`, settles `ticket` with a `LoggedIn`. */
  logIn(account: LogInCall, ticket: number, nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'closed') return this.#refuse(ticket, unavailable());
    const spoken = this.#link?.stage === 'proven' || this.#login?.awaiting === true;
    this.#forgetPlayer(unavailable());
    // A link can become one player only; whoever asked on it first might still be admitted.
    if (spoken) this.#dropLink(nowMs);
    this.#login = new Login(account, this.#options.limits, { ticket, nowMs });
    if (this.#options.keepCredentials) this.#credentials = account.args;
    this.#dialer.hurry(nowMs);
    return this.#advance(nowMs);
  }

  /** Makes a call, or has it wait; refused at once where it can never be sent. */
  call(request: Request, nowMs: number): readonly SessionEffect[] {
    const { ticket } = request;
    if (this.#state === 'closed') return this.#refuse(ticket, unavailable());
    if (!this.#wanted()) return this.#refuse(ticket, notLoggedIn());
    if (JSON.stringify(request.args).length > ARGS_LENGTH_MAX) {
      const detail = 'the arguments do not fit in a frame';
      return this.#refuse(ticket, rejected<CommonRefusal>('bad-arguments', detail));
    }
    this.#book.add(request, nowMs);
    return this.#advance(nowMs);
  }

  /** Where the player stands: regional calls go there from now on; `undefined` for nowhere. */
  stands(region: string | undefined): void {
    this.#book.standsIn = region;
  }

  opened(link: number, nowMs: number): readonly SessionEffect[] {
    if (this.#link?.number === link) this.#link.stage = 'open';
    return this.#advance(nowMs);
  }

  /** The link broke or could not be opened; `code` is WebSocket's. */
  closed(link: number, code: number, nowMs: number): readonly SessionEffect[] {
    if (this.#link?.number !== link) return this.#advance(nowMs);
    this.#linkLost(nowMs, code === closings['node-leaving'].code);
    if (code === closings.replaced.code) {
      this.#forgetPlayer(unavailable());
      this.#state = 'replaced';
    }
    return this.#advance(nowMs);
  }

  text(link: number, text: string, nowMs: number): readonly SessionEffect[] {
    if (this.#link?.number !== link) return this.#advance(nowMs);
    try {
      this.#received(text, nowMs);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      // Whoever speaks so is no gateway, or a broken one.
      this.#dropLink(nowMs);
    }
    return this.#advance(nowMs);
  }

  time(nowMs: number): readonly SessionEffect[] {
    return this.#advance(nowMs);
  }

  /** Settles everything: what was sent as `uncertain`, what was not as `unavailable`. */
  close(nowMs: number): readonly SessionEffect[] {
    this.#forgetPlayer(unavailable());
    this.#dropLink(nowMs);
    this.#state = 'closed';
    return this.#takeEffects();
  }

  #received(text: string, nowMs: number): void {
    const frame = parseServerFrame(text);
    this.#told.heard(frame);
    switch (frame.kind) {
      case 'push':
        this.#effects.push(frame);
        return;
      case 'error':
        // The link's end follows, and says why by its code.
        return;
      case 'outcome':
        if (this.#link?.stage === 'proven') {
          if (this.#book.answered(frame.id, frame.outcome, nowMs)) this.#over = true;
        } else {
          this.#loginAnswered(frame.id, frame.outcome, nowMs);
        }
    }
  }

  #loginAnswered(frame: number, outcome: Outcome<unknown>, nowMs: number): void {
    // Before the answer counts: one without a session is none, and leaves the log-in undecided.
    const loggedIn = outcome.kind === 'done' ? loggedInOf(outcome.value) : undefined;
    const login = this.#login;
    const { random } = this.#options;
    const decided = login?.answered(frame, outcome, { nowMs, random });
    if (login === undefined || decided === undefined) return;
    const isResumption = login.account.call === 'account.resume';
    if (loggedIn !== undefined) {
      this.#loggedIn = loggedIn;
      this.#book.home = loggedIn.region;
      this.#book.beginSession(loggedIn.session, isResumption ? this.#firstNumber : 1);
      this.#settleLogin(decided);
      this.#proven(nowMs);
    } else if (isResumption && this.#credentials !== undefined) {
      this.#loggedIn = undefined;
      this.#login = this.#newLogin(this.#credentials);
    } else {
      this.#settleLogin(decided);
      this.#forgetPlayer(notLoggedIn());
    }
  }

  #proven(nowMs: number): void {
    this.#over = false;
    if (this.#link === undefined) return;
    this.#link.stage = 'proven';
    this.#link.provenAtMs = nowMs;
  }

  /** Everything that is due by now. All inputs end here. */
  #advance(nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'closed') return this.#takeEffects();
    if (this.#login !== undefined && this.#login.deadlineMs <= nowMs) this.#loginTooLate(nowMs);
    this.#book.expire(nowMs);
    if (givenUpAtMs(this.#link, this.#login, this.#book) <= nowMs) this.#dropLink(nowMs);
    if (this.#over && !this.#book.awaiting) this.#endSession(nowMs);
    if (this.#link === undefined) this.#openWhenDue(nowMs);
    else this.#sendWhatIsDue(this.#link, nowMs);
    if (this.provenLink !== 0) this.#state = 'ready';
    else if (this.#wanted()) this.#state = 'connecting';
    else if (this.#state !== 'replaced') this.#state = 'logged-out';
    return this.#takeEffects();
  }

  #openWhenDue(nowMs: number): void {
    if (!this.#wanted() || this.#dialer.dialAtMs > nowMs) return;
    const number = ++this.#linkNumber;
    this.#link = { number, openingSinceMs: nowMs, stage: 'opening', provenAtMs: Infinity };
    this.#effects.push({ kind: 'open', link: number, url: this.#dialer.url });
  }

  #sendWhatIsDue(link: Link, nowMs: number): void {
    if (link.stage === 'open') {
      const login = this.#login;
      if (login === undefined || login.awaiting || login.retryAtMs > nowMs) return;
      const text = login.attempt(++this.#frame, nowMs);
      this.#effects.push({ kind: 'send', link: link.number, text });
    } else if (link.stage === 'proven' && !this.#over) {
      for (const text of this.#book.take(nowMs)) {
        this.#effects.push({ kind: 'send', link: link.number, text });
      }
    }
  }

  #dropLink(nowMs: number): void {
    if (this.#link === undefined) return;
    this.#effects.push({ kind: 'drop', link: this.#link.number });
    this.#linkLost(nowMs, true);
  }

  #linkLost(nowMs: number, elsewhere: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#book.linkLost();
    this.#login?.linkLost();
    if (this.#loggedIn !== undefined) this.#login ??= this.#resumption(this.#loggedIn.token);
    this.#dialer.ended({ heldMs: nowMs - link.provenAtMs, elsewhere }, nowMs);
  }

  /** The session's time is over: a new one with the credentials, or nothing. */
  #endSession(nowMs: number): void {
    this.#over = false;
    this.#loggedIn = undefined;
    this.#dropLink(nowMs);
    if (this.#credentials === undefined) this.#forgetPlayer(notLoggedIn());
    else this.#login = this.#newLogin(this.#credentials);
  }

  #loginTooLate(nowMs: number): void {
    const login = this.#login;
    if (login === undefined) return;
    if (login.awaiting) this.#dropLink(nowMs);
    this.#settleLogin(login.givenUp());
    this.#forgetPlayer(notLoggedIn());
  }

  /** Logged out: nothing is left to prove a player with, and no call can be sent any more. */
  #forgetPlayer(unsent: Outcome<unknown>): void {
    if (this.#login !== undefined) this.#settleLogin(this.#login.givenUp());
    this.#book.abandon(unsent);
    this.#loggedIn = undefined;
    this.#credentials = undefined;
    this.#over = false;
    this.#firstNumber = 1;
    this.#told.forget();
  }

  #settleLogin(outcome: Outcome<unknown>): void {
    const ticket = this.#login?.ticket;
    this.#login = undefined;
    if (ticket !== undefined) this.#effects.push({ kind: 'settle', ticket, outcome });
  }

  #refuse(ticket: number, outcome: Outcome<unknown>): readonly SessionEffect[] {
    this.#effects.push({ kind: 'settle', ticket, outcome });
    return this.#takeEffects();
  }

  #wanted(): boolean {
    return this.#login !== undefined || this.#loggedIn !== undefined;
  }

  #newLogin(credentials: LogIn): Login {
    return new Login({ call: 'account.logIn', args: credentials }, this.#options.limits);
  }

  #resumption(token: string): Login {
    return new Login({ call: 'account.resume', args: this.#told.with(token) }, this.#options.limits);
  }

  /** A new state is told before the settlements that came with it. */
  #takeEffects(): readonly SessionEffect[] {
    for (const { ticket, outcome } of this.#book.takeSettled()) {
      this.#effects.push({ kind: 'settle', ticket, outcome });
    }
    const effects = this.#effects;
    this.#effects = [];
    if (this.#state === this.#toldState) return effects;
    this.#toldState = this.#state;
    return [{ kind: 'state', state: this.#state }, ...effects];
  }
}

/** When a link that keeps silent about what it was asked is given up. */
function givenUpAtMs(link: Link | undefined, login: Login | undefined, book: CallBook): number {
  switch (link?.stage) {
    case undefined:
      return Infinity;
    case 'opening':
      return link.openingSinceMs + OPENING_MS_MAX;
    case 'open':
      return (login?.awaitingSinceMs ?? Infinity) + LOGIN_ANSWER_MS_MAX;
    case 'proven':
      return book.awaitingSinceMs + ANSWER_MS_MAX;
  }
}

function unavailable(): Outcome<unknown> {
  return { kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS };
}

function notLoggedIn(): Outcome<unknown> {
  return rejected<CommonRefusal>('not-logged-in');
}

function loggedInOf(value: unknown): LoggedIn {
  const given: Partial<LoggedIn> = typeof value === 'object' && value !== null ? value : {};
  const { player, session, expiresAtMs, token, region } = given;
  if (
    typeof player !== 'number' ||
    typeof session !== 'number' ||
    typeof expiresAtMs !== 'number' ||
    typeof token !== 'string' ||
    typeof region !== 'string'
  ) {
    throw new InvalidInputError('a log-in without its session');
  }
  return { player, session, expiresAtMs, token, region };
}
