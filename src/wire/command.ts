// Commands and queries as they travel to a group, commands as they stand in its log, and the replies.
//
// Gateways encode them, `world/group-machine` decodes them and hands the head to `protocols/sessions`.
// A command names its session and its number within it: that pair is applied at most once, ever.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Outcome } from '../base/errors.ts';
import { InvalidInputError } from '../base/errors.ts';

export const COMMAND_BYTES_MAX: number = 64 * 1024;
const COMMAND_VERSION = 1;
const CALL_NAME_MAX = 64;
const REASON_MAX = 64;
const DETAIL_MAX = 512;
const REJECTED = 0;
const DONE = 1;

export interface CommandEnvelope {
  /** The log-in it belongs to; 0 for our own services, whose commands need no session. */
  readonly session: number;
  /** When the session ends by the log's time: later, nothing of it is applied or repeated. */
  readonly sessionExpiresAtMs: number;
  /** Of this command within its session, from 1. Meaningless (0) without a session. */
  readonly number: number;
  /** Every command with a lower number has had its answer: the group may forget those. */
  readonly answeredBelow: number;
  readonly player: number;
  /** `feature.call`. */
  readonly call: string;
  readonly args: Uint8Array;
}

/** What a command says about its session: enough to know whether it was applied before. */
export type CommandHead = Pick<
  CommandEnvelope,
  'session' | 'sessionExpiresAtMs' | 'number' | 'answeredBelow'
>;

/** Refusals that a session gives of its own accord: the command was not applied then. */
const sessionRefusals = [
  'session-expired',
  'session-mismatch',
  'already-answered',
  'too-many-outstanding',
  'too-many-sessions',
] as const;

const SESSION_REFUSALS: ReadonlySet<string> = new Set(sessionRefusals);

/** Whether the session refused a command, so that it was not applied then. */
export function isSessionRefusal(o: { readonly kind: string; readonly reason?: string }): boolean {
  return o.kind === 'rejected' && SESSION_REFUSALS.has(o.reason ?? '');
}

/** Refusals of the group itself, before a call is looked into. */
const outerRefusals = ['unreadable-command', 'unknown-call', 'not-allowed', 'invalid-input'] as const;

export type GroupRefusal = (typeof outerRefusals)[number] | (typeof sessionRefusals)[number];
/** Reasons for which a group may reject any call, besides those of the call's own `Shape`. */
export const groupRefusals: readonly GroupRefusal[] = [...outerRefusals, ...sessionRefusals];

export function encodeCommand(command: CommandEnvelope): Uint8Array {
  return new ByteWriter(64 + command.args.length)
    .u8(COMMAND_VERSION)
    .varint(command.session)
    .varint(command.sessionExpiresAtMs)
    .varint(command.number)
    .varint(command.answeredBelow)
    .varint(command.player)
    .text(command.call)
    .bytes(command.args)
    .finish();
}

/** Throws `InvalidInputError` for anything that `encodeCommand` did not make. `args` is a view. */
export function decodeCommand(bytes: Uint8Array): CommandEnvelope {
  const reader = new ByteReader(bytes);
  const { session, sessionExpiresAtMs, number, answeredBelow } = readHead(reader);
  const command: CommandEnvelope = {
    session,
    sessionExpiresAtMs,
    number,
    answeredBelow,
    player: reader.varint(),
    call: reader.text(CALL_NAME_MAX),
    args: reader.view(COMMAND_BYTES_MAX),
  };
  reader.end();
  return command;
}

/** The head alone, for less than a full decode costs; throws as `decodeCommand` does. */
export function decodeCommandHead(bytes: Uint8Array): CommandHead {
  return readHead(new ByteReader(bytes));
}

function readHead(reader: ByteReader): CommandHead {
  const version = reader.u8();
  if (version !== COMMAND_VERSION) throw new InvalidInputError(`command version ${version}`);
  return {
    session: reader.varint(),
    sessionExpiresAtMs: reader.varint(),
    number: reader.varint(),
    answeredBelow: reader.varint(),
  };
}

export interface QueryEnvelope {
  readonly player: number;
  readonly call: string;
  readonly args: Uint8Array;
}

export function encodeQuery(query: QueryEnvelope): Uint8Array {
  return new ByteWriter(32 + query.args.length)
    .varint(query.player)
    .text(query.call)
    .bytes(query.args)
    .finish();
}

export function decodeQuery(bytes: Uint8Array): QueryEnvelope {
  const reader = new ByteReader(bytes);
  const query: QueryEnvelope = {
    player: reader.varint(),
    call: reader.text(CALL_NAME_MAX),
    args: reader.view(COMMAND_BYTES_MAX),
  };
  reader.end();
  return query;
}

/** What a state machine decided; the value still in the bytes of its call's schema. */
export type Reply = Extract<Outcome<Uint8Array>, { kind: 'done' | 'rejected' }> & {
  readonly order: number;
};

export function encodeReply(reply: Reply): Uint8Array {
  const writer = new ByteWriter(64).varint(reply.order);
  if (reply.kind === 'done') return writer.u8(DONE).bytes(reply.value).finish();
  return writer
    .u8(REJECTED)
    .text(reply.reason)
    .text((reply.detail ?? '').slice(0, DETAIL_MAX))
    .finish();
}

export function decodeReply(bytes: Uint8Array): Reply {
  const reader = new ByteReader(bytes);
  const order = reader.varint();
  const tag = reader.u8();
  let reply: Reply;
  if (tag === DONE) {
    reply = { kind: 'done', order, value: reader.view() };
  } else if (tag !== REJECTED) {
    throw new InvalidInputError(`reply ${tag}`);
  } else {
    const reason = reader.text(REASON_MAX);
    const detail = reader.text(DETAIL_MAX * 4);
    reply =
      detail === ''
        ? { kind: 'rejected', order, reason }
        : { kind: 'rejected', order, reason, detail };
  }
  reader.end();
  return reply;
}
