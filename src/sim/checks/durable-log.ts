// What one member of a group has on its disk, as the simulator saw it become durable.
//
// `invariants.ts` keeps one per member and feeds it each journal record when its sync is complete, so
// that it is independent of what the member believes about its own disk.
import type { HardState, LogWrite, Recovered, SnapshotMark } from '../../protocols/raft/messages.ts';

export class DurableLog {
  hardState: HardState = { term: 0, votedFor: undefined };
  /** Up to here a durable checkpoint stands for the entries. */
  #base = 0;
  /** Terms of the entries after the base. */
  #terms: number[] = [];
  /** Where the newest checkpoint file stands, whether the journal knows of it or not. */
  #checkpoint = 0;
  /** Terms of entries that the disk held and lost, by index, while the member is barred from voting. */
  readonly #lost = new Map<number, number>();
  /** How far the log reached whenever a leader of such a term cut it; one sync may hold several cuts. */
  #cuts: { readonly term: number; readonly last: number }[] = [];

  get checkpoint(): number {
    return this.#checkpoint;
  }

  get last(): number {
    return Math.max(this.#base + this.#terms.length, this.#checkpoint);
  }

  /** Whether the entry, or a checkpoint that covers it, is on the disk. */
  holds(index: number, term: number): boolean {
    const isCovered = index <= this.#base || index <= this.#checkpoint;
    return isCovered || this.#terms[index - this.#base - 1] === term;
  }

  /**
   * Whether the disk's log reaches there, or did before a leader of a later term than this one cut it. An
   * acknowledgement for the former leader that waited for the sync which also holds the cut is as true as
   * one that was long on its way: too few others can have joined in it.
   */
  reached(index: number, term: number): boolean {
    return this.last >= index || this.#cuts.some((cut) => cut.term > term && cut.last >= index);
  }

  /**
   * Whether an acknowledgement of the entry still binds: the disk holds it, or held it, and the member
   * elects nobody before it has as much again (`protocols/raft/healing.ts`). A leader that has not heard
   * of the damage goes on counting it, and rightly so: nobody is elected who lacks the entry.
   */
  vouches(index: number, term: number): boolean {
    return this.holds(index, term) || this.#lost.get(index) === term;
  }

  checkpointed(index: number): void {
    this.#checkpoint = Math.max(this.#checkpoint, index);
  }

  write({ hardState, reset, healUntil, entries }: LogWrite): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (healUntil === 0) this.#lost.clear();
    if (reset !== undefined) {
      this.#base = reset.index;
      this.#terms = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.last) this.#cuts.push({ term: this.hardState.term, last: this.last });
    this.#terms.length = Math.max(0, Math.min(this.#terms.length, first.index - this.#base - 1));
    for (const { index, term } of entries) {
      if (index > this.#base) this.#terms.push(term);
      if ((this.#lost.get(index) ?? term) !== term) this.#forgetFrom(index);
    }
  }

  compact(mark: SnapshotMark): void {
    if (mark.index <= this.#base) return;
    this.#terms.splice(0, mark.index - this.#base);
    this.#base = mark.index;
  }

  /** After a start: what was read back is what there is; what a healing member misses it held before. */
  recover({ hardState, snapshot, entries, healUntil = 0 }: Recovered): void {
    this.hardState = hardState;
    this.#cuts = [];
    if (healUntil === 0) this.#lost.clear();
    else this.#terms.forEach((term, i) => this.#lost.set(this.#base + 1 + i, term));
    this.#base = snapshot.index;
    this.#terms = entries.map(({ term }) => term);
  }

  /** Another log stands here now: what was lost from here on is no part of it. */
  #forgetFrom(index: number): void {
    for (const lost of this.#lost.keys()) if (lost >= index) this.#lost.delete(lost);
  }
}
