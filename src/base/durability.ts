// Which of our own entries are on our disk, although writes end later than they begin.
//
// The cores of both kinds of replication own one for each log. The disk answers for numbered writes, in
// order. An entry that was overwritten in the meantime must not count because an older write of the same
// index has ended (catalogue rows 21 and 22: the ABA of asynchronous writes), so a truncation also cuts
// what pending writes may claim.

export class Durability {
  /** Everything up to here is the log as it stands in memory, and durable. */
  index: number;
  #issued = 0;
  #persisted = 0;
  #pending: { number: number; lastIndex: number; readonly sinceMs: number }[] = [];

  constructor(index: number) {
    this.index = index;
  }

  /** The number of the newest write that was handed to the disk. */
  get issued(): number {
    return this.#issued;
  }

  get idle(): boolean {
    return this.#persisted === this.#issued;
  }

  /** All writes up to this number are durable. */
  get persistedNumber(): number {
    return this.#persisted;
  }

  /** Since when the disk owes us the oldest write; Infinity when it owes none. */
  get owedSinceMs(): number {
    return this.#pending[0]?.sinceMs ?? Number.POSITIVE_INFINITY;
  }

  /** A write leaves that makes the log durable up to `lastIndex`. Returns its number. */
  issue(lastIndex: number, nowMs: number): number {
    this.#issued += 1;
    this.#pending.push({ number: this.#issued, lastIndex, sinceMs: nowMs });
    return this.#issued;
  }

  /** All writes up to `number` are durable. */
  persisted(number: number): void {
    this.#persisted = Math.max(this.#persisted, number);
    while (this.#pending.length > 0) {
      const oldest = this.#pending[0] as { number: number; lastIndex: number };
      if (oldest.number > number) break;
      this.#pending.shift();
      this.index = Math.max(this.index, oldest.lastIndex);
    }
  }

  /** The log was cut at `from`: nothing at or after it is durable any more. */
  truncated(from: number): void {
    this.index = Math.min(this.index, from - 1);
    for (const write of this.#pending) write.lastIndex = Math.min(write.lastIndex, from - 1);
  }
}
