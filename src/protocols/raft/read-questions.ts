// Which reads wait for an answer across the network: a follower's own, and those that a leader is asked.
//
// `state.ts` owns one, `follower-reads.ts` uses it. Bounded: a follower asks no more than
// `READS_WAITING_MAX` at a time, and a leader counts what it is asked among its own reads.
// Numbers begin at a random place: an answer to a question of a former life of this process must not
// fit one of today.
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';

/** Questions on their way to the leader, and those of others that this leader is asked. */
export class ReadQuestions {
  #nextNumber: number;
  /** Our own, by number, oldest first. */
  readonly asked: Map<number, { readonly ticket: number; readonly untilMs: number }> = new Map();
  /** Whom the leader's tickets below zero belong to. */
  readonly served: Map<number, { readonly from: NodeId; readonly number: number }> = new Map();
  #nextTicket = -1;

  constructor(random: Random) {
    this.#nextNumber = random.integer(1, 2 ** 31) * 2 ** 16;
  }

  get dueMs(): number {
    for (const { untilMs } of this.asked.values()) return untilMs;
    return Number.POSITIVE_INFINITY;
  }

  takeNumber(): number {
    this.#nextNumber += 1;
    return this.#nextNumber;
  }

  takeTicket(): number {
    this.#nextTicket -= 1;
    return this.#nextTicket;
  }
}
