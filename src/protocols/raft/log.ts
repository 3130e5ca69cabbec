// The log in memory: a contiguous run of entries after a base, with the terms it needs for matching.
//
// `state.ts` owns one per group. What lies at or before the base has become part of a snapshot. A few
// entries before the newest snapshot are kept, so that a follower that trails a little needs no snapshot.
// Invariants: entries are contiguous from `base.index + 1`; terms and times never fall along the log.
// Source: Raft (thesis), sections 3.5 and 5.1.
import { invariant } from '../../base/errors.ts';
import type { Entry, SnapshotMark } from './messages.ts';

export class RaftLog {
  #baseIndex: number;
  #baseTerm: number;
  #baseTimeMs: number;
  #entries: Entry[];

  constructor(base: SnapshotMark, entries: readonly Entry[]) {
    this.#baseIndex = base.index;
    this.#baseTerm = base.term;
    this.#baseTimeMs = base.timeMs;
    this.#entries = [...entries];
    const first = entries[0];
    invariant(
      first === undefined || first.index === base.index + 1,
      'a log begins directly after its snapshot',
    );
  }

  /** Everything up to here is no longer held as entries. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#baseTerm;
  }

  get lastTimeMs(): number {
    return this.#entries.at(-1)?.timeMs ?? this.#baseTimeMs;
  }

  /** The term of the entry at `index`; `undefined` when it is not there or long compacted. */
  termAt(index: number): number | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.entryAt(index)?.term;
  }

  entryAt(index: number): Entry | undefined {
    return index > this.#baseIndex ? this.#entries[index - this.#baseIndex - 1] : undefined;
  }

  /** Entries from `from` on, as many as both limits allow, at least one when there is one. */
  read(from: number, countMax: number, bytesMax: number): Entry[] {
    invariant(from > this.#baseIndex, 'only entries that are held can be read');
    const start = from - this.#baseIndex - 1;
    let bytes = 0;
    let end = start;
    while (end < this.#entries.length && end - start < countMax) {
      bytes += (this.#entries[end] as Entry).data.length;
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return this.#entries.slice(start, end);
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, 'entries are appended without a gap');
    invariant(entry.term >= this.lastTerm, 'terms never fall along the log');
    this.#entries.push(entry);
  }

  /** Drops `from` and everything after it. */
  truncate(from: number): void {
    invariant(from > this.#baseIndex, 'what a snapshot holds is never truncated');
    this.#entries.length = Math.min(this.#entries.length, from - this.#baseIndex - 1);
  }

  /** Drops the entries up to `index`, which a snapshot holds. */
  compact(index: number): void {
    if (index <= this.#baseIndex) return;
    const last = this.entryAt(index);
    invariant(last !== undefined, 'only what the log holds can be compacted');
    this.#entries = this.#entries.slice(index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = last.term;
    this.#baseTimeMs = last.timeMs;
  }

  /** Makes the log begin after a received snapshot; keeps what follows it if that is the same log. */
  restart(mark: SnapshotMark): void {
    if (this.termAt(mark.index) === mark.term) {
      this.compact(mark.index);
      return;
    }
    this.#entries = [];
    this.#baseIndex = mark.index;
    this.#baseTerm = mark.term;
    this.#baseTimeMs = mark.timeMs;
  }

  /** Whether a log that ends so is at least as complete as this one (section 3.6.1). */
  isAtMost(lastIndex: number, lastTerm: number): boolean {
    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm;
    return lastIndex >= this.lastIndex;
  }

  /** The first index that has the term of the entry at `index`: a conflict skips a whole term. */
  firstOfTermAt(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.#baseIndex && this.termAt(first - 1) === term) first -= 1;
    return first;
  }

  /** The newest entry at or before `upTo` that changes the members. */
  newestConfiguration(upTo: number = this.lastIndex): Entry | undefined {
    return this.#entries.findLast(
      (entry) => entry.kind === 'configuration' && entry.index <= upTo,
    );
  }
}
