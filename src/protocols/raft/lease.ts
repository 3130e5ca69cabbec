// Reads without a confirmation round, by a lease: off unless `RaftOptions.leaseDriftPerMille` is set.
//
// Followers that have heard a leader vote for nobody else for the shortest election timeout. A leader
// that a quorum has answered may therefore read alone for that long, counted from when the answered
// messages were SENT, less what the members' clocks may drift apart in rate. The price: with leases on,
// a lost link is no hint any more and a member that starts keeps still first, so a dead leader is only
// noticed by the timer.
// Invariants: no lease once leadership is being handed over in this term, nor before a quorum has
// answered something that was sent after this process stood still (catalogue row 33).
// Source: Raft (thesis), section 6.4.1.
import { committedIndex } from '../../base/quorum.ts';
import type { RaftState } from './state.ts';

/** Clocks count whole milliseconds: a span that reads as n may have lasted nearly so much more or less. */
const TICK_MS = 1;

/** Whether this leader may read at its commit index right now. */
export function holdsLease(s: RaftState): boolean {
  const { leaseDriftPerMille: drift, electionMsMin } = s.options;
  if (drift === undefined || s.role !== 'leader' || s.leaseEnded) return false;
  const fromMs = committedIndex(s.membership, (node) =>
    node === s.self ? s.nowMs : (s.progress.get(node)?.answeredSentMs ?? Number.NEGATIVE_INFINITY),
  );
  const isSinceStall = fromMs > s.stalledAtMs;
  const passedMs = s.nowMs - fromMs + TICK_MS;
  return isSinceStall && passedMs * 1_000 < (electionMsMin - TICK_MS) * (1_000 - drift);
}
