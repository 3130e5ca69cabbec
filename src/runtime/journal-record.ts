// The bytes of the journal: one record for each flush, begun at a sector's start.
//
// A record is: u32 length of the body, u32 CRC-32C of that length and the body, body. The body is
// the batch's number and then its items, so a batch is there entirely or not at all. Batch numbers
// rise by one. Every record opens with a header item: the state of each group before this batch, which
// makes older segments removable, and tells what a damaged record before it has changed.
// Records start at multiples of `SECTOR_BYTES`, so that writing one never touches the sectors of a
// durable one, and a reader can look for later records behind a damaged one.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { InvalidInputError } from '../base/errors.ts';
import {
  readEntry,
  readHardState,
  readMark,
  skipMark,
  writeEntry,
  writeHardState,
  writeMark,
} from '../protocols/raft/entry-codec.ts';
import type { LogWrite, SnapshotMark } from '../protocols/raft/messages.ts';
import type { GroupHeader } from './journal-group.ts';

export const SECTOR_BYTES = 512;

const FORMAT = 2;
const FRAME_BYTES = 8;
const HEADER = 1;
const WRITE = 2;
const MARK = 3;
const HAS_HARD_STATE = 1;
const HAS_RESET = 2;
const HAS_HEAL_UNTIL = 4;

export type JournalItem =
  | { readonly kind: 'header'; readonly segment: number; readonly groups: readonly GroupHeader[] }
  | { readonly kind: 'write'; readonly group: number; readonly write: LogWrite }
  | { readonly kind: 'mark'; readonly group: number; readonly mark: SnapshotMark };

/** An undamaged record, not yet taken apart. */
export interface JournalRecord {
  readonly batch: number;
  /** Where in the file the items lie. */
  readonly start: number;
  readonly end: number;
}

/** Where the record after one that ends at `end` begins. */
export function nextSector(end: number): number {
  return Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES;
}

/** Writes one whole record into `writer`, which must be empty. */
export function writeRecord(
  writer: ByteWriter,
  batch: number,
  items: readonly JournalItem[],
): void {
  writer.u32(0).u32(0).varint(batch);
  for (const item of items) writeItem(writer, item);
  writer.patchU32(0, writer.length - FRAME_BYTES);
  writer.patchU32(4, checksum(writer.view(), 0, writer.length));
}

/** The record that starts at `offset`, or `undefined` when no undamaged one does. */
export function recordAt(bytes: Uint8Array, offset: number): JournalRecord | undefined {
  const reader = new ByteReader(bytes, offset);
  if (reader.remaining <= FRAME_BYTES) return undefined;
  const length = reader.u32();
  const stored = reader.u32();
  const end = offset + FRAME_BYTES + length;
  if (length === 0 || end > bytes.length) return undefined;
  if (checksum(bytes, offset, end) !== stored) return undefined;
  const batch = reader.varint();
  return { batch, start: reader.offset, end };
}

/** Throws `InvalidInputError` when the record holds what this program does not know. */
export function readItems(bytes: Uint8Array, record: JournalRecord): readonly JournalItem[] {
  const reader = new ByteReader(bytes, record.start, record.end);
  const items: JournalItem[] = [];
  while (reader.remaining > 0) items.push(readTagged(reader.u8(), reader, 'copy'));
  return items;
}

/** What a record changes: its items without the header. Entries are views of `bytes`. */
export function readChanges(bytes: Uint8Array, record: JournalRecord): readonly JournalItem[] {
  const reader = new ByteReader(bytes, record.start, record.end);
  const items: JournalItem[] = [];
  while (reader.remaining > 0) {
    const tag = reader.u8();
    if (tag === HEADER) skipHeader(reader);
    else items.push(readTagged(tag, reader, 'view'));
  }
  return items;
}

function checksum(bytes: Uint8Array, start: number, end: number): number {
  const length = crc32c(bytes, start, start + 4);
  return crc32c(bytes, start + FRAME_BYTES, end, length);
}

function writeItem(writer: ByteWriter, item: JournalItem): void {
  switch (item.kind) {
    case 'header':
      writer.u8(HEADER).u8(FORMAT).varint(item.segment).varint(item.groups.length);
      for (const { group, hardState, mark, last, lastTerm, healUntil } of item.groups) {
        writer.varint(group);
        writeHardState(writer, hardState);
        writeMark(writer, mark);
        writer.varint(last).varint(lastTerm).varint(healUntil);
      }
      return;
    case 'write':
      writer.u8(WRITE).varint(item.group);
      writeLogWrite(writer, item.write);
      return;
    case 'mark':
      writer.u8(MARK).varint(item.group);
      writeMark(writer, item.mark);
  }
}

function writeLogWrite(writer: ByteWriter, write: LogWrite): void {
  const { hardState, reset, healUntil, entries } = write;
  writer.u8(
    (hardState === undefined ? 0 : HAS_HARD_STATE) |
      (reset === undefined ? 0 : HAS_RESET) |
      (healUntil === undefined ? 0 : HAS_HEAL_UNTIL),
  );
  if (hardState !== undefined) writeHardState(writer, hardState);
  if (reset !== undefined) writeMark(writer, reset);
  if (healUntil !== undefined) writer.varint(healUntil);
  writer.varint(entries.length);
  for (const entry of entries) writeEntry(writer, entry);
}

function readTagged(tag: number, reader: ByteReader, take: 'copy' | 'view'): JournalItem {
  switch (tag) {
    case HEADER:
      return readHeader(reader);
    case WRITE:
      return { kind: 'write', group: reader.varint(), write: readLogWrite(reader, take) };
    case MARK:
      return { kind: 'mark', group: reader.varint(), mark: readMark(reader) };
    default:
      throw new InvalidInputError(`journal item ${tag}`);
  }
}

function readHeader(reader: ByteReader): JournalItem {
  const format = reader.u8();
  if (format !== FORMAT) {
    throw new InvalidInputError(`journal format ${format}, this program knows ${FORMAT}`);
  }
  const segment = reader.varint();
  const count = reader.varint();
  const groups: GroupHeader[] = [];
  for (let i = 0; i < count; i++) {
    groups.push({
      group: reader.varint(),
      hardState: readHardState(reader),
      mark: readMark(reader),
      last: reader.varint(),
      lastTerm: reader.varint(),
      healUntil: reader.varint(),
    });
  }
  return { kind: 'header', segment, groups };
}

function skipHeader(reader: ByteReader): void {
  reader.u8();
  reader.varint();
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    reader.varint();
    reader.varint();
    reader.varint();
    skipMark(reader);
    reader.varint();
    reader.varint();
    reader.varint();
  }
}

function readLogWrite(reader: ByteReader, take: 'copy' | 'view'): LogWrite {
  const has = reader.u8();
  const hardState = has & HAS_HARD_STATE ? readHardState(reader) : undefined;
  const reset = has & HAS_RESET ? readMark(reader) : undefined;
  const healUntil = has & HAS_HEAL_UNTIL ? reader.varint() : undefined;
  const count = reader.varint();
  const entries = [];
  for (let i = 0; i < count; i++) entries.push(readEntry(reader, take));
  return {
    entries,
    ...(hardState === undefined ? {} : { hardState }),
    ...(reset === undefined ? {} : { reset }),
    ...(healUntil === undefined ? {} : { healUntil }),
  };
}
