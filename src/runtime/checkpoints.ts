// Checkpoints: whole states on disk, each in a file of its own, published at once or not at all.
//
// `raft-group.ts` saves one before it compacts the journal, and looks for the newest usable one at start.
// A file is: magic, format, mark, length of the state, state, CRC-32C of all that.
// Invariant: older ones are removed only after a newer one is durable, so there always is one.
// Source: seed, "Checkpoint and Recovery".
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { CorruptionError, InvalidInputError } from '../base/errors.ts';
import { readMark, writeMark } from '../protocols/raft/entry-codec.ts';
import type { Snapshot, SnapshotMark } from '../protocols/raft/messages.ts';
import type { Disk } from './ports.ts';

/** "BMCP" as the file begins. */
const MAGIC = 0x50434d42;
const FORMAT = 2;
const CRC_BYTES = 4;
const KEEP = 2;
const CHECKPOINT_NAME = /^checkpoint-(.+)-[0-9a-f]{16}\.bin$/;

export interface CheckpointsOptions {
  /** How many checkpoints of each group stay; the older ones go. */
  readonly keep?: number;
  /** Told of each damaged file that was passed over; the text names it. */
  readonly damaged?: (text: string) => void;
}

export class Checkpoints {
  readonly #disk: Disk;
  readonly #keep: number;
  readonly #damaged: (text: string) => void;
  /** Marks of files that were whole when last seen, by name. */
  readonly #marks = new Map<string, SnapshotMark>();

  constructor(disk: Disk, options: CheckpointsOptions = {}) {
    this.#disk = disk;
    this.#keep = options.keep ?? KEEP;
    this.#damaged = options.damaged ?? (() => undefined);
  }

  /** Durable when this returns. What is older than the newest `keep`, or damaged, is removed. */
  save(group: string, snapshot: Snapshot): void {
    this.#disk.publish(checkpointName(group, snapshot.index), encode(snapshot));
    this.#published(group, snapshot);
  }

  /** The same without holding anyone up; `saved` is called when it is durable. */
  saveSoon(group: string, snapshot: Snapshot, saved: () => void): void {
    this.#disk.publishSoon(checkpointName(group, snapshot.index), encode(snapshot), () => {
      this.#published(group, snapshot);
      saved();
    });
  }

  /** The newest undamaged checkpoint at or after `fromIndex`. */
  usable(group: string, fromIndex: number): Snapshot | undefined {
    for (const name of this.#names(group).reverse()) {
      const snapshot = this.#load(name);
      if (snapshot === undefined) continue;
      return snapshot.index >= fromIndex ? snapshot : undefined;
    }
    return undefined;
  }

  /** Where the undamaged checkpoints of a group stand, ascending. Reads each file once only. */
  marks(group: string): readonly SnapshotMark[] {
    return this.#names(group).flatMap((name) => this.#marks.get(name) ?? this.#load(name) ?? []);
  }

  #published(group: string, { state: _, ...mark }: Snapshot): void {
    this.#marks.set(checkpointName(group, mark.index), mark);
    const kept = this.marks(group)
      .slice(-this.#keep)
      .map((mark) => checkpointName(group, mark.index));
    for (const old of this.#names(group)) {
      if (kept.includes(old)) continue;
      this.#disk.remove(old);
      this.#marks.delete(old);
    }
  }

  /** Ascending by index. */
  #names(group: string): string[] {
    return this.#disk
      .names()
      .filter((name) => CHECKPOINT_NAME.exec(name)?.[1] === group)
      .sort();
  }

  #load(name: string): Snapshot | undefined {
    const bytes = this.#disk.read(name);
    const fault = faultOf(bytes);
    if (fault !== undefined) {
      this.#marks.delete(name);
      this.#damaged(`${name} is damaged (${fault})`);
      return undefined;
    }
    const snapshot = decode(name, bytes);
    const { state: _, ...mark } = snapshot;
    this.#marks.set(name, mark);
    return snapshot;
  }
}

function encode(snapshot: Snapshot): readonly Uint8Array[] {
  const head = new ByteWriter(64).u32(MAGIC).u8(FORMAT);
  writeMark(head, snapshot);
  head.varint(snapshot.state.length);
  const sum = crc32c(snapshot.state, 0, snapshot.state.length, crc32c(head.view()));
  return [head.finish(), snapshot.state, new ByteWriter(CRC_BYTES).u32(sum).finish()];
}

function checkpointName(group: string, index: number): string {
  return `checkpoint-${group}-${index.toString(16).padStart(16, '0')}.bin`;
}

function faultOf(bytes: Uint8Array): string | undefined {
  const end = bytes.length - CRC_BYTES;
  if (end < 0) return `it has ${bytes.length} bytes`;
  if (crc32c(bytes, 0, end) !== new ByteReader(bytes, end).u32()) return 'its checksum is wrong';
  return undefined;
}

/** Bytes whose checksum holds were written so: what can not be read is of another program. */
function decode(name: string, bytes: Uint8Array): Snapshot {
  try {
    const reader = new ByteReader(bytes, 0, bytes.length - CRC_BYTES);
    if (reader.u32() !== MAGIC) throw new InvalidInputError('it is no checkpoint');
    const format = reader.u8();
    if (format !== FORMAT) {
      throw new InvalidInputError(`it has format ${format}, this program knows ${FORMAT}`);
    }
    const mark = readMark(reader);
    const state = reader.bytes();
    reader.end();
    return { ...mark, state };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new CorruptionError(`${name} can not be understood: ${cause.message}`, { cause });
  }
}
