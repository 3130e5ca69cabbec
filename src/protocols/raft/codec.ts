// The bytes of Raft's messages: what travels inside a `raft` message between nodes.
//
// `runtime/turn` encodes and decodes. A message that does not decode is not heard; its sender is one of
// us, so that is a difference of versions or damage, never a reason to stop.
// Layout: u8 kind, varint term, then the fields in the order of `messages.ts`.
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { InvalidInputError } from '../../base/errors.ts';
import type { Digest } from './digests.ts';
import { readEntry, readMark, writeEntry, writeMark } from './entry-codec.ts';
import {
  APPEND_ENTRIES_MAX,
  type AppendResult,
  type Entry,
  type Message,
  SNAPSHOT_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES,
} from './messages.ts';

const KINDS: readonly Message['kind'][] = [
  'pre-vote',
  'pre-vote-reply',
  'vote',
  'vote-reply',
  'append',
  'append-reply',
  'snapshot',
  'snapshot-reply',
  'timeout-now',
  'read',
  'read-reply',
  'diverged',
];

const CONFLICT = 0;
const MATCHED = 1;
const LOST = 2;

const NO_ENTRIES: Uint8Array = new Uint8Array(0);

type Append = Extract<Message, { kind: 'append' }>;

/**
 * Encodes messages. Appends that say the same get the very same bytes, so that what goes to all members
 * alike is encoded once; the entries of others are.
 */
export class MessageEncoder {
  #append: Append | undefined;
  #appendBytes: Uint8Array = NO_ENTRIES;
  #entries: readonly Entry[] = [];
  #encoded: Uint8Array = NO_ENTRIES;

  encode(message: Message): Uint8Array {
    if (message.kind !== 'append') return this.#encode(message);
    if (this.#append === undefined || !isSameAppend(this.#append, message)) {
      this.#append = message;
      this.#appendBytes = this.#encode(message);
    }
    return this.#appendBytes;
  }

  #encode(message: Message): Uint8Array {
    // Before the other writer begins: two at a time would need two blocks.
    const entries = message.kind === 'append' ? this.#entriesOf(message.entries) : NO_ENTRIES;
    const writer = new ByteWriter(96);
    writer.u8(KINDS.indexOf(message.kind)).varint(message.term);
    switch (message.kind) {
      case 'pre-vote':
        return writer
          .varint(message.lastIndex)
          .varint(message.lastTerm)
          .varint(message.sentMs)
          .finish();
      case 'pre-vote-reply':
        return writer
          .varint(message.askedTerm)
          .u8(message.granted ? 1 : 0)
          .varint(message.sentMs)
          .finish();
      case 'vote':
        return writer
          .varint(message.lastIndex)
          .varint(message.lastTerm)
          .u8(message.transfer ? 1 : 0)
          .finish();
      case 'vote-reply':
        return writer.u8(message.granted ? 1 : 0).finish();
      case 'append':
        writer.varint(message.round).varint(message.prevIndex).varint(message.prevTerm);
        writer.varint(message.commit).varint(message.sentMs).varint(message.roundTripMs);
        writer.varint(message.entries.length);
        return writer.raw(entries).finish();
      case 'append-reply':
        writeResult(writer.varint(message.round), message.result);
        writeDigest(writer.varint(message.sentMs), message.digest);
        writeDigest(writer, message.stateHash);
        return writer.finish();
      case 'snapshot':
        writeMark(writer.varint(message.round), message.mark);
        return writer
          .varint(message.offset)
          .varint(message.totalBytes)
          .bytes(message.chunk)
          .finish();
      case 'snapshot-reply':
        return writer
          .varint(message.round)
          .varint(message.index)
          .varint(message.nextOffset)
          .finish();
      case 'timeout-now':
        return writer.finish();
      case 'read':
        return writer.varint(message.number).finish();
      case 'read-reply':
        return writer.varint(message.number).varint(message.index).finish();
      case 'diverged':
        return writer.varint(message.index).finish();
    }
  }

  #entriesOf(entries: readonly Entry[]): Uint8Array {
    if (entries.length === 0) return NO_ENTRIES;
    if (!isSameRun(entries, this.#entries)) {
      const writer = new ByteWriter(256);
      for (const entry of entries) writeEntry(writer, entry);
      this.#entries = entries;
      this.#encoded = writer.finish();
    }
    return this.#encoded;
  }
}

function isSameAppend(a: Append, b: Append): boolean {
  return (
    a.prevIndex === b.prevIndex &&
    a.prevTerm === b.prevTerm &&
    a.term === b.term &&
    a.commit === b.commit &&
    a.round === b.round &&
    a.sentMs === b.sentMs &&
    a.roundTripMs === b.roundTripMs &&
    isSameRun(a.entries, b.entries)
  );
}

/** Entries never change, and stand side by side in one log. */
function isSameRun(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.length === b.length && a[0] === b[0] && a.at(-1) === b.at(-1);
}

/**
 * Throws `InvalidInputError` for anything that `MessageEncoder` did not make. Entries and chunks are views
 * of `bytes`, so that what arrived is held once, in the frame that brought it.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new InvalidInputError('an unknown kind of Raft message');
  const message = readMessage(kind, reader.varint(), reader);
  reader.end();
  return message;
}

function readMessage(kind: Message['kind'], term: number, reader: ByteReader): Message {
  switch (kind) {
    case 'pre-vote': {
      const last = { lastIndex: reader.varint(), lastTerm: reader.varint() };
      return { kind, term, ...last, sentMs: reader.varint() };
    }
    case 'pre-vote-reply': {
      const answer = { askedTerm: reader.varint(), granted: reader.u8() === 1 };
      return { kind, term, ...answer, sentMs: reader.varint() };
    }
    case 'vote': {
      const last = { lastIndex: reader.varint(), lastTerm: reader.varint() };
      return { kind, term, ...last, transfer: reader.u8() === 1 };
    }
    case 'vote-reply':
      return { kind, term, granted: reader.u8() === 1 };
    case 'append':
      return readAppend(term, reader);
    case 'append-reply':
      return readAppendReply(term, reader);
    case 'snapshot':
      return {
        kind,
        term,
        round: reader.varint(),
        mark: readMark(reader),
        offset: reader.varint(),
        totalBytes: readSize(reader),
        chunk: reader.view(SNAPSHOT_CHUNK_BYTES),
      };
    case 'snapshot-reply': {
      const round = reader.varint();
      return { kind, term, round, index: reader.varint(), nextOffset: reader.varint() };
    }
    case 'timeout-now':
      return { kind, term };
    case 'read':
      return { kind, term, number: reader.varint() };
    case 'read-reply':
      return { kind, term, number: reader.varint(), index: reader.varint() };
    case 'diverged':
      return { kind, term, index: reader.varint() };
  }
}

/** Checked before the receiver sets memory aside for it. */
function readSize(reader: ByteReader): number {
  const size = reader.varint();
  if (size > SNAPSHOT_BYTES_MAX) throw new InvalidInputError(`a snapshot of ${size} bytes`);
  return size;
}

function readAppend(term: number, reader: ByteReader): Message {
  const round = reader.varint();
  const prevIndex = reader.varint();
  const prevTerm = reader.varint();
  const commit = reader.varint();
  const sentMs = reader.varint();
  const roundTripMs = reader.varint();
  const count = reader.varint();
  if (count > APPEND_ENTRIES_MAX) throw new InvalidInputError(`an append of ${count} entries`);
  const entries: Entry[] = [];
  for (let i = 1; i <= count; i++) {
    const entry = readEntry(reader, 'view');
    if (entry.index !== prevIndex + i) throw new InvalidInputError('an append with a gap');
    entries.push(entry);
  }
  const kind = 'append';
  return { kind, term, round, prevIndex, prevTerm, commit, sentMs, roundTripMs, entries };
}

function readAppendReply(term: number, reader: ByteReader): Message {
  const round = reader.varint();
  const result = readResult(reader);
  const sentMs = reader.varint();
  const [digest, stateHash] = [readDigest(reader), readDigest(reader)];
  return { kind: 'append-reply', term, round, result, sentMs, digest, stateHash };
}

function writeDigest(writer: ByteWriter, { index, value }: Digest): void {
  writer.varint(index).u32(value);
}

function readDigest(reader: ByteReader): Digest {
  return { index: reader.varint(), value: reader.u32() };
}

function writeResult(writer: ByteWriter, result: AppendResult): void {
  if (result.kind === 'matched') {
    writer.u8(MATCHED).varint(result.index);
  } else {
    writer.u8(result.kind === 'lost' ? LOST : CONFLICT).varint(result.prevIndex).varint(result.nextIndex);
  }
}

function readResult(reader: ByteReader): AppendResult {
  const code = reader.u8();
  if (code === MATCHED) return { kind: 'matched', index: reader.varint() };
  const kind = code === LOST ? 'lost' : 'conflict';
  return { kind, prevIndex: reader.varint(), nextIndex: reader.varint() };
}
