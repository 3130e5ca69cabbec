// A region's log in memory: the newest entries, and the epochs of all of them.
//
// `state.ts` owns one per copy. What lies at or before the base has become part of a checkpoint; some
// entries before the newest checkpoint are kept, so that a replica that trails a little needs no state.
// Invariants: entries are contiguous from the base on; epochs and times never fall along the log.
import { invariant } from '../../base/errors.ts';
import { Epochs } from './epochs.ts';
import type { Entry, EpochRun, Mark, Position } from './messages.ts';

export class RegionLog {
  #base: Position & { readonly timeMs: number };
  #entries: Entry[];
  #epochs: Epochs;

  constructor(mark: Mark, entries: readonly Entry[]) {
    this.#base = mark;
    this.#epochs = new Epochs(mark.runs);
    this.#entries = [];
    for (const entry of entries) this.append(entry);
  }

  /** Everything up to here is no longer held as entries. */
  get base(): number {
    return this.#base.sequence;
  }

  get last(): number {
    return this.#base.sequence + this.#entries.length;
  }

  get lastEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? this.#base.epoch;
  }

  get lastTimeMs(): number {
    return this.#entries.at(-1)?.timeMs ?? this.#base.timeMs;
  }

  epochAt(sequence: number): number | undefined {
    if (sequence > this.last) return undefined;
    return sequence === this.base ? this.#base.epoch : this.#epochs.epochAt(sequence);
  }

  entryAt(sequence: number): Entry | undefined {
    return sequence > this.base ? this.#entries[sequence - this.base - 1] : undefined;
  }

  holds({ epoch, sequence }: Position): boolean {
    return sequence <= this.last && this.epochAt(sequence) === epoch;
  }

  runsUpTo(sequence: number): readonly EpochRun[] {
    return this.#epochs.upTo(sequence);
  }

  /** How far another log agrees with this one. */
  common(other: { readonly last: number; readonly runs: readonly EpochRun[] }): number {
    return this.#epochs.common(this.last, other);
  }

  /** Entries `[from, to]`, as many as both limits allow, at least one when there is one. */
  read(from: number, to: number, limits: { readonly count: number; readonly bytes: number }): Entry[] {
    invariant(from > this.base, 'only entries that are held can be read');
    const start = from - this.base - 1;
    const stop = Math.min(to - this.base, this.#entries.length, start + limits.count);
    let bytes = 0;
    let end = start;
    for (; end < stop; end++) {
      bytes += (this.#entries[end] as Entry).data.length;
      if (bytes > limits.bytes && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  append(entry: Entry): void {
    invariant(entry.sequence === this.last + 1, 'entries are appended without a gap');
    invariant(entry.timeMs >= this.lastTimeMs, 'times never fall along the log');
    this.#entries.push(entry);
    this.#epochs.appended(entry.epoch, entry.sequence);
  }

  /** Drops `from` and everything after it. */
  cut(from: number): void {
    invariant(from > this.base, 'what a checkpoint holds is never cut off');
    this.#entries.length = Math.min(this.#entries.length, from - this.base - 1);
    this.#epochs.cut(from);
  }

  /** Drops the entries up to `sequence`, which a checkpoint holds. */
  compact(sequence: number): void {
    const last = this.entryAt(sequence);
    if (last === undefined) return;
    this.#entries = this.#entries.slice(sequence - this.base);
    this.#base = last;
  }

  /** Begins after a received state; keeps what follows it if that is the same log. */
  restart(mark: Mark): void {
    if (this.holds(mark)) {
      this.compact(mark.sequence);
      return;
    }
    this.#entries = [];
    this.#base = mark;
    this.#epochs = new Epochs(mark.runs);
  }
}
