// What nodes say to each other: one message is the body of one frame.
//
// What members of a group, or copies of a region, say among themselves stays opaque here: the codecs of
// `protocols/raft` and `protocols/primary` know it. An `ask` is a gateway's command or query to the node
// that it believes to lead; every ask gets exactly one `answer` while the link stands. `leads` tells
// gateways at once who was elected, so that nobody waits for a leader that is gone. A `notice` tells a
// gateway something for one of its players. `incarnations` tell which data folder each node was met with.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { InvalidInputError } from '../base/errors.ts';
import { type NodeId, nodeId } from '../base/id.ts';
import { type KnownNode, knownNodes } from './incarnation.ts';
import {
  type AckLevel,
  type ReadBound,
  readBound,
  readLevel,
  writeBound,
  writeLevel,
} from './levels.ts';
import { type LivenessMessage, readBeat, readBeatHeard, writeLiveness } from './liveness.ts';

const NOTICE_BYTES_MAX: number = 64 * 1024;
const PUSH_NAME_MAX = 64;
const RETRY_AFTER_MS_MAX = 60_000;

/**
 * - `answered`: decided; the bytes are the state machine's reply. A region adds the epoch of its primary,
 *   so that the reply's place in the log can be told from that of a log that was lost.
 * - `moved`: not the leader, nothing happened; `leader` led `term`, as far as is known there.
 * - `unavailable`: nothing happened (no quorum, too much waiting, leaving).
 * - `uncertain`: proposed, and the outcome is not known there. The same command may be asked again.
 */
export type GroupAnswer =
  | { readonly kind: 'answered'; readonly reply: Uint8Array; readonly epoch?: number }
  | { readonly kind: 'moved'; readonly leader: NodeId | undefined; readonly term: number }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'uncertain' };

export type PeerMessage =
  | LivenessMessage
  | { readonly kind: 'raft'; readonly group: number; readonly body: Uint8Array }
  | { readonly kind: 'region'; readonly region: number; readonly body: Uint8Array }
  | {
      readonly kind: 'ask';
      /** The asker's own number for this ask, echoed in the answer. */
      readonly number: number;
      readonly group: number;
      readonly mode: 'command' | 'query';
      readonly body: Uint8Array;
      /** Handed on once already, by a copy that is not the primary: it is not handed on again. */
      readonly isForwarded?: boolean;
      /** Of a command to a region: how safe it must be before it is answered. */
      readonly level?: AckLevel;
      /** Of a query to a region: how new the state must be. */
      readonly bound?: ReadBound;
    }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: GroupAnswer }
  /** Its sender was elected in that term, and leads for all it knows. */
  | { readonly kind: 'leads'; readonly group: number; readonly term: number }
  | {
      readonly kind: 'notice';
      /** 0 for everybody in `region` or, where none is named, for the nodes themselves. */
      readonly player: number;
      readonly region?: number;
      readonly push: string;
      /** JSON. */
      readonly value: string;
    }
  /** Of a region's space: see `space.ts`. */
  | { readonly kind: 'space'; readonly region: number; readonly body: Uint8Array }
  | {
      readonly kind: 'incarnations';
      /** Whether the other side is to tell what it knows. */
      readonly asks: boolean;
      readonly known: readonly KnownNode[];
    };

const RAFT = 1;
const ASK_COMMAND = 2;
const ASK_QUERY = 3;
const ANSWERED = 4;
const MOVED = 5;
const UNAVAILABLE = 6;
const UNCERTAIN = 7;
const NOTICE = 8;
const LEADS = 9;
const REGION = 10;
const BEAT = 16;
const BEAT_HEARD = 17;
const SPACE = 20;
const INCARNATIONS = 30;
const INCARNATIONS_ASKED = 31;

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const writer = new ByteWriter(128);
  switch (message.kind) {
    case 'raft':
      return writer.u8(RAFT).varint(message.group).bytes(message.body).finish();
    case 'region':
      return writer.u8(REGION).varint(message.region).bytes(message.body).finish();
    case 'ask':
      return encodeAsk(writer, message);
    case 'space':
      return writer.u8(SPACE).varint(message.region).bytes(message.body).finish();
    case 'beat':
      return writeLiveness(writer.u8(BEAT), message).finish();
    case 'beat-heard':
      return writeLiveness(writer.u8(BEAT_HEARD), message).finish();
    case 'answer':
      return encodeAnswer(writer, message.number, message.answer);
    case 'leads':
      return writer.u8(LEADS).varint(message.group).varint(message.term).finish();
    case 'notice':
      return writer
        .u8(NOTICE)
        .varint(message.player)
        .varint(message.region ?? 0)
        .text(message.push)
        .text(message.value)
        .finish();
    case 'incarnations':
      writer.u8(message.asks ? INCARNATIONS_ASKED : INCARNATIONS);
      knownNodes.encode(writer, message.known);
      return writer.finish();
  }
}

/**
 * Throws `InvalidInputError` for anything that `encodePeerMessage` did not make. Bodies and replies are
 * views of `bytes`.
 */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  const reader = new ByteReader(bytes);
  const message = decodeBody(reader);
  reader.end();
  return message;
}

type AskMessage = Extract<PeerMessage, { kind: 'ask' }>;

function encodeAsk(writer: ByteWriter, message: AskMessage): Uint8Array {
  const isCommand = message.mode === 'command';
  writer.u8(isCommand ? ASK_COMMAND : ASK_QUERY).varint(message.number).varint(message.group);
  if (isCommand) writeLevel(writer, message.level);
  else writeBound(writer, message.bound);
  writer.u8(message.isForwarded === true ? 1 : 0);
  return writer.bytes(message.body).finish();
}

function decodeAsk(reader: ByteReader, mode: AskMessage['mode']): AskMessage {
  const [number, group] = [reader.varint(), reader.varint()];
  const level = mode === 'command' ? readLevel(reader) : undefined;
  const bound = mode === 'query' ? readBound(reader) : undefined;
  const isForwarded = reader.u8() === 1;
  const ask = { kind: 'ask', number, group, mode, body: reader.view() } as const;
  return {
    ...ask,
    ...(isForwarded ? { isForwarded } : {}),
    ...(level === undefined ? {} : { level }),
    ...(bound === undefined ? {} : { bound }),
  };
}

function encodeAnswer(writer: ByteWriter, number: number, answer: GroupAnswer): Uint8Array {
  switch (answer.kind) {
    case 'answered':
      return writer
        .u8(ANSWERED)
        .varint(number)
        .varint(answer.epoch ?? 0)
        .bytes(answer.reply)
        .finish();
    case 'moved':
      return writer.u8(MOVED).varint(number).varint(answer.leader ?? 0).varint(answer.term).finish();
    case 'unavailable':
      return writer.u8(UNAVAILABLE).varint(number).varint(answer.retryAfterMs).finish();
    case 'uncertain':
      return writer.u8(UNCERTAIN).varint(number).finish();
  }
}

function decodeBody(reader: ByteReader): PeerMessage {
  const tag = reader.u8();
  switch (tag) {
    case RAFT:
      return { kind: 'raft', group: reader.varint(), body: reader.view() };
    case REGION:
      return { kind: 'region', region: reader.varint(), body: reader.view() };
    case ASK_COMMAND:
      return decodeAsk(reader, 'command');
    case ASK_QUERY:
      return decodeAsk(reader, 'query');
    case ANSWERED: {
      const [number, epoch] = [reader.varint(), reader.varint()];
      const reply = reader.view();
      const answer = { kind: 'answered', reply } as const;
      return { kind: 'answer', number, answer: epoch === 0 ? answer : { ...answer, epoch } };
    }
    case MOVED: {
      const number = reader.varint();
      const leader = reader.varint();
      const term = reader.varint();
      return {
        kind: 'answer',
        number,
        answer: { kind: 'moved', leader: leader === 0 ? undefined : nodeId(leader), term },
      };
    }
    case UNAVAILABLE: {
      const number = reader.varint();
      const retryAfterMs = Math.min(reader.varint(), RETRY_AFTER_MS_MAX);
      return { kind: 'answer', number, answer: { kind: 'unavailable', retryAfterMs } };
    }
    case UNCERTAIN:
      return { kind: 'answer', number: reader.varint(), answer: { kind: 'uncertain' } };
    case SPACE:
      return { kind: 'space', region: reader.varint(), body: reader.bytes() };
    case LEADS:
      return { kind: 'leads', group: reader.varint(), term: reader.varint() };
    case NOTICE: {
      const [player, region] = [reader.varint(), reader.varint()];
      const said = { push: reader.text(PUSH_NAME_MAX), value: reader.text(NOTICE_BYTES_MAX) };
      return { kind: 'notice', player, ...(region === 0 ? {} : { region }), ...said };
    }
    case INCARNATIONS:
    case INCARNATIONS_ASKED: {
      const known = knownNodes.decode(reader);
      return { kind: 'incarnations', asks: tag === INCARNATIONS_ASKED, known };
    }
    case BEAT:
      return readBeat(reader);
    case BEAT_HEARD:
      return readBeatHeard(reader);
    default:
      throw new InvalidInputError(`peer message ${tag}`);
  }
}
