import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError, InvariantError } from '../../src/base/errors.ts';
import { nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import type { Entry, SnapshotMark } from '../../src/protocols/raft/messages.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';

const SMALL = { segmentBytes: 2048 };

function entries(from: number, to: number, bytes = 10): readonly Entry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    index: from + i,
    term: 1,
    kind: 'command' as const,
    timeMs: 1000 + i,
    data: new Uint8Array(bytes).fill(from + i),
  }));
}

function mark(index: number): SnapshotMark {
  const incoming = [nodeId(1), nodeId(2)];
  const membership = { incoming, outgoing: [], learners: [nodeId(3)], retiring: [] };
  return { index, term: 1, timeMs: 5, membership, digest: 7 };
}

function write(disk: VirtualDisk, ...batches: readonly (readonly Entry[])[]): Journal {
  const { journal } = Journal.open(disk, SMALL);
  for (const batch of batches) flush(journal, 1, batch);
  return journal;
}

function flush(journal: Journal, group: number, batch: readonly Entry[]): void {
  let durable = false;
  journal.stage(group, { entries: batch });
  journal.flush(() => (durable = true));
  assert.ok(durable);
}

function indexes(disk: VirtualDisk, group = 1): readonly number[] {
  const recovered = Journal.open(disk, SMALL).recovered.get(group);
  return (recovered?.entries ?? []).map((entry) => entry.index);
}

test('an empty folder gives a journal without groups', () => {
  assert.equal(Journal.open(new VirtualDisk()).recovered.size, 0);
});

test('what was flushed is found again, with every field', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  const hardState = { term: 3, votedFor: nodeId(2) };
  const kinds: readonly Entry[] = [
    { index: 8, term: 3, kind: 'noop', timeMs: 0, data: new Uint8Array() },
    { index: 9, term: 3, kind: 'command', timeMs: 1_790_000_000_000, data: Uint8Array.of(1, 2) },
    { index: 10, term: 3, kind: 'configuration', timeMs: 5, data: Uint8Array.of(0) },
  ];
  journal.stage(4, { hardState, reset: mark(7), entries: kinds });
  journal.stage(9, { hardState: { term: 1, votedFor: undefined }, entries: [] });
  journal.flush(() => undefined);
  const { recovered } = Journal.open(disk.crashed(new Random(1)));
  assert.deepEqual(recovered.get(4), { hardState, snapshot: mark(7), entries: kinds });
  assert.deepEqual(recovered.get(9)?.hardState, { term: 1, votedFor: undefined });
});

test('one flush is one write and one sync, for all groups together', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  const before = disk.operations;
  for (const group of [1, 2, 3]) journal.stage(group, { entries: entries(1, 5) });
  journal.flush(() => undefined);
  assert.equal(disk.operations - before, 2);
});

test('a flush of nothing calls back without touching the disk', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  const before = disk.operations;
  let durable = false;
  journal.flush(() => (durable = true));
  assert.ok(durable);
  assert.equal(disk.operations, before);
});

test('flushes during a sync are written together after it, and called back in order', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  disk.holdSyncs = true;
  const durable: number[] = [];
  for (const index of [1, 2, 3]) {
    journal.stage(1, { entries: entries(index, index) });
    journal.flush(() => durable.push(index));
  }
  assert.deepEqual(durable, []);
  assert.deepEqual(indexes(disk.killed()), [1], 'only the first batch is written so far');
  disk.release();
  assert.deepEqual(durable, [1]);
  disk.release();
  assert.deepEqual(durable, [1, 2, 3]);
  assert.equal(disk.release(), false, 'the second and third flush shared one sync');
});

test('a callback that flushes again does not overtake the callbacks after it', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  disk.holdSyncs = true;
  const order: string[] = [];
  journal.stage(1, { entries: entries(1, 1) });
  journal.flush(() => {
    order.push('first');
    disk.holdSyncs = false;
    journal.stage(1, { entries: entries(2, 2) });
    journal.flush(() => order.push('third'));
  });
  journal.flush(() => order.push('second'));
  while (disk.release());
  assert.deepEqual(order, ['first', 'second', 'third']);
});

test('callbacks may flush anew without end', () => {
  const { journal } = Journal.open(new VirtualDisk(), SMALL);
  let flushes = 0;
  const again = (): void => {
    if (++flushes === 20_000) return;
    journal.stage(1, { hardState: { term: flushes, votedFor: undefined }, entries: [] });
    journal.flush(again);
  };
  again();
  assert.equal(flushes, 20_000);
});

test('entries replace what the log held from their first index on', () => {
  const disk = new VirtualDisk();
  write(disk, entries(1, 9), entries(4, 5));
  assert.deepEqual(indexes(disk), [1, 2, 3, 4, 5]);
});

test('a batch that is larger than a segment is kept like any other', () => {
  const disk = new VirtualDisk();
  write(disk, entries(1, 2), entries(3, 40, 1000), entries(41, 41));
  assert.deepEqual(indexes(disk).length, 41);
});

test('segments that nobody needs are removed, and what is needed stays', () => {
  const disk = new VirtualDisk();
  const journal = write(disk);
  flush(journal, 2, entries(1, 3));
  for (let index = 1; index <= 40; index++) flush(journal, 1, entries(index, index, 300));
  const before = disk.names().length;
  journal.compact(1, mark(30));
  journal.flush(() => undefined);
  assert.equal(disk.names().length, before, 'group 2 still needs the first segment');
  journal.compact(2, mark(2));
  journal.stage(2, { entries: entries(3, 3) });
  journal.flush(() => undefined);
  assert.ok(disk.names().length < before / 2);
  assert.deepEqual(indexes(disk), [31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
  assert.deepEqual(indexes(disk, 2), [3]);
});

test('entries that were overwritten do not hold a segment back', () => {
  const disk = new VirtualDisk();
  const journal = write(disk, entries(1, 3, 500));
  const oldest = disk.names()[0] ?? '';
  flush(journal, 1, entries(1, 3, 500));
  flush(journal, 1, entries(4, 4));
  assert.ok(!disk.names().includes(oldest));
  assert.deepEqual(indexes(disk), [1, 2, 3, 4]);
});

test('a group whose old entries make the journal long is named', () => {
  const journal = write(new VirtualDisk());
  flush(journal, 2, entries(1, 1));
  for (let index = 1; index <= 40; index++) flush(journal, 1, entries(index, index, 900));
  assert.deepEqual(journal.holdingBack, [1, 2].reverse());
  journal.compact(1, mark(40));
  journal.compact(2, mark(1));
  journal.flush(() => undefined);
  assert.deepEqual(journal.holdingBack, []);
});

test('the next segment is prepared before the present one is full', () => {
  const disk = new VirtualDisk();
  const journal = write(disk, entries(1, 1, 600));
  assert.equal(disk.names().length, 1);
  flush(journal, 1, entries(2, 2, 600));
  assert.equal(disk.names().length, 2);
});

test('a flush that finds the next segment unprepared waits for it', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk, SMALL);
  disk.holdSyncs = true;
  const durable: number[] = [];
  for (const index of [1, 2]) {
    journal.stage(1, { entries: entries(index, index, 1200) });
    journal.flush(() => durable.push(index));
  }
  assert.ok(disk.release('sync'));
  assert.deepEqual(durable, [1]);
  assert.deepEqual(indexes(disk.killed()), [1]);
  assert.ok(disk.release('prepare'));
  assert.deepEqual(indexes(disk.killed()), [1, 2], 'written as soon as the segment is there');
  assert.ok(disk.release('sync'));
  assert.deepEqual(durable, [1, 2]);
});

test('each start goes on in a new segment and gives back the unused part of the last', () => {
  const disk = new VirtualDisk();
  write(disk, entries(1, 2));
  write(disk, entries(3, 4));
  assert.deepEqual(indexes(disk), [1, 2, 3, 4]);
  const [first] = [...disk.names()].sort();
  assert.equal(disk.read(first ?? '').length, 512);
  const before = disk.names().length;
  for (let start = 0; start < 5; start++) Journal.open(disk, SMALL);
  assert.equal(disk.names().length, before, 'a segment that was never used is used next');
});

test('a group that breaks its own promises ends the process before anything is written', () => {
  const attempts: readonly ((journal: Journal) => void)[] = [
    (journal) => journal.stage(1, { hardState: { term: 1, votedFor: undefined }, entries: [] }),
    (journal) => journal.stage(1, { hardState: { term: 2, votedFor: nodeId(2) }, entries: [] }),
    (journal) => journal.stage(1, { hardState: { term: 2, votedFor: undefined }, entries: [] }),
    (journal) => journal.stage(1, { entries: entries(7, 7) }),
    (journal) => journal.stage(1, { entries: entries(2, 2) }),
    (journal) => journal.stage(1, { entries: [...entries(3, 3), ...entries(5, 5)] }),
    (journal) => journal.stage(1, { reset: mark(1), entries: [] }),
    (journal) => journal.compact(1, mark(6)),
  ];
  for (const attempt of attempts) {
    const disk = new VirtualDisk();
    const { journal } = Journal.open(disk, SMALL);
    journal.stage(1, { hardState: { term: 2, votedFor: nodeId(1) }, entries: entries(1, 5) });
    journal.compact(1, mark(2));
    journal.flush(() => undefined);
    const before = disk.operations;
    attempt(journal);
    assert.throws(() => journal.flush(() => undefined), InvariantError);
    assert.equal(disk.operations, before);
  }
});

test('a disk that fails ends the flush without calling back', () => {
  for (const operation of [1, 2]) {
    const disk = new VirtualDisk();
    const { journal } = Journal.open(disk, SMALL);
    disk.failAt = disk.operations + operation;
    journal.stage(1, { entries: entries(1, 1) });
    assert.throws(() => journal.flush(() => assert.fail('not durable')), /EIO/);
  }
});

test('damage that is refused names the file, the byte and the way out', () => {
  const disk = new VirtualDisk();
  write(disk, entries(1, 1), entries(2, 2), entries(3, 3));
  disk.publish('journal-0000000000000002.log', [disk.read('journal-0000000000000001.log')]);
  assert.throws(
    () => Journal.open(disk, SMALL),
    (error) => {
      assert.ok(error instanceof CorruptionError);
      assert.match(error.message, /^journal-0000000000000002\.log is damaged at byte 0 /);
      assert.match(error.message, /must not vote; give its node a new identity/);
      return true;
    },
  );
});
