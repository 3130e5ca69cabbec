// A member whose disk lost entries that it may have acknowledged: it follows, and votes only when it holds
// as much again.
//
// `node.ts` calls it. Recovery finds the damage and says up to which index entries had been on the disk;
// the member begins without them. It takes the log from its leader like any that trails, and what is on
// its disk then counts like everybody's. But its vote would tell a candidate "I know nothing newer",
// and that may have been forgotten: so it neither votes nor campaigns until a leader has verified its log
// up to that index and its disk holds it, or up to an entry of a later term than all it can have known.
// Why that is enough: whatever it had acknowledged and was committed lies at or before that index; every
// leader elected without its forgetful vote holds it, and its log is now that leader's up to there. The
// second way is for a tail that nobody else had: a leader of a later term was elected without us.
// Limit: while a majority heals nobody can be elected; then nodes must be replaced.
// Source: Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage" (FAST 2018).
import type { RaftState } from './state.ts';

/** A leader has verified our log up to `index`. */
export function noteVerified(s: RaftState, index: number): void {
  if (s.isHealing) s.verified = Math.max(s.verified, index);
}

/** The disk has moved on: perhaps all that was lost is there again. */
export function endHealing(s: RaftState): void {
  if (!s.isHealing) return;
  const index = Math.min(s.verified, s.durability.index);
  const isOfLaterTerm = (s.log.termAt(index) ?? 0) > s.healTerm;
  if (index < s.healUntil && !isOfLaterTerm) return;
  s.healUntil = 0;
  s.outbox.healed = true;
}
