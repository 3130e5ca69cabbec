// How patient a group is: its timeouts follow the round trips between its members.
//
// Members of one machine or city answer in a millisecond or two and keep the timeouts that were set. A
// group that spans oceans would call its leader dead for being far away: it waits at least ten round
// trips. The leader measures and tells everybody; who campaigns measures too, since a group that starts
// across oceans could otherwise give up every campaign before an answer can arrive.
// A machine that has too much to do lets its leader speak late, and its followers hear late: they remember
// how late, for a while, and wait so much longer.
// Invariant: never less patient than the options say. Integers only.
// Source: Raft (thesis), section 9.3 (timeouts of ten times the spread of the network latency).

/** Election timeouts are at least so many round trips. */
const ROUND_TRIPS_MIN = 10;
/** However far away the members are, a lost leader is noticed within twice this. */
export const PACED_ELECTION_MS_MAX = 3_000;

/**
 * Towards the least of what was measured lately: it halves its distance to a shorter round trip at once
 * and approaches longer ones slowly, so that one late answer of a busy machine means little.
 */
export function smoothed(formerMs: number | undefined, measuredMs: number): number {
  if (formerMs === undefined) return measuredMs;
  if (measuredMs < formerMs) return formerMs - Math.ceil((formerMs - measuredMs) / 2);
  return formerMs + Math.ceil((measuredMs - formerMs) / 8);
}

/** The shortest election timeout for a group with this round trip. */
export function pacedElectionMs(wishedMs: number, roundTripMs: number): number {
  return Math.max(wishedMs, Math.min(ROUND_TRIPS_MIN * roundTripMs, PACED_ELECTION_MS_MAX));
}

/** Lateness is remembered in full for so long, and then by half of what it was, again and again. */
const REMEMBERED_MS = 2_000;

/** By how much a leader that lives has lately exceeded the time between two heartbeats. */
export class Lateness {
  #ms = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  get ms(): number {
    return this.#ms;
  }

  /** It spoke at `nowMs`, so much later than it should. */
  note(lateMs: number, nowMs: number): void {
    if (lateMs >= this.#ms) this.#ms = Math.max(0, lateMs);
    else if (nowMs - this.#atMs < REMEMBERED_MS) return;
    else this.#ms = Math.floor(this.#ms / 2);
    this.#atMs = nowMs;
  }
}
