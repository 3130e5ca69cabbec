// Commands and queries as they travel to a group, commands as they stand in its log, and the replies.
//
// Gateways encode them, `protocols/sessions` reads the session part, `world/group-machine` the rest.
// A command names its session and its number within it: that pair is applied at most once, ever.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Outcome } from '../base/errors.ts';
import { InvalidInputError } from '../base/errors.ts';

export const COMMAND_BYTES_MAX: number = 64 * 1024;
const COMMAND_VERSION = 1;
const CALL_NAME_MAX = 64;
const REASON_MAX = 64;
const DETAIL_MAX = 512;

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

/** Throws `InvalidInputError` for anything that `encodeCommand` did not make. */
export function decodeCommand(bytes: Uint8Array): CommandEnvelope {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== COMMAND_VERSION) throw new InvalidInputError(`command version ${version}`);
  const command: CommandEnvelope = {
    session: reader.varint(),
    sessionExpiresAtMs: reader.varint(),
    number: reader.varint(),
    answeredBelow: reader.varint(),
    player: reader.varint(),
    call: reader.text(CALL_NAME_MAX),
    args: reader.bytes(COMMAND_BYTES_MAX),
  };
  reader.end();
  return command;
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
    args: reader.bytes(COMMAND_BYTES_MAX),
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
  if (reply.kind === 'done') return writer.u8(1).bytes(reply.value).finish();
  return writer
    .u8(0)
    .text(reply.reason)
    .text((reply.detail ?? '').slice(0, DETAIL_MAX))
    .finish();
}

export function decodeReply(bytes: Uint8Array): Reply {
  const reader = new ByteReader(bytes);
  const order = reader.varint();
  let reply: Reply;
  if (reader.u8() === 1) {
    reply = { kind: 'done', order, value: reader.bytes() };
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
