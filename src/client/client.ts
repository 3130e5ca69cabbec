// What a game holds in its hand: one player's client, with calls that are typed from the world's.
//
// `index.ts` is the face. Each call settles exactly once, whatever happens to links and nodes; what
// the four outcomes allow is said in `base/errors` and in docs/protocol.md.
import {
  Connection,
  type Listeners,
  type Motion,
  type SocketConstructor,
} from './connection.ts';
import type { CallOptions } from './calls.ts';
import type { KnownCalls } from './known-calls.ts';
import type { LogInCall } from './login.ts';
import type { Seen } from './motion.ts';
import type { ClientState, SessionOptions, StoredSession } from './session.ts';
import { InvalidInputError, type Outcome, rejected } from '../base/errors.ts';
import type { Entered, LoggedIn, LogIn, Place, StockCalls } from '../wire/calls.ts';
import {
  type CallName,
  type CommonRefusal,
  REGION_LOST_PUSH,
  type RegionLost,
  regionLost,
} from '../wire/player.ts';
import type { Infer } from '../wire/schema.ts';

const LAT_MAX = 900_000_000;
const LON_MAX = 1_800_000_000;

/** Accounts and positions have methods of their own. */
export type PlayCall = Exclude<CallName, `account.${string}` | `position.${string}`>;
export type ArgsOf<Name extends CallName> = Infer<StockCalls[Name]['args']>;
export type ValueOf<Name extends CallName> = Infer<StockCalls[Name]['value']>;

/** Takes a listener off again. */
export type Stop = () => void;

export class Client {
  readonly #connection: Connection;
  readonly #calls: KnownCalls;
  readonly #pushListeners = new Map<string, Set<(value: unknown) => void>>();
  readonly #stateListeners = new Set<(state: ClientState) => void>();
  readonly #motionListeners = new Set<(motion: Motion) => void>();

  constructor(options: SessionOptions, calls: KnownCalls, Socket: SocketConstructor) {
    const listeners: Listeners = {
      push: (push, value) => tell(this.#pushListeners.get(push), value),
      state: (state) => tell(this.#stateListeners, state),
      motion: (motion) => tell(this.#motionListeners, motion),
    };
    this.#connection = new Connection(options, Socket, listeners);
    this.#calls = calls;
  }

  get state(): ClientState {
    return this.#connection.session.state;
  }

  /** Who is logged in; 0 for nobody. */
  get player(): number {
    return this.#connection.session.player;
  }

  /** To resume by `connect` later, as of now; `undefined` while nobody is logged in. Keep it secret. */
  get session(): StoredSession | undefined {
    return this.#connection.session.stored;
  }

  /** The other players in sight, where they are by now as far as can be predicted. */
  get others(): ReadonlyMap<number, Seen> {
    return this.#connection.others;
  }

  /** Makes an account and logs in. Whoever was logged in here before is logged out first. */
  register(who: LogIn): Promise<Outcome<LoggedIn>> {
    return this.#logIn({ call: 'account.register', args: { ...who }, nonce: makeNonce() });
  }

  /** Whoever was logged in here before is logged out first, and what he had open is settled. */
  logIn(who: LogIn): Promise<Outcome<LoggedIn>> {
    return this.#logIn({ call: 'account.logIn', args: { ...who } });
  }

  /**
   * Calls made one after the other are sent in that order, but several that are under way together
   * may be decided in any: await one where the next depends on it. `options` are for regional calls.
   */
  call<Name extends PlayCall>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<Outcome<ValueOf<Name>>> {
    return this.#call<ValueOf<Name>>(name, args ?? null, options);
  }

  /**
   * As `call`, for one that has no type here: of the `calls` that `connect` was given, or the stock world's.
   * `args` and the value are JSON, held to the call's schemas by the world. Any other name is rejected as
   * `unknown-call`, and nothing is sent.
   */
  ask(name: string, args: unknown = null, options: CallOptions = {}): Promise<Outcome<unknown>> {
    return this.#call<unknown>(name, args, options);
  }

  /**
   * Appears there, in whatever region that is; from then on walking over edges and entering again after a
   * break go by themselves.
   */
  enter({ lat, lon }: Place): Promise<Outcome<Entered>> {
    return this.#ask<Entered>((settle) => this.#connection.enter({ lat, lon }, settle));
  }

  leave(): Promise<Outcome<null>> {
    return this.#ask<null>((settle) => this.#connection.leave(settle));
  }

  /**
   * Goes there with the next tick; a newer place replaces one that was not sent. Ignored unless the
   * player has entered. A region that does not take it says so by a `correction`. Throws
   * `InvalidInputError` for what is no place: a gateway would close the link for it.
   */
  moveTo({ lat, lon }: Place): void {
    if (!isWithin(lat, LAT_MAX) || !isWithin(lon, LON_MAX)) {
      throw new InvalidInputError('lat and lon must be integers, in units of 1e-7 degree');
    }
    this.#connection.moveTo({ lat, lon });
  }

  /** Listens to one kind of push. A push is told at most once, and never to who was away. */
  on(push: string, listener: (value: unknown) => void): Stop {
    const listeners = this.#pushListeners.get(push) ?? new Set();
    this.#pushListeners.set(push, listeners);
    return listen(listeners, listener);
  }

  /** What a promotion cost this session of what it was told was done at `one`. */
  onRegionLost(listener: (lost: RegionLost) => void): Stop {
    return this.on(REGION_LOST_PUSH, (value) => listener(regionLost.parse(value, REGION_LOST_PUSH)));
  }

  onState(listener: (state: ClientState) => void): Stop {
    return listen(this.#stateListeners, listener);
  }

  onMotion(listener: (motion: Motion) => void): Stop {
    return listen(this.#motionListeners, listener);
  }

  /** For ever. Open calls settle: those that were sent as `uncertain`, others as `unavailable`. */
  close(): void {
    this.#connection.close();
  }

  #logIn(account: LogInCall): Promise<Outcome<LoggedIn>> {
    return this.#ask<LoggedIn>((settle) =>
      this.#connection.ask(
        (ticket, nowMs) => this.#connection.session.logIn(account, ticket, nowMs),
        settle,
      ),
    );
  }

  #call<Value>(call: string, args: unknown, options: CallOptions): Promise<Outcome<Value>> {
    const known = this.#calls.get(call);
    if (known === undefined) {
      return Promise.resolve(rejected<CommonRefusal>('unknown-call', `connect was given no call "${call}"`));
    }
    const request = { call, ...known, args, options };
    return this.#ask<Value>((settle) =>
      this.#connection.ask(
        (ticket, nowMs) => this.#connection.session.call({ ticket, ...request }, nowMs),
        settle,
      ),
    );
  }

  /** The one place where an answer gets the type that its call's description promises. */
  #ask<Value>(
    start: (settle: (outcome: Outcome<unknown>) => void) => void,
  ): Promise<Outcome<Value>> {
    return new Promise((resolve) => start((outcome) => resolve(outcome as Outcome<Value>)));
  }
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): Stop {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function tell<Value>(
  listeners: ReadonlySet<(value: Value) => void> | undefined,
  value: Value,
): void {
  for (const listener of listeners ?? []) listener(value);
}

function isWithin(coordinate: number, max: number): boolean {
  return Number.isInteger(coordinate) && Math.abs(coordinate) <= max;
}

/** 128 random bits: a registration that is repeated bears the same ones. */
function makeNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
