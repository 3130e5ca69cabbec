// The client of a BlueMarble world, for browsers and Node: `connect` and the types around it.
//
// It keeps one player's session alive over links that break: it finds another gateway, resumes, and
// repeats what was unanswered under the same command ids. No dependency, nothing of Node's.
import { Client } from './client.ts';
import type { SocketConstructor } from './connection.ts';
import { knownCalls } from './known-calls.ts';
import type { StoredSession } from './session.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { OwnCalls } from '../wire/own-calls.ts';
import { OUTSTANDING_CALLS_MAX } from '../wire/player.ts';

export type { CallOptions } from './calls.ts';
export type { ArgsOf, Client, PlayCall, Stop, ValueOf } from './client.ts';
export type { Motion, Socket, SocketConstructor } from './connection.ts';
export type { Seen } from './motion.ts';
export type { ClientState, StoredSession } from './session.ts';
export type { OwnCall, OwnCalls } from '../wire/own-calls.ts';
export type { RegionLost, StatedBound } from '../wire/player.ts';
export type { Outcome } from '../base/errors.ts';
export type { Entered, LoggedIn, LogIn, Place, StockCalls } from '../wire/calls.ts';

export interface ConnectOptions {
  /** The gateways' `ws:` or `wss:` addresses, ending in `/v1/ws`; tried in turn from the first. */
  readonly urls: readonly string[];
  /** What `client.session` gave: logs in without a password, if it has not expired. */
  readonly session?: StoredSession;
  /** Those of a studio's own features, for `client.ask`: `playerCalls` of `bluemarble/feature` makes them. */
  readonly calls?: OwnCalls;
  /** The global one by default. */
  readonly WebSocket?: SocketConstructor;
  /** Keeps name and password in memory, to log in again when the session expires. True by default. */
  readonly keepCredentials?: boolean;
  /** How long a call may stay undecided; 15,000 by default. */
  readonly deadlineMs?: number;
  /** How long a call that is answered `unavailable` is asked again; 5,000 by default. */
  readonly unavailableMs?: number;
  /** Calls under way at a time; 64, which is also the most, by default. */
  readonly outstandingMax?: number;
  /** Calls that wait for one of those; beyond, a call is `unavailable` at once. 1,024 by default. */
  readonly waitingMax?: number;
}

const DEADLINE_MS = 15_000;
const UNAVAILABLE_MS = 5_000;
const WAITING_MAX = 1_024;

/**
 * Links up as soon as there is somebody to log in: at once with a stored session, else with the first
 * `register` or `logIn`. Throws `InvalidInputError` for addresses and calls that are none.
 */
export function connect(options: ConnectOptions): Client {
  if (options.urls.length === 0) throw new InvalidInputError('urls must name a gateway');
  for (const url of options.urls) checkUrl(url);
  return new Client(
    {
      urls: options.urls,
      stored: options.session === undefined ? undefined : withFreshNumbers(options.session),
      keepCredentials: options.keepCredentials ?? true,
      limits: {
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
        unavailableMs: options.unavailableMs ?? UNAVAILABLE_MS,
        outstandingMax: Math.min(
          options.outstandingMax ?? OUTSTANDING_CALLS_MAX,
          OUTSTANDING_CALLS_MAX,
        ),
        waitingMax: options.waitingMax ?? WAITING_MAX,
      },
      random: Math.random,
    },
    knownCalls(options.calls ?? {}),
    options.WebSocket ?? WebSocket,
  );
}

/**
 * A session that was stored and then used on would get the answers of old commands for new ones.
 * Microseconds since 1970 outrun any count of commands, so they are numbers that nobody has used.
 */
function withFreshNumbers({ nextNumber, ...session }: StoredSession): StoredSession {
  return { ...session, nextNumber: Math.max(nextNumber, Date.now() * 1_000) };
}

function checkUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'ws:' && protocol !== 'wss:') {
    throw new InvalidInputError(`${url} is no address of a gateway: it must begin with ws:// or wss://`);
  }
}
