// Checkpoints: whole states on disk, each in a file of its own, published at once or not at all.
//
// Groups and copies save one before they compact their journal, and look for the newest usable one at
// start. A file is: magic, format, world, mark, state, CRC-32C of all that; so that it can be summed up
// while the state is still being made.
// Invariants: older ones are removed only after a newer one is durable, so there always is one; names
// sort as places of the log do, by term and then index; what is known to be damaged does not count.
// Source: seed, "Checkpoint and Recovery".
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { CorruptionError, InvalidInputError } from '../base/errors.ts';
import { readMark, writeMark } from '../protocols/raft/entry-codec.ts';
import type { Snapshot, SnapshotMark } from '../protocols/raft/messages.ts';
import type { Disk, ReadDisk } from './ports.ts';
import { understood } from './understood.ts';

/** "BMCP" as the file begins. */
const MAGIC = 0x50434d42;
const FORMAT = 3;
const CRC_BYTES = 4;
/** Of each group, unless it is told otherwise. */
export const CHECKPOINTS_KEPT = 2;
const WORLD_NAME_MAX = 256;
const CHECKPOINT_NAME = /^checkpoint-(.+)-[0-9a-f]{16}-[0-9a-f]{16}\.bin$/;

export interface CheckpointsOptions {
  /** How many checkpoints of each group stay; the older ones go. */
  readonly keep?: number;
  /** Those of another world are refused. */
  readonly world?: string;
  /** Told of each damaged file that was passed over; the text names it. */
  readonly damaged?: (text: string) => void;
}

/** A file as an operator sees it. `foreign`: whole, and of another world or program. */
export interface CheckpointFile {
  readonly name: string;
  readonly bytes: number;
  readonly condition: 'whole' | 'damaged' | 'foreign';
  /** Of a whole one. */
  readonly mark: SnapshotMark | undefined;
  /** Of any other. */
  readonly fault: string | undefined;
}

/** A checkpoint that is being written: parts of the state go in, then it is published. */
export interface CheckpointDraft {
  /** The bytes must not change any more. */
  add(part: Uint8Array): void;
  /** Without holding anyone up; `published` is called when it is durable. */
  publishSoon(published: () => void): void;
}

export class Checkpoints {
  readonly #disk: Disk;
  readonly #keep: number;
  readonly #world: string;
  readonly #damaged: (text: string) => void;
  /** Names of files that were damaged when they were last read. */
  readonly #damagedNames = new Set<string>();

  constructor(disk: Disk, options: CheckpointsOptions = {}) {
    this.#disk = disk;
    this.#keep = options.keep ?? CHECKPOINTS_KEPT;
    this.#world = options.world ?? '';
    this.#damaged = options.damaged ?? (() => undefined);
  }

  /** Durable when this returns. What is older than the newest `keep`, or known to be damaged, goes. */
  save(group: string, { state, ...mark }: Snapshot): void {
    const name = checkpointName(group, mark);
    const head = this.#head(mark);
    this.#disk.publish(name, [head, state, footer(sum(state, sum(head)))]);
    this.#published(group, mark);
  }

  /** The same for a state that comes in parts, and without holding anyone up. */
  draft(group: string, mark: SnapshotMark): CheckpointDraft {
    const parts = [this.#head(mark)];
    let crc = sum(this.#head(mark));
    return {
      add(part) {
        parts.push(part);
        crc = sum(part, crc);
      },
      publishSoon: (published) => {
        this.#disk.publishSoon(checkpointName(group, mark), [...parts, footer(crc)], () => {
          this.#published(group, mark);
          published();
        });
      },
    };
  }

  /**
   * The newest undamaged checkpoint that is not before `from`. Throws `ForeignDataError` for one that is
   * whole, and of another world or program.
   */
  usable(group: string, from: { readonly term: number; readonly index: number }): Snapshot | undefined {
    const oldest = checkpointName(group, from);
    for (const name of namesOf(this.#disk, group).reverse()) {
      const snapshot = this.#load(name);
      if (snapshot !== undefined) return name >= oldest ? snapshot : undefined;
    }
    return undefined;
  }

  /**
   * A file that nobody has read since the start counts as whole: reading ten large ones would hold up
   * everybody. Those from the newest whole one on were read, by `usable`, or written since.
   */
  #published(group: string, mark: SnapshotMark): void {
    this.#damagedNames.delete(checkpointName(group, mark));
    const names = namesOf(this.#disk, group);
    const kept = names.filter((name) => !this.#damagedNames.has(name)).slice(-this.#keep);
    for (const old of names) {
      if (kept.includes(old)) continue;
      this.#disk.remove(old);
      this.#damagedNames.delete(old);
    }
  }

  #load(name: string): Snapshot | undefined {
    const bytes = this.#disk.read(name);
    const fault = faultOf(bytes);
    if (fault !== undefined) {
      this.#damagedNames.add(name);
      this.#damaged(`${name} is damaged (${fault})`);
      return undefined;
    }
    return understood(this.#disk.path(name), () => decode(bytes, this.#world));
  }

  #head(mark: SnapshotMark): Uint8Array {
    const head = new ByteWriter(64).u32(MAGIC).u8(FORMAT).text(this.#world);
    writeMark(head, mark);
    return head.finish();
  }
}

/** All checkpoints of a group, ascending by term and index, each read and summed up. */
export function listCheckpoints(
  disk: ReadDisk,
  group: string,
  world: string,
): readonly CheckpointFile[] {
  return namesOf(disk, group).map((name) => {
    const bytes = disk.read(name);
    const file = { name, bytes: bytes.length, mark: undefined };
    const fault = faultOf(bytes);
    if (fault !== undefined) return { ...file, condition: 'damaged', fault };
    try {
      const { state: _, ...mark } = decode(bytes, world);
      return { ...file, condition: 'whole', mark, fault: undefined };
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      return { ...file, condition: 'foreign', fault: cause.message };
    }
  });
}

/** A whole checkpoint of this world; throws `CorruptionError` or `ForeignDataError` for any other file. */
export function readCheckpoint(disk: ReadDisk, name: string, world: string): Snapshot {
  const bytes = disk.read(name);
  const fault = faultOf(bytes);
  if (fault !== undefined) throw new CorruptionError(`${name} is damaged (${fault})`);
  return understood(disk.path(name), () => decode(bytes, world));
}

/** Of bytes whose checksum holds; throws `InvalidInputError` for what this program did not write. */
function decode(bytes: Uint8Array, world: string): Snapshot {
  const end = bytes.length - CRC_BYTES;
  const reader = new ByteReader(bytes, 0, end);
  if (reader.u32() !== MAGIC) throw new InvalidInputError('it is no checkpoint');
  const format = reader.u8();
  if (format !== FORMAT) {
    throw new InvalidInputError(`it has format ${format}, this program knows ${FORMAT}`);
  }
  const of = reader.text(WORLD_NAME_MAX);
  if (of !== world) {
    throw new InvalidInputError(`it is of the world "${of}", this one is "${world}"`);
  }
  const mark = readMark(reader);
  return { ...mark, state: bytes.subarray(reader.offset, end) };
}

/** Ascending by term and index. */
function namesOf(disk: ReadDisk, group: string): string[] {
  return disk
    .names()
    .filter((name) => CHECKPOINT_NAME.exec(name)?.[1] === group)
    .sort();
}

function sum(bytes: Uint8Array, seed: number = 0): number {
  return crc32c(bytes, 0, bytes.length, seed);
}

function footer(crc: number): Uint8Array {
  return new ByteWriter(CRC_BYTES).u32(crc).finish();
}

function checkpointName(
  group: string,
  { term, index }: { readonly term: number; readonly index: number },
): string {
  const place = [term, index].map((number) => number.toString(16).padStart(16, '0'));
  return `checkpoint-${group}-${place.join('-')}.bin`;
}

function faultOf(bytes: Uint8Array): string | undefined {
  const end = bytes.length - CRC_BYTES;
  if (end < 0) return `it has ${bytes.length} bytes`;
  if (crc32c(bytes, 0, end) !== new ByteReader(bytes, end).u32()) return 'its checksum is wrong';
  return undefined;
}
