// A disk in memory with a crash model: the `Disk` port for simulated worlds and for tests.
//
// What was written and not synced is in doubt: `crashed` decides for each such write, from a seed,
// whether it is lost, whole, torn at a byte, or there in some sectors only; `loseAllButBytes`
// decides it exactly. Operations can be made to fail (`failAt`: EIO) and syncs be held back (`holdSyncs`).
// A `conduct` gives a simulated world the last word on each operation. Published, prepared, opened and
// removed names are durable at once, as the port promises.
import type { Random } from '../base/random.ts';
import type { Disk, DiskFile } from '../runtime/ports.ts';

const SECTOR_BYTES = 512;

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
  durable: Uint8Array;
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

  names(): readonly string[] {
    return [...this.#files.keys()];
  }

  read(name: string): Uint8Array {
    const file = this.#file(name);
    return file.unsynced.reduce(changed, file.durable.slice());
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
      this.#files.set(name, { durable: new Uint8Array(sizeBytes), unsynced: [] });
    }
    const file = this.#file(name);
    return {
      write: (bytes, wished) => {
        const offset = this.conduct.place?.(name, wished, bytes.length) ?? wished;
        const change: Change = { kind: 'write', offset, bytes: bytes.slice() };
        this.#begin('write', name, () => file.unsynced.push(change));
        file.unsynced.push(change);
      },
      sync: (synced) => {
        this.#begin('sync', name);
        const covered = file.unsynced.length;
        this.#later('sync', () => {
          this.#settle(name, file, file.unsynced.splice(0, covered));
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
        this.#files.set(name, { durable: new Uint8Array(sizeBytes), unsynced: [] });
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
    for (const [name, { durable, unsynced }] of this.#files) {
      disk.#files.set(name, { durable: durable.slice(), unsynced: [...unsynced] });
    }
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
    const { durable } = this.#file(name);
    durable[bit >> 3] = (durable[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }

  #publish(name: string, parts: readonly Uint8Array[]): void {
    const durable = joined(parts);
    this.#files.set(name, { durable, unsynced: [] });
    this.conduct.durable?.(name, durable);
  }

  #settle(name: string, file: VirtualFile, changes: readonly Change[]): void {
    file.durable = changes.reduce(changed, file.durable);
    if (this.conduct.durable === undefined) return;
    for (const change of changes) {
      if (change.kind === 'write') this.conduct.durable(name, change.bytes);
    }
  }

  #survivor(fate: (change: Change) => readonly Change[]): VirtualDisk {
    const disk = new VirtualDisk();
    for (const [name, { durable, unsynced }] of this.#files) {
      const survived = unsynced.flatMap(fate);
      disk.#files.set(name, { durable: survived.reduce(changed, durable.slice()), unsynced: [] });
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

/** Changes `before` itself where its length stays. */
function changed(before: Uint8Array, change: Change): Uint8Array {
  const end = change.kind === 'write' ? change.offset + change.bytes.length : change.sizeBytes;
  const size = change.kind === 'write' ? Math.max(before.length, end) : end;
  const after = size === before.length ? before : new Uint8Array(size);
  if (after !== before) after.set(before.subarray(0, size));
  if (change.kind === 'write') after.set(change.bytes, change.offset);
  return after;
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
