// Faults planted in replication: what is appended, counted and committed.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inLogs: readonly PlantedFault[] = [
  {
    name: 'old-term-committed-by-count',
    what: 'entries of earlier terms are committed by counting copies',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `if (index <= s.commit || s.log.termAt(index) !== s.term) return;`,
        to: `if (index <= s.commit) return;`,
      },
    ],
  },
  {
    name: 'always-truncate',
    what: 'an append cuts the log behind it, also where nothing conflicts',
    changes: [
      {
        file: 'protocols/raft/following.ts',
        from: `  takeEntries(s, entries);
  const verified`,
        to: `  const end = prevIndex + entries.length;
  if (entries.length > 0 && s.log.lastIndex > end && prevIndex >= s.log.baseIndex) {
    s.log.truncate(prevIndex + 1);
    s.durability.truncated(prevIndex + 1);
  }
  takeEntries(s, entries);
  const verified`,
      },
    ],
  },
  {
    name: 'conflict-not-truncated',
    what: 'a conflicting tail stays, and the new entry is left out',
    changes: [
      {
        file: 'protocols/raft/following.ts',
        from: `    const held = s.log.termAt(entry.index);
`,
        to: `    const held = s.log.termAt(entry.index) === undefined ? undefined : entry.term;
`,
      },
    ],
  },
  {
    name: 'previous-entry-not-checked',
    what: 'an append is taken wherever the log is long enough',
    changes: [
      {
        file: 'protocols/raft/following.ts',
        from: `if (prevIndex > s.commit && prevTerm !== message.prevTerm) {`,
        to: `if (prevIndex > s.commit && prevTerm === undefined) {`,
      },
    ],
  },
  {
    name: 'matched-before-sync',
    what: 'a follower acknowledges entries that its disk does not have yet',
    changes: [
      {
        file: 'protocols/raft/following.ts',
        from: `if (verified <= s.durability.index && !s.outbox.hardStateChanged && s.durability.idle) {`,
        to: `if (!s.outbox.hardStateChanged) {`,
      },
    ],
  },
  {
    name: 'leader-counts-itself-early',
    what: 'the leader counts its own copy before it is on disk',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `node === s.self ? s.durability.index :`,
        to: `node === s.self ? s.log.lastIndex :`,
      },
    ],
  },
  {
    name: 'truncation-keeps-durable-index',
    what: 'an old write of a cut tail counts for the entries that replaced it',
    changes: [
      {
        file: 'base/durability.ts',
        from: `    this.index = Math.min(this.index, from - 1);
    for (const write of this.#pending) write.lastIndex = Math.min(write.lastIndex, from - 1);`,
        to: `    this.index = Math.max(this.index, Math.min(this.index, from));`,
      },
    ],
  },
  {
    name: 'commit-not-limited',
    what: 'a follower commits beyond what the append has verified',
    changes: [
      {
        file: 'protocols/raft/following.ts',
        from: `s.commit = Math.max(s.commit, Math.min(message.commit, verified));`,
        to: `s.commit = Math.max(s.commit, Math.min(message.commit, s.log.lastIndex));`,
      },
    ],
  },
  {
    name: 'matches-what-it-was-sent',
    what: 'the leader takes what it has sent for what the member holds',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `if (progress.matched(index)) advanceCommit(s);`,
        to: `if (progress.matched(Math.max(index, progress.next - 1))) advanceCommit(s);`,
      },
    ],
  },
  {
    name: 'time-runs-back',
    what: "a new leader's slower clock stamps entries earlier than those before",
    changes: [
      {
        file: 'protocols/raft/state.ts',
        from: `timeMs: Math.max(this.wallMs, this.log.lastTimeMs),`,
        to: `timeMs: this.wallMs,`,
      },
    ],
  },
  {
    name: 'window-never-empties',
    what: 'an append that was answered still counts as on its way',
    changes: [
      {
        file: 'protocols/raft/progress.ts',
        from: `    while (this.#inFlight.length > 0 && (this.#inFlight[0] as number) <= index) {`,
        to: `    while (this.#inFlight.length > 0 && (this.#inFlight[0] as number) < index) {`,
      },
    ],
  },
];
