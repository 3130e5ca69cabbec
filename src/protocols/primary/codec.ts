// The bytes of what a region's copies say to each other: what travels inside a `region` message.
//
// `runtime/replica-set` encodes and decodes. A message that does not decode is not heard; its sender is
// one of us, so that is a difference of versions or damage, never a reason to stop.
// Layout: u8 kind, varint epoch, then the fields in the order of `messages.ts`.
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { InvalidInputError } from '../../base/errors.ts';
import {
  APPEND_ENTRIES_MAX,
  type AppendResult,
  ENTRY_BYTES_MAX,
  type Entry,
  type EpochRun,
  type Mark,
  type Message,
  PART_BYTES_MAX,
  type Position,
  RUNS_MAX,
  type Stamp,
  type Whereabouts,
} from './messages.ts';

const KINDS: readonly Message['kind'][] = [
  'append',
  'append-reply',
  'state',
  'state-reply',
  'level',
  'refused',
  'whereabouts',
];
const RESULTS: readonly AppendResult['kind'][] = ['matched', 'parted', 'needsState'];
const ENTRY_KINDS: readonly Entry['kind'][] = ['opening', 'command'];
/** Parts of the largest state that may travel. */
const PARTS_MAX = 65_536;

export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(128).u8(KINDS.indexOf(message.kind)).varint(message.epoch);
  switch (message.kind) {
    case 'append':
      writePosition(writer.varint(message.attempt), message.previous);
      writer.varint(message.last).varint(message.committed).u8(message.isSure ? 1 : 0);
      writeStamp(writer, message.echo);
      writeEntries(writer, message.entries, message.previous.sequence);
      return writer.finish();
    case 'append-reply':
      writer.varint(message.attempt).varint(message.applied);
      writeStamp(writer, message.stamp);
      writeResult(writer, message.result);
      return writer.finish();
    case 'state':
      writeMark(writer, message.mark);
      return writer.varint(message.part).varint(message.parts).bytes(message.bytes).finish();
    case 'state-reply':
      writer.varint(message.sequence).varint(message.nextPart);
      writeStamp(writer, message.stamp);
      return writer.finish();
    case 'level':
      writeStamp(writer, message.stamp);
      return writer.finish();
    case 'refused':
      return writer.finish();
    case 'whereabouts':
      writeWhereabouts(writer, message.at);
      return writer.u8(message.wantsReply ? 1 : 0).finish();
  }
}

/**
 * Throws `InvalidInputError` for anything that `encodeMessage` did not make. Entries and parts are views of
 * `bytes`, so that what arrived is held once, in the frame that brought it.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new InvalidInputError('an unknown kind of message between copies');
  const message = readMessage(kind, reader.varint(), reader);
  reader.end();
  return message;
}

/** Also what a checkpoint says of itself, before its state. */
export function writeRuns(writer: ByteWriter, runs: readonly EpochRun[]): void {
  writer.varint(runs.length);
  for (const { epoch, first } of runs) writer.varint(epoch).varint(first);
}

export function readRuns(reader: ByteReader): readonly EpochRun[] {
  const count = reader.varint();
  if (count > RUNS_MAX) throw new InvalidInputError(`${count} epochs, ${RUNS_MAX} may be`);
  return Array.from({ length: count }, () => ({ epoch: reader.varint(), first: reader.varint() }));
}

function readMessage(kind: Message['kind'], epoch: number, reader: ByteReader): Message {
  switch (kind) {
    case 'append': {
      const attempt = reader.varint();
      const previous = readPosition(reader);
      const [last, committed, isSure] = [reader.varint(), reader.varint(), reader.u8() === 1];
      const echo = readStamp(reader);
      const entries = readEntries(reader, previous.sequence);
      return { kind, epoch, attempt, previous, entries, last, committed, isSure, echo };
    }
    case 'append-reply': {
      const [attempt, applied] = [reader.varint(), reader.varint()];
      const stamp = readStamp(reader);
      return { kind, epoch, attempt, applied, stamp, result: readResult(reader) };
    }
    case 'state': {
      const mark = readMark(reader);
      const part = reader.varint();
      const parts = reader.varint();
      if (part >= parts || parts > PARTS_MAX) throw new InvalidInputError(`part ${part} of ${parts}`);
      return { kind, epoch, mark, part, parts, bytes: reader.view(PART_BYTES_MAX) };
    }
    case 'state-reply': {
      const place = { sequence: reader.varint(), nextPart: reader.varint() };
      return { kind, epoch, ...place, stamp: readStamp(reader) };
    }
    case 'level':
      return { kind, epoch, stamp: readStamp(reader) };
    case 'refused':
      return { kind, epoch };
    case 'whereabouts':
      return { kind, epoch, at: readWhereabouts(reader), wantsReply: reader.u8() === 1 };
  }
}

/** Sequences follow each other and are not written. */
function writeEntries(writer: ByteWriter, entries: readonly Entry[], before: number): void {
  writer.varint(entries.length);
  entries.forEach(({ epoch, sequence, kind, timeMs, data }, i) => {
    if (sequence !== before + 1 + i) throw new InvalidInputError('an append with a gap');
    writer.varint(epoch).u8(ENTRY_KINDS.indexOf(kind)).varint(timeMs).bytes(data);
  });
}

function readEntries(reader: ByteReader, before: number): readonly Entry[] {
  const count = reader.varint();
  if (count > APPEND_ENTRIES_MAX) throw new InvalidInputError(`an append of ${count} entries`);
  const entries: Entry[] = [];
  for (let i = 1; i <= count; i++) {
    const epoch = reader.varint();
    const kind = ENTRY_KINDS[reader.u8()];
    if (kind === undefined) throw new InvalidInputError('an unknown kind of entry');
    const timeMs = reader.varint();
    entries.push({ epoch, sequence: before + i, kind, timeMs, data: reader.view(ENTRY_BYTES_MAX) });
  }
  return entries;
}

function writeResult(writer: ByteWriter, result: AppendResult): void {
  writer.u8(RESULTS.indexOf(result.kind));
  if (result.kind === 'matched') {
    writer.varint(result.sequence);
    return;
  }
  writeRuns(writer.varint(result.last).u8(result.isBlank ? 1 : 0), result.runs);
}

function readResult(reader: ByteReader): AppendResult {
  const kind = RESULTS[reader.u8()];
  if (kind === undefined) throw new InvalidInputError('an unknown result of an append');
  if (kind === 'matched') return { kind, sequence: reader.varint() };
  const counts = { last: reader.varint(), isBlank: reader.u8() === 1 };
  return { kind, ...counts, runs: readRuns(reader) };
}

function writeMark(writer: ByteWriter, mark: Mark): void {
  writePosition(writer, mark);
  writeRuns(writer.varint(mark.timeMs).u32(mark.digest), mark.runs);
}

function readMark(reader: ByteReader): Mark {
  const position = readPosition(reader);
  const rest = { timeMs: reader.varint(), digest: reader.u32() };
  return { ...position, ...rest, runs: readRuns(reader) };
}

function writeWhereabouts(writer: ByteWriter, at: Whereabouts): void {
  writePosition(writer.varint(at.promised), at.last);
  writer.varint(at.applied).u8(at.isBlank ? 1 : 0).varint(at.lagMs + 1).varint(at.silentMs);
}

function readWhereabouts(reader: ByteReader): Whereabouts {
  const promised = reader.varint();
  const last = readPosition(reader);
  const applied = reader.varint();
  const isBlank = reader.u8() === 1;
  const lagMs = reader.varint() - 1;
  return { promised, last, applied, isBlank, lagMs, silentMs: reader.varint() };
}

function writePosition(writer: ByteWriter, { epoch, sequence }: Position): void {
  writer.varint(epoch).varint(sequence);
}

function readPosition(reader: ByteReader): Position {
  return { epoch: reader.varint(), sequence: reader.varint() };
}

function writeStamp(writer: ByteWriter, { life, ms }: Stamp): void {
  writer.varint(life).varint(ms);
}

function readStamp(reader: ByteReader): Stamp {
  return { life: reader.varint(), ms: reader.varint() };
}
