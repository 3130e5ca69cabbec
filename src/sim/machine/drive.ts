// What holds the files of a simulated machine, and how it misbehaves: a disk that outlives processes.
//
// A global node has one, a region node one for each copy of a region. `nemesis.ts` sets how it misbehaves.
import { CorruptionError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { nextSector, recordAt } from '../../runtime/journal-record.ts';
import { type DiskConduct, DiskFailure, VirtualDisk } from './disk.ts';
import type { Plan } from '../plan/plan.ts';
import type { VirtualProcess } from './process.ts';
import type { EventQueue } from './queue.ts';

const NEAR_END = 6;

export interface DriveOptions {
  readonly plan: Plan;
  readonly queue: EventQueue;
  readonly random: Random;
  /** These bytes of a file are on the disk now. */
  readonly durable: (name: string, bytes: Uint8Array) => void;
}

export class Drive {
  disk: VirtualDisk = new VirtualDisk();
  syncUsMax: number;
  syncExtraUs = 0;
  hungUntilUs = 0;
  isFull = false;
  failsNext: 'write' | 'sync' | undefined;
  misdirectsNext = false;
  isDamaged = false;
  /** Since it was last read. */
  machineDied = true;
  /** How often a process has found it as it is, since it was empty. */
  starts = 0;
  readonly #o: DriveOptions;

  constructor(options: DriveOptions) {
    this.#o = options;
    this.syncUsMax = options.plan.syncUsMax;
  }

  /** The disk as a process that starts finds it. */
  attach(life: VirtualProcess): VirtualDisk {
    this.starts += 1;
    this.disk.conduct = this.#conduct(life);
    return this.disk;
  }

  /** What it keeps when the process, or with it the machine, has ended. */
  ended(power: boolean, cause: unknown): void {
    // After a failed sync nobody knows what the disk holds: as if the machine had died.
    const inDoubt = power || cause instanceof DiskFailure;
    this.disk = inDoubt ? this.disk.crashed(this.#o.random) : this.disk.killed();
    this.machineDied ||= inDoubt;
  }

  /** Nothing is on it any more. */
  wipe(): void {
    this.disk = new VirtualDisk();
    this.starts = 0;
    this.machineDied = true;
    this.isDamaged = false;
  }

  mayEndBy(cause: unknown): boolean {
    if (cause instanceof DiskFailure) return true;
    return this.isDamaged && cause instanceof CorruptionError;
  }

  /** Flips a bit where a checksum must find it. The newest record is spared: it can not be told
   * from a torn one. Returns whether there was anything to damage. */
  rot(file: 'journal' | 'checkpoint'): boolean {
    const { random } = this.#o;
    const isJournal = file === 'journal';
    const places = isJournal ? this.#recordPlaces().slice(0, -1) : this.#checkpointPlaces();
    // What is near the end is still needed; what is older may be covered by a checkpoint, or by a newer one.
    const needed = isJournal ? places.slice(-NEAR_END) : newestOfEach(places);
    const place = random.pick(random.chance(1, 2) ? needed : places);
    if (place === undefined) return false;
    const bit = random.integer(place.start * 8, place.end * 8 - 1);
    this.disk.flipBit(place.name, bit);
    this.isDamaged = true;
    return true;
  }

  /** What a copy of a region keeps here, but for lost tails: those stay until an operator has seen them. */
  copyFiles(): { readonly files: number; readonly stateBytes: number } {
    const names = this.disk.names().filter((name) => !name.startsWith('lost'));
    const checkpoints = names.filter((name) => name.startsWith('checkpoint'));
    const sizes = checkpoints.map((name) => this.disk.sizeOf(name));
    return { files: names.length, stateBytes: Math.max(0, ...sizes) };
  }

  #conduct(life: VirtualProcess): DiskConduct {
    const { plan, queue, random, durable } = this.#o;
    return {
      begin: (operation) => {
        life.touch();
        if (this.isFull && operation !== 'sync' && operation !== 'remove') {
          throw new DiskFailure(`ENOSPC: ${operation}`);
        }
        if (this.failsNext !== operation) return;
        this.failsNext = undefined;
        throw new DiskFailure(`EIO: ${operation}`);
      },
      later: (kind, complete) => {
        const hungUs = Math.max(0, this.hungUntilUs - queue.nowUs);
        const ownUs = this.syncUsMax === 0 ? 0 : random.integer(0, this.syncUsMax);
        const delayUs = hungUs + this.syncExtraUs + ownUs;
        if (kind !== 'sync' || plan.isDiskAsync) {
          queue.after(delayUs, () => life.take('disk', complete));
        } else {
          life.standStill(delayUs);
          complete();
        }
      },
      place: (name, offset, sizeBytes) => this.#place(name, offset, sizeBytes),
      durable,
    };
  }

  /**
   * A misdirected write lands on older records of the same file, and spares the newest one there: with
   * that gone too, the file would look torn and nothing else.
   */
  #place(name: string, offset: number, sizeBytes: number): number {
    if (!this.misdirectsNext) return offset;
    const places = this.#recordPlaces().filter((place) => place.name === name);
    const newest = places.pop();
    const roomy = places.filter(({ start }) => start + sizeBytes <= (newest?.start ?? 0));
    const victim = this.#o.random.pick(roomy);
    if (victim === undefined) return offset;
    this.misdirectsNext = false;
    this.isDamaged = true;
    return victim.start;
  }

  #recordPlaces(): readonly Place[] {
    const places: Place[] = [];
    for (const name of this.disk.names().filter((each) => each.startsWith('journal')).sort()) {
      const bytes = this.disk.read(name);
      for (let at = 0; ; ) {
        const record = recordAt(bytes, at);
        if (record === undefined) break;
        places.push({ name, start: at, end: record.end });
        at = nextSector(record.end);
      }
    }
    return places;
  }

  #checkpointPlaces(): readonly Place[] {
    const names = this.disk.names().filter((name) => name.startsWith('checkpoint')).sort();
    return names.map((name) => ({ name, start: 0, end: this.disk.read(name).length }));
  }
}

/** Of each group or region the checkpoint that a start begins with. Names are in order of places. */
function newestOfEach(checkpoints: readonly Place[]): readonly Place[] {
  const byOwner = new Map(checkpoints.map((place) => [place.name.split('-')[1], place]));
  return [...byOwner.values()];
}

interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}
