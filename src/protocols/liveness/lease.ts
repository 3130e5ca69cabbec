// The right of a node to act as primary, which ends by itself: a majority of witnesses heard it lately.
//
// `services/appointments` sends the beats that this hands out, tells it what came back, and passes the
// end of the lease on. A lease is counted from when the acknowledged beat was SENT, on this node's own clock;
// witnesses need at least as long again before they call anybody failed, and a witness that did so
// acknowledges nothing until `placement` has its retraction. Hence a node that placement deposes for
// silence has lost its lease before, however late its messages travel.
// Witnesses who have taken their word back acknowledge again, also to a node that was deposed meanwhile and
// has not heard of it: a lease that was over counts only once placement was asked anew.
// Invariants: it ends no later than `LEASE_MS` after the oldest of the beats that a majority acknowledged;
// before it counts again the node has learned what placement decided since.
// Source: Gray and Cheriton 1989; Raft (thesis), section 6.4.1, for the sending time and the drift.
import type { NodeId } from '../../base/id.ts';
import { committedIndex, hasQuorum } from '../../base/quorum.ts';
import type { Beat } from './detector.ts';

export const LEASE_MS = 2_500;
/** How much faster a witness's clock may run than ours, in thousandths. */
export const DRIFT_PER_MILLE = 10;
const LEASE_MS_SURE: number = (LEASE_MS * (1_000 - DRIFT_PER_MILLE)) / 1_000;
/** Beats whose sending is remembered: none older than a lease can still extend one. */
const SENT_MAX = 64;
const NEVER = Number.MIN_SAFE_INTEGER;

/** A witness's answer to a beat. */
export interface Heard extends Beat {
  /** The newest incarnation of this node that the witness knows. */
  readonly known: number;
  /** False while the witness's word that this node failed stands: then it is no acknowledgement. */
  readonly counts: boolean;
}

export class Lease {
  readonly #witnesses: readonly NodeId[];
  readonly #sentMs = new Map<number, number>();
  /** When the latest beat that a witness acknowledged was sent. */
  readonly #acknowledgedMs = new Map<NodeId, number>();
  /** The last beat before the link to a witness broke. */
  readonly #lostAt = new Map<NodeId, number>();
  #incarnation: number;
  #sequence = 0;
  /** Its end as it was last looked at. */
  #endMs = NEVER;
  /** Questions to placement that were begun; from which one on an answer counts; the newest answered one. */
  #asked = 0;
  #needed = 0;
  #answered = 0;

  /** `incarnation` should be higher than that of any process before; a clock that was set back is mended. */
  constructor(witnesses: readonly NodeId[], incarnation: number) {
    this.#witnesses = witnesses;
    this.#incarnation = incarnation;
  }

  /** The next beat, sent now to one witness or to all. */
  beat(nowMs: number): Beat {
    this.#sequence += 1;
    this.#sentMs.set(this.#sequence, nowMs);
    for (const sequence of this.#sentMs.keys()) {
      if (this.#sentMs.size <= SENT_MAX) break;
      this.#sentMs.delete(sequence);
    }
    return { incarnation: this.#incarnation, sequence: this.#sequence };
  }

  /**
   * Takes in a witness's answer. False when the witness takes this process for an older one: then it has
   * a newer incarnation from now on, and should beat again at once.
   */
  heard(witness: NodeId, { incarnation, sequence, known, counts }: Heard): boolean {
    if (known > this.#incarnation) {
      this.#incarnation = known + 1;
      return false;
    }
    const sentMs = this.#sentMs.get(sequence);
    if (!counts || incarnation !== this.#incarnation || sentMs === undefined) return true;
    // What was still on its way when the link broke must not undo that.
    if (sequence <= (this.#lostAt.get(witness) ?? 0)) return true;
    this.#acknowledgedMs.set(witness, Math.max(sentMs, this.#acknowledgedOf(witness)));
    return true;
  }

  /** The link to a witness broke: what it said before counts no more. */
  lost(witness: NodeId): void {
    this.#acknowledgedMs.delete(witness);
    this.#lostAt.set(witness, this.#sequence);
  }

  /**
   * Until when this node may act as primary, on its own clock; long over when it never might, or while it has
   * to ask placement first.
   */
  untilMs(nowMs: number): number {
    const endMs = this.#reachedByMajority() + LEASE_MS_SURE;
    if (endMs > nowMs && this.#endMs <= nowMs) this.#needed = this.#asked + 1;
    this.#endMs = endMs;
    return this.isUnconfirmed ? NEVER : endMs;
  }

  /** What placement decided while there was no lease is not known yet. */
  get isUnconfirmed(): boolean {
    return this.#answered < this.#needed;
  }

  /** Placement is asked now for all that it has decided; returns the number of the question. */
  asks(): number {
    return ++this.#asked;
  }

  /** What placement answered to it has been taken in. */
  answered(question: number): void {
    this.#answered = Math.max(this.#answered, question);
  }

  /** Whether a majority of witnesses have answered something that was sent less than `withinMs` ago. */
  seesMajority(nowMs: number, withinMs: number): boolean {
    const voters = { incoming: this.#witnesses, outgoing: [] };
    return hasQuorum(voters, (witness) => nowMs - this.#acknowledgedOf(witness) < withinMs);
  }

  #reachedByMajority(): number {
    const voters = { incoming: this.#witnesses, outgoing: [] };
    return committedIndex(voters, (witness) => this.#acknowledgedOf(witness));
  }

  #acknowledgedOf(witness: NodeId): number {
    return this.#acknowledgedMs.get(witness) ?? NEVER;
  }
}
