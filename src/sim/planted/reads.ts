// Faults planted in reads: rounds of confirmation, and reads at followers.
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
        from: `      if (oldest.index > this.#applied) return;`,
        to: `      if (oldest.index > this.#applied && this.isLeader) return;`,
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
