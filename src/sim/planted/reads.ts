// Faults planted in reads: rounds of confirmation, leases, and reads at followers.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inReads: readonly PlantedFault[] = [
  {
    name: 'read-before-noop',
    what: 'a new leader serves reads before it has committed anything in its term',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `if (!s.reads.hasUnsent || s.log.termAt(s.commit) !== s.term) return;`,
        to: `if (!s.reads.hasUnsent) return;`,
      },
    ],
  },
  {
    name: 'read-round-not-confirmed',
    what: 'a leader serves reads without asking whether it still leads',
    changes: [
      {
        file: 'protocols/raft/reads.ts',
        from: `      if (!isConfirmed(oldest.number)) return;`,
        to: `      if (oldest.number < 0 && !isConfirmed(oldest.number)) return;`,
      },
    ],
  },
  {
    name: 'read-confirmed-by-old-round',
    what: 'an answer to an older round confirms a newer read',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `(s.progress.get(node)?.answeredRound ?? 0) >= round,`,
        to: `(s.progress.get(node)?.answeredRound ?? 0) >= Math.min(round, 1),`,
      },
    ],
  },
  {
    name: 'here-before-applied',
    what: 'a follower answers a read before it has applied what it was told to wait for',
    changes: [
      {
        file: 'runtime/raft-group.ts',
        from: `      if (oldest.index > this.applied) return;`,
        to: `      if (oldest.index > this.applied && this.isLeader) return;`,
      },
    ],
  },
  {
    name: 'here-by-own-commit',
    what: 'a follower reads at its own commit index, and asks nobody',
    changes: [
      {
        file: 'protocols/raft/follower-reads.ts',
        from: `  const number = s.followerReads.takeNumber();`,
        to: `  s.outbox.reads.push({ ticket, index: s.commit });
  if (s.commit >= 0) return true;
  const number = s.followerReads.takeNumber();`,
      },
    ],
  },
  {
    name: 'here-not-confirmed',
    what: 'a leader tells a follower its commit index without asking whether it still leads',
    changes: [
      {
        file: 'protocols/raft/follower-reads.ts',
        from: `  const ticket = s.followerReads.takeTicket();
`,
        to: `  const ticket = s.followerReads.takeTicket();
  if (s.role === 'leader' && message.term === s.term) {
    s.sendNow(from, { kind: 'read-reply', term: s.term, number, index: s.commit });
    return;
  }
`,
      },
    ],
  },
];

export const inLeases: readonly PlantedFault[] = [
  {
    name: 'lease-from-receive-time',
    what: 'a lease begins when the answer arrives, not when the question left',
    changes: [
      {
        file: 'protocols/raft/progress.ts',
        from: `    this.answeredSentMs = Math.max(this.answeredSentMs, sentMs);`,
        to: `    this.answeredSentMs = Math.max(this.answeredSentMs, nowMs);`,
      },
    ],
  },
  {
    name: 'lease-ignores-drift',
    what: 'a lease lasts as if all clocks ran alike',
    changes: [
      {
        file: 'protocols/raft/lease.ts',
        from: `< (electionMsMin - TICK_MS) * (1_000 - drift)`,
        to: `< (electionMsMin - TICK_MS) * 1_000`,
      },
    ],
  },
  {
    name: 'lease-broken-by-hint',
    what: 'a lost link makes members vote that have promised a lease',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `  if (s.options.leaseDriftPerMille !== undefined) return;
`,
        to: ``,
      },
    ],
  },
  {
    name: 'lease-outlives-transfer',
    what: 'a leader that hands over still reads by its lease',
    changes: [
      {
        file: 'protocols/raft/transfer.ts',
        from: `  s.leaseEnded = true;
`,
        to: ``,
      },
    ],
  },
];
