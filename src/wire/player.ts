// What players and gateways say to each other in text frames, and how a gateway closes a link.
//
// The gateway parses what players send and formats its answers; the client does the inverse. All text
// is JSON; the motion lane is binary and lives in `motion.ts`. `docs/protocol.md` tells it to people
// who write a client in another language. Every frame from outside is bounded and checked here.
import type { StockCalls } from './calls.ts';
import type { Outcome } from '../base/errors.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { PlaceAtOne } from '../base/told-at-one.ts';
import { type AckLevel, ackLevels, BOUND_MS_MAX } from './levels.ts';
import { integer, object, type Schema, text } from './schema.ts';

/** A longer text frame is malformed. Counted in UTF-16 units here; a gateway also bounds the bytes. */
export const PLAYER_FRAME_BYTES_MAX: number = 16 * 1024;
/** Calls of one link that have no answer yet: one more closes the link as `too-many-calls`. */
export const OUTSTANDING_CALLS_MAX = 64;
/** A link that has not logged in or resumed by then is closed as `not-logged-in-in-time`. */
export const LOGIN_DEADLINE_MS = 10_000;
/** Pushed with an `Entered` when another region has the player: he walked there, or it had to begin anew. */
export const CROSSED_PUSH = 'position.entered';
/** Pushed with a `RegionLost` to those whom a promotion cost something that they were told was done. */
export const REGION_LOST_PUSH = 'region-lost';
/** A longer name of a call is malformed. */
export const CALL_NAME_MAX = 64;
const COMMAND_ID_MAX = 64;
const ERROR_TEXT_MAX = 512;
const REASON_MAX = 64;
const DETAIL_MAX = 2_048;
const RETRY_AFTER_MS_MAX = 60_000;

/**
 * Commands of this session that were answered at `one` in `epoch` are lost from `from` to `to`, both
 * included: places in the region's log, as `order` in outcomes tells them.
 */
export interface RegionLost {
  readonly region: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

const place = integer(0, Number.MAX_SAFE_INTEGER);
export const regionLost: Schema<RegionLost> = object({
  region: text(1, 32),
  epoch: place,
  from: place,
  to: place,
});

export type CallName = keyof StockCalls;

/**
 * - `account`: opens or resumes a session; only `account.register` carries a command id (its nonce).
 * - `command`: changes replicated state; carries `<session>.<number>` and is applied at most once.
 * - `query`: reads; repeated at will.
 * - `position`: of the link and its region, gone with them; carries no command id.
 */
export type CallClass = 'account' | 'command' | 'query' | 'position';

export const callClass: Readonly<Record<CallName, CallClass>> = {
  'account.register': 'account',
  'account.logIn': 'account',
  'account.resume': 'account',
  'names.claim': 'command',
  'names.release': 'command',
  'names.owner': 'query',
  'names.of': 'query',
  'holdings.open': 'command',
  'holdings.mine': 'query',
  'trade.give': 'command',
  'trade.offer': 'command',
  'trade.accept': 'command',
  'trade.withdraw': 'command',
  'trade.offers': 'query',
  'chat.say': 'command',
  'chat.history': 'query',
  'crafting.gather': 'command',
  'crafting.start': 'command',
  'crafting.collect': 'command',
  'crafting.mine': 'query',
  'position.enter': 'position',
  'position.leave': 'position',
};

const regionalCalls: ReadonlySet<string> = new Set<CallName>([
  'chat.say',
  'chat.history',
  'crafting.gather',
  'crafting.start',
  'crafting.collect',
  'crafting.mine',
]);

/** Whether a call is answered by a region: only then may its frame name one, a level or a bound. */
export function isRegional(call: string): boolean {
  return regionalCalls.has(call);
}

/**
 * Reasons for which a gateway may reject any call, besides those of the call's own `Shape`; the
 * groups' are in `command.ts`.
 */
export type CommonRefusal =
  | 'unknown-call'
  | 'bad-arguments'
  | 'not-logged-in'
  | 'already-logged-in'
  | 'command-id-missing'
  | 'foreign-command-id';

export type CloseName =
  | 'malformed-frame'
  | 'not-logged-in-in-time'
  | 'replaced'
  | 'too-many-calls'
  | 'too-slow'
  | 'node-leaving'
  | 'binary-before-entering'
  | 'too-many-log-ins';

export interface Closing {
  readonly code: number;
  /** For the player's developer; at most 123 bytes, as WebSocket demands. */
  readonly reason: string;
}

/** Why a gateway closes a link. After all but `replaced` a client may come back at once. */
export const closings: Readonly<Record<CloseName, Closing>> = {
  'malformed-frame': { code: 4001, reason: 'malformed-frame: a frame was not as documented' },
  'not-logged-in-in-time': {
    code: 4002,
    reason: 'not-logged-in-in-time: register, log in or resume within 10 s',
  },
  replaced: { code: 4003, reason: 'replaced: this player logged in on another link' },
  'too-many-calls': { code: 4004, reason: 'too-many-calls: at most 64 may be unanswered' },
  'too-slow': { code: 4005, reason: 'too-slow: what was sent to you is not being read' },
  'node-leaving': { code: 4006, reason: 'node-leaving: this node stops; resume at another one' },
  'binary-before-entering': {
    code: 4007,
    reason: 'binary-before-entering: call position.enter before the motion lane',
  },
  'too-many-log-ins': {
    code: 4008,
    reason: 'too-many-log-ins: five log-ins on this link were refused',
  },
};

/** What a player asks. `args` are unchecked: the call's own schema does that. */
export interface PlayerFrame {
  /** The player's own number for this call on this link, echoed in the answer. */
  readonly id: number;
  readonly call: string;
  readonly args: unknown;
  readonly commandId: string | undefined;
  /** Every command of the session with a lower number has had its answer; 0 when not told. */
  readonly answeredBelow: number;
  /** Of a regional call: the region that it goes to, by name. */
  readonly region?: string | undefined;
  /** Of a regional command: how safe it must be before it is answered. */
  readonly ack?: AckLevel | undefined;
  /** Of a regional query: how old the answer may be, or what it must have seen. */
  readonly bound?: StatedBound | undefined;
}

/**
 * At most so old; or at least as new as a place in the region's log, as outcomes of that region bear it,
 * whoever had that outcome.
 */
export type StatedBound =
  | { readonly msOld: number }
  | { readonly epoch: number; readonly order: number };

export type ServerFrame =
  | {
      readonly kind: 'outcome';
      readonly id: number;
      readonly outcome: Outcome<unknown>;
      /** Where a region decided it, when a single disk had it: to be handed in when resuming. */
      readonly atOne?: PlaceAtOne;
    }
  | { readonly kind: 'push'; readonly push: string; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: string };

/** Throws `InvalidInputError` with a sentence for the sender; the gateway then closes the link. */
export function parsePlayerFrame(text: string): PlayerFrame {
  if (text.length > PLAYER_FRAME_BYTES_MAX) {
    throw new InvalidInputError(`a frame may have at most ${PLAYER_FRAME_BYTES_MAX} bytes`);
  }
  const { id, call, args, commandId, answeredBelow, region, ack, bound } = fieldsOf(text);
  if (!isCount(id) || id === 0) {
    throw new InvalidInputError('id must be an integer from 1 to 2^53-1');
  }
  if (typeof call !== 'string' || call.length === 0 || call.length > CALL_NAME_MAX) {
    throw new InvalidInputError(`call must be text of 1 to ${CALL_NAME_MAX} characters`);
  }
  if (commandId !== undefined && !isShortText(commandId)) {
    throw new InvalidInputError(`commandId must be text of 1 to ${COMMAND_ID_MAX} characters`);
  }
  if (answeredBelow !== undefined && !isCount(answeredBelow)) {
    throw new InvalidInputError('answeredBelow must be an integer from 0 to 2^53-1');
  }
  if (region !== undefined && !isShortText(region)) {
    throw new InvalidInputError(`region must be text of 1 to ${COMMAND_ID_MAX} characters`);
  }
  return {
    id,
    call,
    args: args ?? null,
    commandId,
    answeredBelow: answeredBelow ?? 0,
    ...(region === undefined ? {} : { region }),
    ...(ack === undefined ? {} : { ack: ackOf(ack) }),
    ...(bound === undefined ? {} : { bound: boundOf(bound) }),
  };
}

function ackOf(given: unknown): AckLevel {
  const level = ackLevels.find((each) => each === given);
  if (level === undefined) throw new InvalidInputError(`ack must be one of ${ackLevels.join(', ')}`);
  return level;
}

function boundOf(given: unknown): StatedBound {
  const { msOld, epoch, order } = isFields(given) ? given : {};
  const isPlace = epoch !== undefined || order !== undefined;
  if (isCount(msOld) && msOld <= BOUND_MS_MAX && !isPlace) return { msOld };
  if (isCount(epoch) && isCount(order) && msOld === undefined) return { epoch, order };
  throw new InvalidInputError(
    `bound must be {"msOld": 0 to ${BOUND_MS_MAX}} or {"epoch": ..., "order": ...} of an outcome`,
  );
}

/** The inverse of `parsePlayerFrame`, for clients. */
export function formatPlayerFrame(frame: PlayerFrame): string {
  const { answeredBelow, ...said } = frame;
  return JSON.stringify({ ...said, answeredBelow: answeredBelow === 0 ? undefined : answeredBelow });
}

/** A command's place: the log-in it belongs to and its number within it, from 1. */
export interface CommandId {
  readonly session: number;
  readonly number: number;
}

export function formatCommandId(id: CommandId): string {
  return `${id.session}.${id.number}`;
}

/** `undefined` for any text that `formatCommandId` would not write. */
export function parseCommandId(text: string): CommandId | undefined {
  const [session, number, ...rest] = text.split('.').map(Number);
  if (session === undefined || number === undefined || rest.length > 0) return undefined;
  const id = { session, number };
  const sound = isCount(session) && isCount(number) && session > 0 && number > 0;
  return sound && formatCommandId(id) === text ? id : undefined;
}

/** `atOne`: the outcome's place, when it was answered with a single disk having it. */
export function formatOutcome(id: number, outcome: Outcome<unknown>, atOne?: PlaceAtOne): string {
  if (atOne === undefined) return JSON.stringify({ id, outcome });
  const { region, epoch } = atOne;
  return JSON.stringify({ id, outcome, atOne: { region, epoch } });
}

/** `valueJson` is JSON already: a push is turned into text once, however many players hear it. */
export function formatPush(push: string, valueJson: string): string {
  return `{"push":${JSON.stringify(push)},"value":${valueJson}}`;
}

/** The last frame before a link is closed as `malformed-frame`. */
export function formatError(error: string): string {
  return JSON.stringify({ error: error.slice(0, ERROR_TEXT_MAX) });
}

/** Throws `InvalidInputError` for what no gateway sends; values are taken as they are. */
export function parseServerFrame(text: string): ServerFrame {
  const { id, outcome, atOne, push, value, error } = fieldsOf(text);
  if (typeof push === 'string') return { kind: 'push', push, value };
  if (typeof error === 'string') return { kind: 'error', error };
  if (!isCount(id)) throw new InvalidInputError('an answer without an id');
  const decided = outcomeOf(outcome);
  if (atOne === undefined) return { kind: 'outcome', id, outcome: decided };
  return { kind: 'outcome', id, outcome: decided, atOne: placeOf(atOne, decided) };
}

function placeOf(given: unknown, outcome: Outcome<unknown>): PlaceAtOne {
  const { region, epoch } = isFields(given) ? given : {};
  const order = 'order' in outcome ? outcome.order : undefined;
  if (!isShortText(region) || !isCount(epoch) || order === undefined) {
    throw new InvalidInputError('an answer at a place that is none');
  }
  return { region, epoch, order };
}

function outcomeOf(given: unknown): Outcome<unknown> {
  if (!isFields(given)) throw new InvalidInputError('an answer without an outcome');
  const { kind, value, reason, detail, retryAfterMs } = given;
  const order = isCount(given['order']) ? { order: given['order'] } : {};
  const place = isCount(given['epoch']) ? { ...order, epoch: given['epoch'] } : order;
  switch (kind) {
    case 'done':
      return { kind, value, ...place };
    case 'rejected': {
      if (typeof reason !== 'string') throw new InvalidInputError('a refusal without a reason');
      const said = typeof detail === 'string' ? { detail: detail.slice(0, DETAIL_MAX) } : {};
      return { kind, reason: reason.slice(0, REASON_MAX), ...said, ...place };
    }
    case 'unavailable': {
      const wait = isCount(retryAfterMs) ? retryAfterMs : 0;
      return { kind, retryAfterMs: Math.min(wait, RETRY_AFTER_MS_MAX) };
    }
    case 'uncertain':
      return { kind };
    default:
      throw new InvalidInputError('an outcome of an unknown kind');
  }
}

interface Fields {
  readonly [name: string]: unknown;
}

function fieldsOf(text: string): Fields {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError('a text frame must be JSON', { cause });
  }
  if (!isFields(given)) throw new InvalidInputError('a text frame must be a JSON object');
  return given;
}

function isFields(given: unknown): given is Fields {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function isCount(given: unknown): given is number {
  return typeof given === 'number' && Number.isSafeInteger(given) && given >= 0;
}

function isShortText(given: unknown): given is string {
  return typeof given === 'string' && given.length > 0 && given.length <= COMMAND_ID_MAX;
}
