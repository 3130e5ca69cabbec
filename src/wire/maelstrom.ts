// What a Maelstrom harness says: envelopes as JSON lines, requests in them, and the errors it knows.
//
// `adapters/maelstrom` reads and writes the lines, `services/maelstrom` answers the requests. What comes
// in is anybody's: all of it is checked, and what does not fit ends in `InvalidInputError`.
// Source: Maelstrom, doc/protocol.md; the words are its own.
import { InvalidInputError } from '../base/errors.ts';

/** Deeper requests are refused: whoever walks over one may then recurse. */
const DEPTH_MAX = 64;

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Envelope {
  readonly src: string;
  readonly dest: string;
  readonly body: unknown;
}

export interface MaelstromBody {
  readonly type: string;
  /** The sender's own number; what has none can not be answered. */
  readonly id: number | undefined;
  /** Whether it answers something itself. */
  readonly isReply: boolean;
  readonly fields: Fields;
}

/**
 * The errors that are used here, with their codes. `timeout` and `crash` are indefinite: the request
 * may have happened, or may yet happen. All others say that it did not, and never will.
 */
const ERROR_CODES = {
  timeout: 0,
  'not-supported': 10,
  'temporarily-unavailable': 11,
  'malformed-request': 12,
  crash: 13,
  'key-does-not-exist': 20,
  'precondition-failed': 22,
} as const;
export type MaelstromError = keyof typeof ERROR_CODES;

/** The body of an error; `text` is for people. */
export function errorBody(error: MaelstromError, text: string): Fields {
  return { type: 'error', code: ERROR_CODES[error], text };
}

/** Throws `InvalidInputError` for what has no sender and receiver: nobody could be answered. */
export function readEnvelope(line: string): Envelope {
  let envelope: unknown;
  try {
    envelope = JSON.parse(line);
  } catch (cause) {
    throw new InvalidInputError('the line is no JSON', { cause });
  }
  if (!isFields(envelope)) throw new InvalidInputError('the line is no JSON object');
  const { src, dest, body } = envelope;
  if (typeof src !== 'string' || typeof dest !== 'string') {
    throw new InvalidInputError('the message lacks "src" or "dest"');
  }
  return { src, dest, body };
}

/** Throws `InvalidInputError` for a body that no node can understand. */
export function readBody(body: unknown): MaelstromBody {
  if (!isFields(body)) throw new InvalidInputError('"body" must be an object');
  if (isDeeperThan(body, DEPTH_MAX)) {
    throw new InvalidInputError(`"body" must not be nested deeper than ${DEPTH_MAX}`);
  }
  const { type, msg_id: id, in_reply_to: replyTo } = body;
  if (typeof type !== 'string') throw new InvalidInputError('"type" must be a text');
  if (id !== undefined && !isWhole(id)) throw new InvalidInputError('"msg_id" must be a whole number');
  return { type, id, isReply: replyTo !== undefined || type === 'error', fields: body };
}

/** The number of a body that may be otherwise unreadable, so that even then somebody is answered. */
export function idOf(body: unknown): number | undefined {
  const id = isFields(body) ? body['msg_id'] : undefined;
  return isWhole(id) ? id : undefined;
}

/** A field that must be there, whatever is in it. Throws `InvalidInputError`. */
export function fieldOf(request: Fields, name: string): unknown {
  if (Object.hasOwn(request, name)) return request[name];
  throw new InvalidInputError(`"${name}" is missing`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
