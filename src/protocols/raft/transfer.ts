// Handing leadership over on purpose: a leaving leader costs the group no election timeout.
//
// `node.ts` calls it. The leader stops taking proposals, brings the target up to its own last entry and
// tells it to campaign at once; if that has not happened within an election timeout, it goes on leading.
// Source: Raft (thesis), section 3.10.
import type { NodeId } from '../../base/id.ts';
import { campaign } from './election.ts';
import type { Message } from './messages.ts';
import type { RaftState } from './state.ts';

/** `refused`: the target does not vote here, leads already, or another transfer is under way. */
export type Transferred =
  | { readonly kind: 'begun' }
  | { readonly kind: 'not-leader'; readonly leader: NodeId | undefined }
  | { readonly kind: 'refused'; readonly cause: 'no-voter' | 'leads-already' | 'transferring' };

export function transferTo(s: RaftState, target: NodeId): Transferred {
  if (s.role !== 'leader') return { kind: 'not-leader', leader: s.leader };
  if (target === s.self) return { kind: 'refused', cause: 'leads-already' };
  if (s.transfer !== undefined) return { kind: 'refused', cause: 'transferring' };
  return beginTransfer(s, target) ? { kind: 'begun' } : { kind: 'refused', cause: 'no-voter' };
}

/**
 * Our disk does not answer: whoever has all that we sent may lead at once, and we follow in any case
 * (catalogue row 14).
 */
export function giveWay(s: RaftState): void {
  const target = bestSuccessor(s);
  if (target !== undefined && s.progress.get(target)?.match === s.log.lastIndex) {
    s.sendNow(target, { kind: 'timeout-now', term: s.term });
  }
  s.becomeFollower(s.term, undefined);
}

/** Returns whether it began: only a leader can, and only to another voter. */
export function beginTransfer(s: RaftState, target: NodeId): boolean {
  if (s.role !== 'leader' || target === s.self || !s.membership.incoming.includes(target)) {
    return false;
  }
  s.transfer = { target, untilMs: s.nowMs + s.electionMsMax, told: false };
  s.leaseEnded = true;
  goOnWithTransfer(s);
  return true;
}

/** The voter that is furthest: it needs the least to take over. */
export function bestSuccessor(s: RaftState): NodeId | undefined {
  let best: NodeId | undefined;
  for (const node of s.membership.incoming) {
    const progress = s.progress.get(node);
    if (progress === undefined || progress.state !== 'replicate') continue;
    if (best === undefined || progress.match > (s.progress.get(best)?.match ?? 0)) best = node;
  }
  return best;
}

/** Called after each answer and tick while a transfer is under way. */
export function goOnWithTransfer(s: RaftState): void {
  const { transfer } = s;
  if (transfer === undefined) return;
  if (s.nowMs >= transfer.untilMs) {
    s.transfer = undefined;
    if (!s.isVoter) s.becomeFollower(s.term, undefined);
    return;
  }
  if (transfer.told || s.progress.get(transfer.target)?.match !== s.log.lastIndex) return;
  transfer.told = true;
  s.sendNow(transfer.target, { kind: 'timeout-now', term: s.term });
  // A leader that is no voter of its group any more only waited for this (catalogue row 38).
  if (!s.isVoter) s.becomeFollower(s.term, undefined);
}

export function onTimeoutNow(
  s: RaftState,
  from: NodeId,
  message: Extract<Message, { kind: 'timeout-now' }>,
): void {
  if (message.term !== s.term || s.leader !== from || s.role !== 'follower') return;
  campaign(s, true);
}
