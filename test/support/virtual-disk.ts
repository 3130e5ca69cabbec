// A disk in memory with a crash model, for tests.
//
// What was written and not synced is in doubt: `crashed` decides for each such write, from a seed,
// whether it is lost, whole, torn at a byte, or there in some sectors only; `loseAllButBytes`
// decides it exactly. Operations can be made to fail (`failAt`: EIO) and syncs be held back (`holdSyncs`).
// Published, prepared, opened and removed names are durable at once, as the port promises.
import { Random } from '../../src/base/random.ts';
import type { Disk, DiskFile } from '../../src/runtime/ports.ts';

const SECTOR_BYTES = 512;

/** Stands for the end of the process that a real disk brings about when it fails. */
export class DiskFailure extends Error {
  override readonly name = 'DiskFailure';
}

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

interface Held {
  readonly kind: 'sync' | 'prepare' | 'publish';
  readonly complete: () => void;
}

interface VirtualFile {
  durable: Uint8Array;
  unsynced: readonly Change[];
}

export class VirtualDisk implements Disk {
  /** How many operations that change something were begun. */
  operations = 0;
  /** The operation, counted from 1, that fails, perhaps half done, and all after it too. */
  failAt: number = Infinity;
  /** While true, syncs and preparations wait for `release`. */
  holdSyncs = false;
  readonly #files = new Map<string, VirtualFile>();
  #held: Held[] = [];

  names(): readonly string[] {
    return [...this.#files.keys()];
  }

  read(name: string): Uint8Array {
    const file = this.#file(name);
    return file.unsynced.reduce(changed, file.durable).slice();
  }

  publish(name: string, parts: readonly Uint8Array[]): void {
    this.#begin('publish');
    const durable = Uint8Array.from(parts.flatMap((part) => [...part]));
    this.#files.set(name, { durable, unsynced: [] });
  }

  publishSoon(name: string, parts: readonly Uint8Array[], published: () => void): void {
    this.#begin('publish');
    this.#later('publish', () => {
      const durable = Uint8Array.from(parts.flatMap((part) => [...part]));
      this.#files.set(name, { durable, unsynced: [] });
      published();
    });
  }

  remove(name: string): void {
    this.#begin('remove');
    this.#files.delete(name);
  }

  open(name: string, sizeBytes: number): DiskFile {
    if (!this.#files.has(name)) {
      this.#begin('open');
      this.#files.set(name, { durable: new Uint8Array(sizeBytes), unsynced: [] });
    }
    const file = this.#file(name);
    return {
      write: (bytes, offset) => {
        const change: Change = { kind: 'write', offset, bytes: bytes.slice() };
        this.#begin('write', () => (file.unsynced = [...file.unsynced, change]));
        file.unsynced = [...file.unsynced, change];
      },
      sync: (synced) => {
        this.#begin('sync');
        const covered = file.unsynced.length;
        this.#later('sync', () => {
          file.durable = file.unsynced.slice(0, covered).reduce(changed, file.durable);
          file.unsynced = file.unsynced.slice(covered);
          synced();
        });
      },
      truncate: (sizeBytes) => {
        this.#begin('truncate');
        file.unsynced = [...file.unsynced, { kind: 'truncate', sizeBytes }];
      },
      close: () => undefined,
    };
  }

  prepare(name: string, sizeBytes: number, ready: () => void): void {
    this.#begin('prepare');
    this.#later('prepare', () => {
      if (!this.#files.has(name)) {
        this.#files.set(name, { durable: new Uint8Array(sizeBytes), unsynced: [] });
      }
      ready();
    });
  }

  /** Completes the oldest of what is held back, of this kind if given; false when there is none. */
  release(kind?: Held['kind']): boolean {
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
      disk.#files.set(name, { durable: durable.slice(), unsynced });
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

  #survivor(fate: (change: Change) => readonly Change[]): VirtualDisk {
    const disk = new VirtualDisk();
    for (const [name, { durable, unsynced }] of this.#files) {
      const survived = unsynced.flatMap(fate);
      disk.#files.set(name, {
        durable: survived.reduce(changed, durable).slice(),
        unsynced: [],
      });
    }
    return disk;
  }

  #begin(operation: string, halfDone?: () => void): void {
    this.operations += 1;
    if (this.operations < this.failAt) return;
    if (this.operations === this.failAt) halfDone?.();
    throw new DiskFailure(`EIO: ${operation}`);
  }

  #later(kind: Held['kind'], complete: () => void): void {
    if (this.holdSyncs) this.#held.push({ kind, complete });
    else complete();
  }

  #file(name: string): VirtualFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new DiskFailure(`ENOENT: ${name}`);
    return file;
  }
}

function changed(before: Uint8Array, change: Change): Uint8Array {
  const end = change.kind === 'write' ? change.offset + change.bytes.length : change.sizeBytes;
  const size = change.kind === 'write' ? Math.max(before.length, end) : end;
  const after = new Uint8Array(size);
  after.set(before.subarray(0, size));
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
