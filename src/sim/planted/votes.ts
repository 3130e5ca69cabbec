// Faults planted in elections: votes, majorities, campaigns, and how leaders are kept or lost.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inElections: readonly PlantedFault[] = [
  {
    name: 'vote-not-synced',
    what: 'a vote is told before the disk has it',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `    s.restartElectionTimer();
  }
  s.sendDurable(from, { kind: 'vote-reply', term: s.term, granted });`,
        to: `    s.restartElectionTimer();
  }
  s.sendNow(from, { kind: 'vote-reply', term: s.term, granted });`,
      },
    ],
  },
  {
    name: 'own-vote-not-synced',
    what: 'a candidate asks for votes before its own vote is on disk',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `s.sendDurable(to, { kind: 'vote', term: s.term`,
        to: `s.sendNow(to, { kind: 'vote', term: s.term`,
      },
    ],
  },
  {
    name: 'vote-cleared-within-term',
    what: 'stepping down within a term frees the vote',
    changes: [
      {
        file: 'protocols/raft/state.ts',
        from: `    if (term > this.term) {
      this.term = term;`,
        to: `    if (term >= this.term) {
      this.term = term;`,
      },
    ],
  },
  {
    name: 'vote-given-twice',
    what: 'a vote is granted although it was given to another in this term',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `const free = s.votedFor === undefined || s.votedFor === from;`,
        to: `const free = true;`,
      },
      {
        file: 'protocols/raft/election.ts',
        from: `    if (s.votedFor === undefined) {
      s.votedFor = from;`,
        to: `    if (s.votedFor !== from) {
      s.votedFor = from;`,
      },
    ],
  },
  {
    name: 'votes-of-old-terms-counted',
    what: 'a granted vote counts whatever term it was for',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `if (s.role !== 'candidate' || message.term !== s.term) return;`,
        to: `if (s.role !== 'candidate') return;`,
      },
    ],
  },
  {
    name: 'votes-counted-twice',
    what: 'a vote counts as often as it is heard of, the own one when it is cast and when it is on disk',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `  s.votes.set(from, message.granted);
  countRealVotes(s);`,
        to: `  const isAgain = message.granted && s.votes.get(from) === true;
  const silent = isAgain ? voters(s).find((node) => !s.votes.has(node)) : undefined;
  s.votes.set(silent ?? from, message.granted);
  countRealVotes(s);`,
      },
      {
        file: 'protocols/raft/election.ts',
        from: `  s.votes.set(s.self, true);
  // The requests leave only now.`,
        to: `  s.votes.set(s.self, true);
  const silent = voters(s).find((node) => !s.votes.has(node));
  if (silent !== undefined) s.votes.set(silent, true);
  // The requests leave only now.`,
      },
    ],
  },
  {
    name: 'refusals-counted-as-votes',
    what: 'any answer to a vote request counts as granted',
    changes: [
      {
        file: 'protocols/raft/election.ts',
        from: `  s.votes.set(from, message.granted);
  countRealVotes(s);`,
        to: `  s.votes.set(from, true);
  countRealVotes(s);`,
      },
    ],
  },
  {
    name: 'half-is-a-majority',
    what: 'one vote or copy too few is a majority',
    changes: [
      {
        file: 'base/quorum.ts',
        from: `return Math.floor(size / 2) + 1;`,
        to: `return Math.floor(size / 2);`,
      },
    ],
  },
  {
    name: 'log-compared-by-length',
    what: 'the longer log wins, whatever its last term',
    changes: [
      {
        file: 'protocols/raft/log.ts',
        from: `    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm;
`,
        to: ``,
      },
    ],
  },
  {
    name: 'log-not-compared',
    what: 'votes are granted to logs that lack entries',
    changes: [
      {
        file: 'protocols/raft/log.ts',
        from: `    return lastIndex >= this.lastIndex;`,
        to: `    return true;`,
      },
    ],
  },
  {
    name: 'prevote-off',
    what: 'a campaign raises the term without asking first',
    changes: [
      {
        file: 'protocols/raft/node.ts',
        from: `      onElectionTimer(s);
    }
  }`,
        to: `      campaign(s, false);
    }
  }`,
      },
    ],
  },
  {
    name: 'stickiness-off',
    what: 'a healthy leader is voted out by whoever asks',
    changes: [
      {
        file: 'protocols/raft/state.ts',
        from: `this.role === 'leader' || this.nowMs - this.leaderHeardMs < this.electionMsMin`,
        to: `this.nowMs < 0 && this.nowMs - this.leaderHeardMs < this.electionMsMin`,
      },
    ],
  },
  {
    name: 'check-quorum-off',
    what: 'a leader that hears nobody goes on leading',
    changes: [
      {
        file: 'protocols/raft/node.ts',
        from: `if (!hearsQuorum(s)) {`,
        to: `if (s.nowMs < 0 && !hearsQuorum(s)) {`,
      },
    ],
  },
];
