// Registering, logging in and resuming: the calls that turn a link into a player's link.
//
// Player sessions call it. Passwords are hashed here at the gateway and never travel further; the
// group that holds accounts sees hashes and opens sessions; the token then proves a session to every
// gateway. The only service that knows calls of a feature: those that no player may make himself.
import { BusyError, type Outcome, rejected } from '../../base/errors.ts';
import { invariant } from '../../base/errors.ts';
import type { Clock, Secrets } from '../../runtime/ports.ts';
import {
  type LoggedIn,
  type LogIn,
  type OpenedSession,
  openSession,
  readCredential,
  registerAccount,
} from '../../wire/calls.ts';
import type { Shape } from '../../wire/call-shape.ts';
import { encodeCommand, encodeQuery } from '../../wire/command.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { GroupCall, GroupCalls } from '../calls/group-calls.ts';
import { issueToken, readToken } from './token.ts';

const REGISTER = 'accounts.register';
const CREDENTIAL = 'accounts.readCredential';
const OPEN_SESSION = 'accounts.openSession';
/** Two log-ins' worth of hashing. */
const BUSY_RETRY_MS = 200;

export class Accounts {
  readonly #calls: GroupCalls;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #region: string;
  #decoy: Promise<Uint8Array> | undefined;

  /** `region`: the gateway's own. */
  constructor(o: { calls: GroupCalls; secrets: Secrets; clock: Clock; region: string }) {
    this.#calls = o.calls;
    this.#secrets = o.secrets;
    this.#clock = o.clock;
    this.#region = o.region;
  }

  /** `nonce` makes a repeat the same registration: after `uncertain` ask again with the same one. */
  register(nonce: string, who: LogIn): Promise<Outcome<LoggedIn>> {
    return this.#unlessBusy(async () => {
      const credential = await this.#secrets.hashPassword(who.password);
      const args = { name: who.name, credential, nonce };
      return this.#withToken(await this.#ask(REGISTER, registerAccount, args));
    });
  }

  /** `wrong-credentials` tells neither by its words nor by its time whether the name exists. */
  logIn(who: LogIn): Promise<Outcome<LoggedIn>> {
    return this.#unlessBusy(async () => {
      const known = await this.#ask(CREDENTIAL, readCredential, { name: who.name });
      if (known.kind === 'rejected') {
        await this.#secrets.verifyPassword(who.password, await this.#decoyHash());
        return rejected('wrong-credentials');
      }
      if (known.kind !== 'done') return known;
      const { player, credential } = known.value;
      const isRight = await this.#secrets.verifyPassword(who.password, credential);
      if (!isRight) return rejected('wrong-credentials');
      return this.#withToken(await this.#ask(OPEN_SESSION, openSession, { player }));
    });
  }

  /**
   * Trusts the token's signature. The wall clock only spares an expired session the way to the groups,
   * which judge by the log's time.
   */
  resume(token: string): Outcome<LoggedIn> {
    const session = readToken(this.#secrets, token);
    if (session === undefined) return rejected('token-invalid');
    if (session.expiresAtMs <= this.#clock.wallMs()) return rejected('token-expired');
    return { kind: 'done', value: { ...session, token, region: this.#region } };
  }

  #withToken(opened: Outcome<OpenedSession>): Outcome<LoggedIn> {
    if (opened.kind !== 'done') return opened;
    const token = issueToken(this.#secrets, opened.value);
    return { ...opened, value: { ...opened.value, token, region: this.#region } };
  }

  async #unlessBusy(attempt: () => Promise<Outcome<LoggedIn>>): Promise<Outcome<LoggedIn>> {
    try {
      return await attempt();
    } catch (cause) {
      if (!(cause instanceof BusyError)) throw cause;
      return { kind: 'unavailable', retryAfterMs: BUSY_RETRY_MS };
    }
  }

  /** A hash that no password fits, made once: checking against it takes as long as the real thing. */
  #decoyHash(): Promise<Uint8Array> {
    this.#decoy ??= this.#secrets.hashPassword('nobody').catch((cause: unknown) => {
      this.#decoy = undefined;
      throw cause;
    });
    return this.#decoy;
  }

  #ask<Args, Value>(name: string, shape: Shape<Args, Value>, args: Args): Promise<Outcome<Value>> {
    const call = this.#calls.find(name);
    invariant(call !== undefined, `the world has the call ${name}`);
    const body = serviceBody(call, encodeWith(shape.args, args));
    return new Promise((settle) => this.#calls.ask({ call, value: shape.value, body, settle }));
  }
}

/** Our own services have no session: their commands carry what makes a repeat harmless themselves. */
function serviceBody(call: GroupCall, args: Uint8Array): Uint8Array {
  if (call.mode === 'query') return encodeQuery({ player: 0, call: call.name, args });
  return encodeCommand({
    session: 0,
    sessionExpiresAtMs: 0,
    number: 0,
    answeredBelow: 0,
    player: 0,
    call: call.name,
    args,
  });
}
