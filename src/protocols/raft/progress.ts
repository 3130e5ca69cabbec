// What a leader knows of one other member: how far its disk is, what is on the way to it.
//
// `replication.ts` keeps one per member while it leads.
// States: `replicate` (a pipeline of appends, which also is the hopeful beginning), `probe` (only empty
// appends until the logs meet again), `snapshot` (it lacks what the log no longer holds).
// Invariants: match < next; match never falls within one term.
import { invariant } from '../../base/errors.ts';
import { IN_FLIGHT_APPENDS_MAX } from './messages.ts';

export class Progress {
  state: 'probe' | 'replicate' | 'snapshot' = 'replicate';
  /** Highest index known to be the leader's and on the member's disk. */
  match = 0;
  /** The next index to send. */
  next: number;
  /** The highest confirmation round that the member has answered. */
  answeredRound = 0;
  heardMs: number;
  sentMs: number;
  /** Where the snapshot transfer stands. */
  snapshotOffset = 0;
  snapshotSentMs: number = Number.NEGATIVE_INFINITY;
  /** Last index of each append on its way, oldest first. */
  #inFlight: number[] = [];

  constructor(next: number, nowMs: number) {
    this.next = next;
    this.heardMs = nowMs;
    this.sentMs = nowMs;
  }

  get canSend(): boolean {
    return this.state === 'replicate' && this.#inFlight.length < IN_FLIGHT_APPENDS_MAX;
  }

  /** An append that ends at `lastIndex` left for the member. */
  sent(lastIndex: number): void {
    this.#inFlight.push(lastIndex);
    this.next = lastIndex + 1;
  }

  /** The member's disk holds everything up to `index`. Returns whether that is news. */
  matched(index: number): boolean {
    while (this.#inFlight.length > 0 && (this.#inFlight[0] as number) <= index) {
      this.#inFlight.shift();
    }
    if (this.state !== 'replicate') {
      this.state = 'replicate';
      this.next = Math.max(this.match, index) + 1;
    }
    this.next = Math.max(this.next, index + 1);
    const news = index > this.match;
    if (news) this.match = index;
    invariant(this.match < this.next, 'a member is never sent what it is known to hold');
    return news;
  }

  /**
   * The member lacks our entry at `prevIndex`; it proposes to go on from `nextIndex`. Returns false for
   * the answer to an append that is no longer the newest question: it means nothing now.
   */
  conflicted(prevIndex: number, nextIndex: number): boolean {
    if (this.state === 'snapshot' || prevIndex <= this.match) return false;
    if (this.state === 'probe' && prevIndex !== this.next - 1) return false;
    if (prevIndex >= this.next) return false;
    this.probe(Math.max(this.match + 1, Math.min(nextIndex, prevIndex)));
    return true;
  }

  /** The pipeline was lost: ask where the logs meet, from `next`. */
  probe(next: number = this.match + 1): void {
    this.state = 'probe';
    this.#inFlight = [];
    this.next = next;
  }

  needsSnapshot(): void {
    this.state = 'snapshot';
    this.#inFlight = [];
    this.snapshotOffset = 0;
    this.snapshotSentMs = Number.NEGATIVE_INFINITY;
  }
}
