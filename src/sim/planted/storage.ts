// Faults planted in the journal and in snapshots: what is on disk, and what is made of it at a start.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inJournal: readonly PlantedFault[] = [
  {
    name: 'failed-sync-ignored',
    what: 'a sync that failed is taken for done',
    changes: [
      {
        file: 'runtime/journal.ts',
        from: `      this.#syncing = true;
      this.#file.sync(() => {
        this.#syncing = false;
        this.#answer(callbacks);
        this.#removeUnneeded();
        this.#pump();
      });`,
        to: `      this.#syncing = true;
      const synced = (): void => {
        this.#syncing = false;
        this.#answer(callbacks);
        this.#removeUnneeded();
        this.#pump();
      };
      try {
        this.#file.sync(synced);
      } catch (cause) {
        if (!String(cause).includes('EIO')) throw cause;
        synced();
      }`,
      },
    ],
  },
  {
    name: 'flush-without-sync',
    what: 'the journal calls a batch durable once it is written',
    changes: [
      {
        file: 'runtime/journal.ts',
        from: `      this.#syncing = true;
      this.#file.sync(() => {
        this.#syncing = false;
        this.#answer(callbacks);`,
        to: `      this.#syncing = true;
      this.#answer(callbacks);
      this.#file.sync(() => {
        this.#syncing = false;`,
      },
    ],
  },
  {
    name: 'checksum-not-checked',
    what: 'a journal record is believed whatever its checksum',
    changes: [
      {
        file: 'runtime/journal-record.ts',
        from: `  if (checksum(bytes, offset, end) !== stored) return undefined;
`,
        to: `  if (stored === 0) return undefined;
`,
      },
    ],
  },
  {
    name: 'damage-passed-over',
    what: 'records behind a damaged one are believed as if none were missing',
    changes: [
      {
        file: 'runtime/journal-recovery.ts',
        from: `    return expected === undefined ? at.offset > 0 : batch > expected;`,
        to: `    return expected === undefined && at.offset > 0;`,
      },
      {
        file: 'runtime/journal-recovery.ts',
        from: `      throw damaged(at, \`group \${header.group} is not as the files before say\`);`,
        to: `      return;`,
      },
    ],
  },
  {
    name: 'damaged-copy-votes',
    what: 'a copy whose disk lost entries forgets that it must heal',
    changes: [
      {
        file: 'runtime/journal-recovery.ts',
        from: `      const healing = healUntil > 0 ? { healUntil } : {};`,
        to: `      const healing = healUntil < 0 ? { healUntil } : {};`,
      },
    ],
  },
  {
    name: 'hard-state-not-written',
    what: 'term and vote are left out of the journal',
    changes: [
      {
        file: 'runtime/journal-record.ts',
        from: `    (hardState === undefined ? 0 : HAS_HARD_STATE) |`,
        to: `    (hardState === undefined || entries.length === 0 ? 0 : HAS_HARD_STATE) |`,
      },
      {
        file: 'runtime/journal-record.ts',
        from: `  if (hardState !== undefined) writeHardState(writer, hardState);`,
        to: `  if (hardState !== undefined && entries.length > 0) writeHardState(writer, hardState);`,
      },
    ],
  },
  {
    name: 'needed-segment-removed',
    what: 'a journal file goes while a group still needs entries in it',
    changes: [
      {
        file: 'runtime/journal.ts',
        from: `      needed = Math.min(needed, group.oldestSegment ?? needed);`,
        to: `      needed = Math.min(needed, Math.max(this.#segment - 2, group.oldestSegment ?? needed));`,
      },
    ],
  },
  {
    name: 'needless-segments-stay',
    what: 'journal files that no group needs are not removed',
    changes: [
      {
        file: 'runtime/journal.ts',
        from: `      if (segment < needed) this.#disk.remove(`,
        to: `      if (segment < 0) this.#disk.remove(`,
      },
    ],
  },
  {
    name: 'header-forgets-votes',
    what: 'a new journal file opens without the votes of the groups',
    changes: [
      {
        file: 'runtime/journal.ts',
        from: `      return { group, hardState, mark, last, lastTerm, healUntil };`,
        to: `      return {
        group,
        hardState: { ...hardState, votedFor: undefined },
        mark,
        last,
        lastTerm,
        healUntil,
      };`,
      },
    ],
  },
];

export const inSnapshots: readonly PlantedFault[] = [
  {
    name: 'sessions-not-in-snapshot',
    what: 'what was applied once is forgotten with the snapshot',
    changes: [
      {
        file: 'protocols/sessions.ts',
        from: `    writer.varint(this.#byExpiry.length);
    for (const session of this.#byExpiry) saveSession(writer, session);`,
        to: `    writer.varint(0);`,
      },
      {
        file: 'protocols/sessions.ts',
        from: `    const all = [...this.#byExpiry];`,
        to: `    const all = this.#byExpiry.slice(0, 0);`,
      },
    ],
  },
  {
    name: 'received-snapshot-not-saved',
    what: 'a received snapshot becomes the state and is acknowledged, and is not on disk',
    changes: [
      {
        file: 'runtime/checkpoint-walk.ts',
        from: `    draft.publishSoon(() => o.guarded(() => takeOver(o, bytes)));`,
        to: `    takeOver(o, bytes);`,
      },
    ],
  },
  {
    name: 'snapshot-overwrites-newer',
    what: 'a snapshot older than the state replaces it',
    changes: [
      {
        file: 'protocols/raft/snapshots.ts',
        from: `  if (mark.index <= s.commit) {`,
        to: `  if (mark.index <= s.snapshot.index) {`,
      },
      {
        file: 'protocols/raft/snapshots.ts',
        from: `  invariant(mark.index > s.commit, 'a snapshot never replaces a newer state');
`,
        to: ``,
      },
    ],
  },
  {
    name: 'checkpoint-index-off-by-one',
    what: 'a checkpoint says that it holds one entry less than it does',
    changes: [
      {
        file: 'runtime/raft-machine.ts',
        from: `    const mark: SnapshotMark = {
      index: this.#applied,`,
        to: `    const mark: SnapshotMark = {
      index: Math.max(1, this.#applied - 1),`,
      },
    ],
  },
  {
    name: 'checkpoint-checksum-not-checked',
    what: 'a damaged checkpoint is restored',
    changes: [
      {
        file: 'runtime/checkpoints.ts',
        from: `  if (crc32c(bytes, 0, end) !== new ByteReader(bytes, end).u32()) return`,
        to: `  if (crc32c(bytes, 0, end) < 0) return`,
      },
    ],
  },
  {
    name: 'restart-applies-twice',
    what: 'after a start the state of the checkpoint is fed its last entry again',
    changes: [
      {
        file: 'runtime/raft-machine.ts',
        from: `    this.#applied = mark.index;`,
        to: `    const isHeld = this.#node.entryAt(mark.index) !== undefined;
    this.#applied = isHeld ? mark.index - 1 : mark.index;`,
      },
    ],
  },
  {
    name: 'chunk-out-of-place-taken',
    what: 'a chunk of a snapshot counts although it is not the next one',
    changes: [
      {
        file: 'protocols/raft/snapshots.ts',
        from: `  if (offset === incoming.nextOffset && offset + chunk.length <= incoming.bytes.length) {`,
        to: `  if (offset + chunk.length <= incoming.bytes.length) {`,
      },
    ],
  },
];
