// Linearizable reads without a log entry: ReadIndex rounds.
//
// A read is answered with the commit index of the moment a confirmation round began, once a quorum has
// answered that round or a later one. Rounds are numbered by the leader, never by the asker: an answer
// to an older round then proves nothing about a newer read (catalogue row 32).
// Source: Raft (thesis), section 6.4.

export const READS_WAITING_MAX = 16_384;

interface Round {
  readonly number: number;
  readonly index: number;
  readonly tickets: readonly number[];
}

export class Reads {
  /** The newest round; every append carries it. */
  round = 0;
  #unsent: number[] = [];
  #confirming: Round[] = [];
  #waiting = 0;

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  get isConfirming(): boolean {
    return this.#confirming.length > 0;
  }

  /** False when too many wait already: then nothing was asked. */
  ask(ticket: number): boolean {
    if (this.#waiting >= READS_WAITING_MAX) return false;
    this.#waiting += 1;
    this.#unsent.push(ticket);
    return true;
  }

  /** Begins a round for all reads that wait, at the given commit index. */
  begin(commit: number): void {
    this.round += 1;
    this.#confirming.push({ number: this.round, index: commit, tickets: this.#unsent });
    this.#unsent = [];
  }

  /** Hands out the reads of all rounds that `isConfirmed` holds for, oldest first. */
  resolve(
    isConfirmed: (round: number) => boolean,
    each: (ticket: number, index: number) => void,
  ): void {
    while (this.#confirming.length > 0) {
      const oldest = this.#confirming[0] as Round;
      if (!isConfirmed(oldest.number)) return;
      this.#confirming.shift();
      this.#waiting -= oldest.tickets.length;
      for (const ticket of oldest.tickets) each(ticket, oldest.index);
    }
  }

  /** Leadership ended: returns every read that waits. None was served. */
  abandon(): number[] {
    const tickets = [...this.#confirming.flatMap((round) => round.tickets), ...this.#unsent];
    this.#unsent = [];
    this.#confirming = [];
    this.#waiting = 0;
    this.round = 0;
    return tickets;
  }
}
