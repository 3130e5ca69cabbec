// Faults planted in changes of members, in the replacement of nodes and in handing leadership over.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inMemberships: readonly PlantedFault[] = [
  {
    name: 'joint-left-uncommitted',
    what: 'the old voters are let go before the joint phase is committed',
    changes: [
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  if (s.membershipIndex > s.commit || !isTermOpen(s) || s.transfer !== undefined) return;
  const { membership } = s;`,
        to: `  const { membership } = s;
  const isOpen = membership.outgoing.length > 0 || s.membershipIndex <= s.commit;
  if (!isOpen || !isTermOpen(s) || s.transfer !== undefined) return;`,
      },
    ],
  },
  {
    name: 'joint-never-left',
    what: 'only the leader that began the joint phase ends it',
    changes: [
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  if (outgoing.length > 0) {
    adopt(`,
        to: `  if (outgoing.length > 0 && s.log.termAt(s.membershipIndex) !== s.term) return;
  if (outgoing.length > 0) {
    adopt(`,
      },
    ],
  },
  {
    name: 'joint-elects-by-new-alone',
    what: 'in the joint phase the new voters alone elect a leader',
    changes: [
      {
        file: 'base/quorum.ts',
        from: `  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';`,
        to: `  return outgoing === 'won' && incoming === 'pending' ? 'pending' : incoming;`,
      },
    ],
  },
  {
    name: 'joint-commits-by-new-alone',
    what: 'in the joint phase the disks of the new voters alone count',
    changes: [
      {
        file: 'base/quorum.ts',
        from: `  return Math.min(incoming, reachedByMajority(voters.outgoing, reached));`,
        to: `  return Math.max(incoming, Math.min(incoming, reachedByMajority(voters.outgoing, reached)));`,
      },
    ],
  },
  {
    name: 'learner-counted',
    what: 'the copy of a learner counts for the commit as if it were that of a voter',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `  const index = committedIndex(s.membership, reached);`,
        to: `  const { incoming, outgoing, learners } = s.membership;
  const copies = [...incoming, ...learners].map(reached).sort((a, b) => b - a);
  const held = outgoing.length > 0 ? 0 : (copies[incoming.length >> 1] ?? 0);
  const index = Math.max(held, committedIndex(s.membership, reached));`,
      },
    ],
  },
  {
    name: 'promoted-refuses-to-vote',
    what: 'a member that has not heard of its promotion does not vote',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `    message.term > s.term &&
    !s.leaderIsFresh &&`,
        to: `    message.term > s.term &&
    s.isVoter &&
    !s.leaderIsFresh &&`,
      },
    ],
  },
  {
    name: 'change-before-own-term',
    what: 'a new leader changes members before it has committed anything',
    changes: [
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  return s.log.termAt(s.commit) === s.term;
}`,
        to: `  return s.log.termAt(s.log.lastIndex) === s.term;
}`,
      },
    ],
  },
  {
    name: 'two-changes-at-once',
    what: 'a change begins while the one before is not committed',
    changes: [
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  if (outgoing.length > 0 || s.membershipIndex > s.commit) return 'change-pending';`,
        to: `  if (outgoing.length > 0 && s.membershipIndex > s.commit) return 'change-pending';`,
      },
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  if (s.membershipIndex > s.commit || !isTermOpen(s) || s.transfer !== undefined) return;`,
        to: `  if (!isTermOpen(s) || s.transfer !== undefined) return;`,
      },
    ],
  },
  {
    name: 'old-members-after-restart',
    what: 'a start takes the members of its checkpoint, not of its log',
    changes: [
      {
        file: 'protocols/raft/state.ts',
        from: `  refreshMembership(): void {
    const entry = this.log.newestConfiguration();`,
        to: `  refreshMembership(upTo: number = Number.MAX_SAFE_INTEGER): void {
    const entry = this.log.newestConfiguration(upTo);`,
      },
      {
        file: 'protocols/raft/state.ts',
        from: `    this.refreshMembership();
    invariant(`,
        to: `    this.refreshMembership(this.commit);
    invariant(`,
      },
    ],
  },
  {
    name: 'members-not-in-snapshot',
    what: 'a snapshot carries the members of the one before',
    changes: [
      {
        file: 'protocols/raft/node.ts',
        from: `    return entry === undefined ? this.#s.snapshot.membership : decodeMembership(entry.data);`,
        to: `    const { membership } = this.#s.snapshot;
    if (entry === undefined || membership.incoming.length > 0) return membership;
    return decodeMembership(entry.data);`,
      },
    ],
  },
  {
    name: 'removed-leader-stays',
    what: 'a leader that votes no more goes on leading',
    changes: [
      {
        file: 'protocols/raft/reconfiguration.ts',
        from: `  } else if (!s.isVoter) {
    leaveGroup(s);`,
        to: `  } else if (!s.isVoter && s.nowMs < 0) {
    leaveGroup(s);`,
      },
    ],
  },
  {
    name: 'identity-reused',
    what: 'a machine with an empty disk takes the place of a lost one under the old identity',
    changes: [
      {
        file: 'services/topology/replacement.ts',
        from: `  const fresh = nodeId(Math.max(...retired, ...topology.nodes.map((node) => node.id)) + 1);`,
        to: `  const fresh = nodeId(Math.min(id, Math.max(...retired)));`,
      },
    ],
  },
  {
    name: 'transfer-never-given-up',
    what: 'a leader waits for ever for a successor that does not answer',
    changes: [
      {
        file: 'protocols/raft/transfer.ts',
        from: `  if (s.nowMs >= transfer.untilMs) {`,
        to: `  if (s.nowMs >= transfer.untilMs && s.progress.size === 0) {`,
      },
    ],
  },
  {
    name: 'transfer-flag-outlives-term',
    what: 'a leader that handed over takes no commands when it leads again',
    changes: [
      {
        file: 'protocols/raft/state.ts',
        from: `    this.transfer = undefined;
    this.outgoing`,
        to: `    this.outgoing`,
      },
      {
        file: 'protocols/raft/transfer.ts',
        from: `  if (s.nowMs >= transfer.untilMs) {`,
        to: `  if (s.nowMs >= transfer.untilMs && s.leaseEnded) {`,
      },
    ],
  },
];
