// The arithmetic of majorities: the only place that computes a quorum.
//
// Raft's elections, commits and reads call it. A configuration may be joint (two voter sets during a
// change of membership): every question is then answered for both sets.
// Source: Raft, sections 3.4, 3.6 and 4.3 of Ongaro's thesis.
import type { NodeId } from './id.ts';

/** Who votes. `outgoing` is the old set while a change is under way, else empty. */
export interface Voters {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

/** How many of `size` voters are a majority. */
export function majority(size: number): number {
  return Math.floor(size / 2) + 1;
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** What the votes so far decide; a voter counts once, however often it answered. */
export function countVotes(voters: Voters, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const incoming = countOne(voters.incoming, votes);
  if (voters.outgoing.length === 0) return incoming;
  const outgoing = countOne(voters.outgoing, votes);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

/** The highest index that a majority of each voter set has reached. */
export function committedIndex(voters: Voters, reached: (node: NodeId) => number): number {
  const incoming = reachedByMajority(voters.incoming, reached);
  if (voters.outgoing.length === 0) return incoming;
  return Math.min(incoming, reachedByMajority(voters.outgoing, reached));
}

/** Whether those for whom `answers` is true are a majority of each voter set. */
export function hasQuorum(voters: Voters, answers: (node: NodeId) => boolean): boolean {
  const { incoming, outgoing } = voters;
  if (incoming.length === 0 || !isMajority(incoming, answers)) return false;
  return outgoing.length === 0 || isMajority(outgoing, answers);
}

function isMajority(voters: readonly NodeId[], answers: (node: NodeId) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (answers(voter)) count += 1;
  return count >= majority(voters.length);
}

function countOne(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted += 1;
    else if (vote === false) refused += 1;
  }
  const needed = majority(voters.length);
  if (granted >= needed) return 'won';
  return voters.length - refused < needed ? 'lost' : 'pending';
}

function reachedByMajority(voters: readonly NodeId[], reached: (node: NodeId) => number): number {
  if (voters.length === 0) return 0;
  // At most nine numbers: sorting all of them is simpler than being clever, and cleverness has
  // cost others a lost commit. By insertion, for it is done with every answer of a follower.
  const sorted: number[] = [];
  for (const voter of voters) {
    const index = reached(voter);
    let place = sorted.length;
    for (; place > 0 && (sorted[place - 1] as number) < index; place--) {
      sorted[place] = sorted[place - 1] as number;
    }
    sorted[place] = index;
  }
  return sorted[majority(voters.length) - 1] ?? 0;
}
