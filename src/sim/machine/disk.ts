// A disk in memory with a crash model: the `Disk` port for simulated worlds and for tests.
//
// What was written and not synced is in doubt: `crashed` decides for each such write, from a seed,
// whether it is lost, whole, torn at a byte, or there in some sectors only; `loseAllButBytes`
// decides it exactly. Operations can be made to fail (`failAt`: EIO) and syncs be held back (`holdSyncs`).
// A `conduct` gives a simulated world the last word on each operation. Published, prepared, opened and
// removed names are durable at once, as the port promises.
import { ByteWriter } from '../../base/bytes.ts';
import type { Random } from '../../base/random.ts';
import type { Disk, DiskFile } from '../../runtime/ports.ts';

const SECTOR_BYTES = 512;
/** A prepared file, mostly a segment of the journal, is made as long as it will be, up to here. */
const GROWN_BYTES = 16_384;

/** Stands for the end of the process that a real disk brings about when it fails. */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure';
}

type Operation = 'publish' | 'remove' | 'open' | 'write' | 'sync' | 'truncate' | 'prepare';
type Held = 'sync' | 'prepare' | 'publish';

/** How a disk behaves; all of it is optional. */
export interface DiskConduct {
  /** Before an operation that changes something. May throw: then it did not happen. */
  begin?(operation: Operation, name: string): void;
  /** A sync, preparation or background publication is to complete, now or at any time later. */
  later?(kind: Held, complete: () => void): void;
  /** Where in the file a write really goes. */
  place?(name: string, offset: number, sizeBytes: number): number;
  /** These bytes are now durable at this place. */
  durable?(name: string, bytes: Uint8Array): void;
}

interface Write {
  readonly kind: 'write';
  readonly offset: number;
  readonly bytes: Uint8Array;
}

type Change = Write | { readonly kind: 'truncate'; readonly sizeBytes: number };

interface VirtualFile {
  /** All behind it, up to `sizeBytes`, is zero: most of a prepared file is never written. */
  durable: Uint8Array;
  sizeBytes: number;
  unsynced: Change[];
}

interface HeldBack {
  readonly kind: Held;
  readonly complete: () => void;
}

export class VirtualDisk implements Disk {
  /** How many operations that change something were begun. */
  operations = 0;
  /** The operation, counted from 1, that fails, perhaps half done, and all after it too. */
  failAt: number = Number.POSITIVE_INFINITY;
  /** While true, syncs and preparations wait for `release`. */
  holdSyncs = false;
  conduct: DiskConduct = {};
  readonly #files = new Map<string, VirtualFile>();
  #held: HeldBack[] = [];

  get fileCount(): number {
    return this.#files.size;
  }

  names(): readonly string[] {
    return [...this.#files.keys()];
  }

  path(name: string): string {
    return name;
  }

  /** Without what is written and not yet synced. */
  sizeOf(name: string): number {
    return this.#file(name).sizeBytes;
  }

  read(name: string): Uint8Array {
    const { durable, sizeBytes, unsynced } = copyOf(this.#file(name));
    const file = { durable, sizeBytes, unsynced: [] };
    for (const change of unsynced) make(change, file);
    const bytes = new Uint8Array(file.sizeBytes);
    bytes.set(file.durable.subarray(0, file.sizeBytes));
    return bytes;
  }

  publish(name: string, parts: readonly Uint8Array[]): void {
    this.#begin('publish', name);
    this.#publish(name, parts);
  }

  publishSoon(name: string, parts: readonly Uint8Array[], published: () => void): void {
    this.#begin('publish', name);
    this.#later('publish', () => {
      this.#publish(name, parts);
      published();
    });
  }

  remove(name: string): void {
    this.#begin('remove', name);
    this.#files.delete(name);
  }

  open(name: string, sizeBytes: number): DiskFile {
    if (!this.#files.has(name)) {
      this.#begin('open', name);
      this.#files.set(name, zeros(sizeBytes));
    }
    const file = this.#file(name);
    return {
      write: (bytes, wished) => {
        const offset = this.conduct.place?.(name, wished, bytes.length) ?? wished;
        const copy = new ByteWriter(bytes.length).raw(bytes).finish();
        const change: Change = { kind: 'write', offset, bytes: copy };
        this.#begin('write', name, () => file.unsynced.push(change));
        file.unsynced.push(change);
      },
      sync: (synced) => {
        this.#begin('sync', name);
        const covered = file.unsynced.length;
        this.#later('sync', () => {
          const changes = file.unsynced;
          file.unsynced = changes.length === covered ? [] : changes.splice(covered);
          this.#settle(name, file, changes);
          synced();
        });
      },
      truncate: (toBytes) => {
        this.#begin('truncate', name);
        file.unsynced.push({ kind: 'truncate', sizeBytes: toBytes });
      },
      close: () => undefined,
    };
  }

  prepare(name: string, sizeBytes: number, ready: () => void): void {
    this.#begin('prepare', name);
    this.#later('prepare', () => {
      if (!this.#files.has(name)) {
        this.#files.set(name, zeros(sizeBytes));
      }
      ready();
    });
  }

  /** Completes the oldest of what is held back, of this kind if given; false when there is none. */
  release(kind?: Held): boolean {
    const next = this.#held.find((held) => kind === undefined || held.kind === kind);
    this.#held = this.#held.filter((held) => held !== next);
    next?.complete();
    return next !== undefined;
  }

  /** What a restarted machine finds; this disk stays as it is. */
  crashed(random: Random): VirtualDisk {
    return this.#survivor((change) => doubtful(change, random));
  }

  /** What a restarted process finds on a machine that went on: all of it, but no more durable. */
  killed(): VirtualDisk {
    const disk = new VirtualDisk();
    for (const [name, file] of this.#files) disk.#files.set(name, copyOf(file));
    return disk;
  }

  /** Of what is not synced, exactly this many bytes of each write reached the disk. */
  loseAllButBytes(kept: number): VirtualDisk {
    return this.#survivor((change) =>
      change.kind === 'write' ? [{ ...change, bytes: change.bytes.slice(0, kept) }] : [],
    );
  }

  /** Damages what is durable, as a decaying disk does. */
  flipBit(name: string, bit: number): void {
    const file = this.#file(name);
    const place = bit >> 3;
    reach(file, place + 1);
    file.durable[place] = (file.durable[place] ?? 0) ^ (1 << (bit & 7));
  }

  #publish(name: string, parts: readonly Uint8Array[]): void {
    const durable = joined(parts);
    this.#files.set(name, { durable, sizeBytes: durable.length, unsynced: [] });
    this.conduct.durable?.(name, durable);
  }

  #settle(name: string, file: VirtualFile, changes: readonly Change[]): void {
    for (const change of changes) make(change, file);
    if (this.conduct.durable === undefined) return;
    for (const change of changes) {
      if (change.kind === 'write') this.conduct.durable(name, change.bytes);
    }
  }

  #survivor(fate: (change: Change) => readonly Change[]): VirtualDisk {
    const disk = new VirtualDisk();
    for (const [name, found] of this.#files) {
      const file = { ...copyOf(found), unsynced: [] };
      for (const change of found.unsynced.flatMap(fate)) make(change, file);
      disk.#files.set(name, file);
    }
    return disk;
  }

  #begin(operation: Operation, name: string, halfDone?: () => void): void {
    this.conduct.begin?.(operation, name);
    this.operations += 1;
    if (this.operations < this.failAt) return;
    if (this.operations === this.failAt) halfDone?.();
    throw new DiskFailure(`EIO: ${operation} ${name}`);
  }

  #later(kind: Held, complete: () => void): void {
    if (this.conduct.later !== undefined) this.conduct.later(kind, complete);
    else if (this.holdSyncs) this.#held.push({ kind, complete });
    else complete();
  }

  #file(name: string): VirtualFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new DiskFailure(`ENOENT: ${name}`);
    return file;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function zeros(sizeBytes: number): VirtualFile {
  return { durable: new Uint8Array(0), sizeBytes, unsynced: [] };
}

function copyOf({ durable, sizeBytes, unsynced }: VirtualFile): VirtualFile {
  return { durable: durable.slice(), sizeBytes, unsynced: [...unsynced] };
}

/** Changes what is durable. */
function make(change: Change, file: VirtualFile): void {
  if (change.kind === 'truncate') {
    file.durable = file.durable.slice(0, change.sizeBytes);
    file.sizeBytes = change.sizeBytes;
    return;
  }
  const end = change.offset + change.bytes.length;
  reach(file, end);
  file.durable.set(change.bytes, change.offset);
  file.sizeBytes = Math.max(file.sizeBytes, end);
}

/** Holds as many bytes in full, and some more, so that a file that grows is not copied each time. */
function reach(file: VirtualFile, endBytes: number): void {
  if (endBytes <= file.durable.length) return;
  const grown = new Uint8Array(Math.max(2 * endBytes, Math.min(file.sizeBytes, GROWN_BYTES)));
  grown.set(file.durable);
  file.durable = grown;
}

function doubtful(change: Change, random: Random): readonly Change[] {
  if (random.chance(1, 4)) return [];
  if (change.kind === 'truncate' || random.chance(1, 4)) return [change];
  const { offset, bytes } = change;
  if (random.chance(1, 2)) {
    return [{ ...change, bytes: bytes.slice(0, random.integer(0, bytes.length)) }];
  }
  const sectors: Change[] = [];
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    if (random.chance(1, 2)) continue;
    sectors.push({ ...change, offset: offset + at, bytes: bytes.slice(at, at + SECTOR_BYTES) });
  }
  return sectors;
}
