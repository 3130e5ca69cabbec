// What a leader knows of one other member: how far its disk is, what is on the way to it.
//
// `replication.ts` keeps one per member while it leads.
// States: `replicate` (a pipeline of appends, which also is the hopeful beginning), `probe` (only empty
// appends until the logs meet again), `snapshot` (it lacks what the log no longer holds).
// Invariants: match < next; match falls within one term only when the member says that its disk has lost
// what it had acknowledged.
import { invariant } from '../../base/errors.ts';
import { IN_FLIGHT_APPENDS_MAX, IN_FLIGHT_BYTES_MAX } from './messages.ts';
import { smoothed } from './pace.ts';

export class Progress {
  state: 'probe' | 'replicate' | 'snapshot' = 'replicate';
  /** Highest index known to be the leader's and on the member's disk. */
  match = 0;
  /** The next index to send. */
  next: number;
  /** The highest confirmation round that the member has answered. */
  answeredRound = 0;
  heardMs: number;
  /** Since when a learner has been near the end of the log; `undefined` while it is not. */
  nearSinceMs: number | undefined;
  sentMs: number;
  /** Where the snapshot transfer stands. */
  snapshotOffset = 0;
  snapshotSentMs: number = Number.NEGATIVE_INFINITY;
  /** The round trip to the member and back, as far as it is known. */
  roundTripMs: number | undefined;
  /** When the newest of our appends that it has answered was sent. */
  answeredSentMs: number = Number.NEGATIVE_INFINITY;
  readonly #inFlightAppendsMax: number;
  /** Last index of each append on its way, oldest first, and beside it its bytes. */
  #inFlight: number[] = [];
  #inFlightSizes: number[] = [];
  #inFlightBytes = 0;

  constructor(next: number, nowMs: number, inFlightAppendsMax: number = IN_FLIGHT_APPENDS_MAX) {
    this.#inFlightAppendsMax = inFlightAppendsMax;
    this.next = next;
    this.heardMs = nowMs;
    this.sentMs = nowMs;
  }

  get canSend(): boolean {
    const { length } = this.#inFlight;
    const hasRoom =
      length < this.#inFlightAppendsMax && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX;
    return this.state === 'replicate' && hasRoom;
  }

  /** The member answered what was sent at `sentMs`, by our own clock; 0: a snapshot, which is not timed. */
  answered(sentMs: number, nowMs: number): void {
    if (sentMs === 0) return;
    this.roundTripMs = smoothed(this.roundTripMs, Math.max(0, nowMs - sentMs));
    this.answeredSentMs = Math.max(this.answeredSentMs, sentMs);
  }

  /** An append that ends at `lastIndex` left for the member. */
  sent(lastIndex: number, bytes: number): void {
    this.#inFlight.push(lastIndex);
    this.#inFlightSizes.push(bytes);
    this.#inFlightBytes += bytes;
    this.next = lastIndex + 1;
  }

  /** The member's disk holds everything up to `index`. Returns whether that is news. */
  matched(index: number): boolean {
    while (this.#inFlight.length > 0 && (this.#inFlight[0] as number) <= index) {
      this.#inFlight.shift();
      this.#inFlightBytes -= this.#inFlightSizes.shift() ?? 0;
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

  /** The member's disk has lost what it held from `index` on. */
  lost(index: number): void {
    this.match = Math.min(this.match, index - 1);
  }

  /** The pipeline was lost: ask where the logs meet, from `next`. */
  probe(next: number = this.match + 1): void {
    this.state = 'probe';
    this.#forgetSent();
    this.next = next;
  }

  needsSnapshot(): void {
    this.state = 'snapshot';
    this.#forgetSent();
    this.snapshotOffset = 0;
    this.snapshotSentMs = Number.NEGATIVE_INFINITY;
  }

  #forgetSent(): void {
    this.#inFlight = [];
    this.#inFlightSizes = [];
    this.#inFlightBytes = 0;
  }
}
