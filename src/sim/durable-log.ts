// What one member of a group has on its disk, as the simulator saw it become durable.
//
// `invariants.ts` keeps one per member and feeds it each journal record when its sync is complete, so
// that it is independent of what the member believes about its own disk.
import type { HardState, LogWrite, Recovered, SnapshotMark } from '../protocols/raft/messages.ts';

export class DurableLog {
  hardState: HardState = { term: 0, votedFor: undefined };
  /** Up to here a durable checkpoint stands for the entries. */
  #base = 0;
  /** Terms of the entries after the base. */
  #terms: number[] = [];
  /** Where the newest checkpoint file stands, whether the journal knows of it or not. */
  #checkpoint = 0;

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

  checkpointed(index: number): void {
    this.#checkpoint = Math.max(this.#checkpoint, index);
  }

  write({ hardState, reset, entries }: LogWrite): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (reset !== undefined) {
      this.#base = reset.index;
      this.#terms = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    this.#terms.length = Math.max(0, Math.min(this.#terms.length, first.index - this.#base - 1));
    for (const { index, term } of entries) if (index > this.#base) this.#terms.push(term);
  }

  compact(mark: SnapshotMark): void {
    if (mark.index <= this.#base) return;
    this.#terms.splice(0, mark.index - this.#base);
    this.#base = mark.index;
  }

  /** After a start: what was read back is what there is. */
  recover({ hardState, snapshot, entries }: Recovered): void {
    this.hardState = hardState;
    this.#base = snapshot.index;
    this.#terms = entries.map(({ term }) => term);
  }
}
