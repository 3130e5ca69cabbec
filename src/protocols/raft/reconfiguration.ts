// Changes of membership by joint consensus: learners first, then both majorities, then the new one alone.
//
// `node.ts` calls it. Whoever leads carries a change on, because all of it stands in the log: nodes that
// come are learners until they have caught up, then one entry makes old and new voters decide together,
// and when that is committed another lets the old ones go.
// Invariants: one change at a time; none before an entry of the own term is committed (catalogue row
// 35); the joint phase ends only after its entry is committed by both majorities (row 37); a leader that
// is no voter any more does not count itself and leaves once that is committed (row 38).
// Source: Raft (thesis), sections 4.2.1 and 4.3; catalogue rows 35 to 39.
import type { NodeId } from '../../base/id.ts';
import { encodeMembership } from './entry-codec.ts';
import { JOINT_VOTERS_MAX, type Membership, VOTERS_MAX } from './messages.ts';
import { Progress } from './progress.ts';
import type { RaftState } from './state.ts';
import { beginTransfer, bestSuccessor } from './transfer.ts';

/** A learner this near to the end of the leader's log, for so long, becomes a voter. */
export const PROMOTION_LAG_MAX = 1_000;
export const PROMOTION_AFTER_MS = 200;

/**
 * - `term-not-open`: the leader is new and has not committed anything of its own yet; ask again.
 * - `change-pending`: another change is under way.
 * - `transferring`: leadership is being handed over; ask again.
 * - `no-voters`, `voter-twice`, `too-many-voters`: there can be no such membership.
 */
export type ReconfigurationRefusal =
  | 'term-not-open'
  | 'change-pending'
  | 'transferring'
  | 'no-voters'
  | 'voter-twice'
  | 'too-many-voters';

/** `unchanged`: these are the voters already, or will be by the change that is under way. */
export type Reconfigured =
  | { readonly kind: 'begun'; readonly index: number }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'not-leader'; readonly leader: NodeId | undefined }
  | { readonly kind: 'refused'; readonly cause: ReconfigurationRefusal };

/**
 * Begins to make `target` the voters. While learners have not caught up, the change is called off by naming
 * the present voters, and gives way to one that does without one of its learners.
 */
export function beginChange(s: RaftState, target: readonly NodeId[]): Reconfigured {
  if (s.role !== 'leader') return { kind: 'not-leader', leader: s.leader };
  const { membership } = s;
  const fault = faultOf(membership, target);
  if (fault !== undefined) return { kind: 'refused', cause: fault };
  if (areSame(target, goalOf(membership))) return { kind: 'unchanged' };
  const cause = hindrance(s, target);
  if (cause !== undefined) return { kind: 'refused', cause };
  return { kind: 'begun', index: adopt(s, nextTowards(membership, target)) };
}

/** Takes the step of a change that is due by now. Called once per turn while one is under way. */
export function goOnWithChange(s: RaftState): void {
  if (s.membershipIndex > s.commit || !isTermOpen(s) || s.transfer !== undefined) return;
  const { membership } = s;
  const { incoming, outgoing, learners } = membership;
  if (outgoing.length > 0) {
    adopt(s, { incoming, outgoing: [], learners: [], retiring: [] });
  } else if (learners.length > 0) {
    if (learners.every((node) => hasCaughtUp(s, node))) {
      adopt(s, joint(membership, goalOf(membership)));
    }
  } else if (!s.isVoter) {
    leaveGroup(s);
  }
}

/** Who votes when the change that is under way is done; who votes when there is none. */
export function goalOf({ incoming, outgoing, learners, retiring }: Membership): readonly NodeId[] {
  if (outgoing.length > 0) return incoming;
  return [...incoming.filter((node) => !retiring.includes(node)), ...learners];
}

function faultOf(
  { incoming }: Membership,
  target: readonly NodeId[],
): ReconfigurationRefusal | undefined {
  if (target.length === 0) return 'no-voters';
  if (new Set(target).size < target.length) return 'voter-twice';
  if (target.length > VOTERS_MAX) return 'too-many-voters';
  const together = new Set([...incoming, ...target]);
  return together.size > JOINT_VOTERS_MAX ? 'too-many-voters' : undefined;
}

function hindrance(s: RaftState, target: readonly NodeId[]): ReconfigurationRefusal | undefined {
  const { incoming, outgoing, learners } = s.membership;
  if (s.transfer !== undefined) return 'transferring';
  if (!isTermOpen(s)) return 'term-not-open';
  if (outgoing.length > 0 || s.membershipIndex > s.commit) return 'change-pending';
  if (learners.length === 0 || areSame(target, incoming)) return undefined;
  // A change that waits for a node that nobody wants any more would wait for ever.
  return learners.every((node) => target.includes(node)) ? 'change-pending' : undefined;
}

/** Two leaders that changed the same members without this could find majorities that do not meet. */
function isTermOpen(s: RaftState): boolean {
  return s.log.termAt(s.commit) === s.term;
}

function nextTowards(now: Membership, target: readonly NodeId[]): Membership {
  const { incoming } = now;
  const learners = target.filter((node) => !incoming.includes(node));
  if (learners.length > 0) {
    const retiring = incoming.filter((node) => !target.includes(node));
    return { incoming, outgoing: [], learners, retiring };
  }
  // The voters as they are: learners that did not catch up are let go, which is nobody's majority.
  if (areSame(target, incoming)) return { incoming, outgoing: [], learners: [], retiring: [] };
  return joint(now, target);
}

function joint({ incoming }: Membership, target: readonly NodeId[]): Membership {
  return { incoming: target, outgoing: incoming, learners: [], retiring: [] };
}

function hasCaughtUp(s: RaftState, node: NodeId): boolean {
  const progress = s.progress.get(node);
  if (progress === undefined) return false;
  // That it must be probed now and then means nothing where links break or mix up what they carry.
  const isHeard = s.nowMs - progress.heardMs < s.electionMsMin;
  const isNear =
    isHeard &&
    progress.state !== 'snapshot' &&
    s.log.lastIndex - progress.match <= PROMOTION_LAG_MAX;
  progress.nearSinceMs = isNear ? (progress.nearSinceMs ?? s.nowMs) : undefined;
  return isNear && s.nowMs - (progress.nearSinceMs ?? s.nowMs) >= PROMOTION_AFTER_MS;
}

function adopt(s: RaftState, membership: Membership): number {
  const { index } = s.append('configuration', encodeMembership(membership));
  s.refreshMembership();
  for (const node of s.progress.keys()) if (!s.others.includes(node)) s.progress.delete(node);
  for (const node of s.others) {
    if (s.progress.has(node)) continue;
    s.progress.set(node, new Progress(index, s.nowMs, s.options.inFlightAppendsMax));
  }
  return index;
}

/** We lead a group that we are no voter of, and that is decided: the furthest voter takes over. */
function leaveGroup(s: RaftState): void {
  const successor = bestSuccessor(s);
  if (successor === undefined) s.becomeFollower(s.term, undefined);
  else beginTransfer(s, successor);
}

function areSame(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
