import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteWriter } from '../../src/base/bytes.ts';
import { nodeId } from '../../src/base/id.ts';
import type { SnapshotMark } from '../../src/protocols/raft/messages.ts';
import {
  type JournalItem,
  readChanges,
  readItems,
  recordAt,
  writeRecord,
} from '../../src/runtime/journal-record.ts';

test('what a record changes is all of it but the header, whatever the groups have been through', () => {
  const mark: SnapshotMark = {
    index: 300,
    term: 4,
    timeMs: 1_800_000_000_000,
    digest: 0xfedcba98,
    membership: {
      incoming: [1, 2, 3].map(nodeId),
      outgoing: [nodeId(4)],
      learners: [nodeId(5), nodeId(300)],
      retiring: [],
    },
  };
  const hardState = { term: 7, votedFor: nodeId(2) };
  const group = { hardState, mark, last: 400, lastTerm: 6, healUntil: 350 };
  const data = new Uint8Array(100).fill(9);
  const entries = [401, 402].map((index) => ({ index, term: 7, kind: 'command' as const, timeMs: 5, data }));
  const items: readonly JournalItem[] = [
    { kind: 'header', segment: 3, groups: [{ group: 1, ...group }, { group: 200, ...group }] },
    { kind: 'write', group: 1, write: { entries, hardState } },
    { kind: 'write', group: 200, write: { entries: [], reset: mark, healUntil: 0 } },
    { kind: 'mark', group: 1, mark },
  ];
  const writer = new ByteWriter();
  writeRecord(writer, 12, items);
  const bytes = writer.finish();
  const record = recordAt(bytes, 0);
  assert.ok(record !== undefined);
  assert.deepEqual(readItems(bytes, record), items);
  assert.deepEqual(readChanges(bytes, record), items.slice(1));
});
