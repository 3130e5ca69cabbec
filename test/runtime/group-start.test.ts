import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import type { Snapshot } from '../../src/protocols/raft/messages.ts';
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import { type StartingPoint, startingPoint } from '../../src/runtime/group-start.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { MARK_NONE } from '../../src/runtime/journal-group.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';

const GROUP = { number: 1, name: 'group' };

function start(disk: VirtualDisk): StartingPoint {
  const { journal, recovered } = Journal.open(disk);
  return startingPoint(GROUP, { journal, checkpoints: new Checkpoints(disk), recovered });
}

test('a machine that dies between receiving a snapshot and noting its term starts in that term', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  journal.stage(GROUP.number, { hardState: { term: 1, votedFor: nodeId(2) }, entries: [] });
  journal.flush(() => {});
  const snapshot: Snapshot = { ...MARK_NONE, index: 7, term: 3, state: Uint8Array.of(1) };
  new Checkpoints(disk).save(GROUP.name, snapshot);
  for (let life = 0; life < 2; life++) {
    const { recovered } = start(disk);
    assert.deepEqual(recovered.hardState, { term: 3, votedFor: undefined });
    assert.equal(recovered.snapshot.index, 7);
  }
});

test('a checkpoint of a term that the journal knows leaves the vote alone', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk);
  journal.stage(GROUP.number, { hardState: { term: 3, votedFor: nodeId(2) }, entries: [] });
  journal.flush(() => {});
  const snapshot: Snapshot = { ...MARK_NONE, index: 7, term: 3, state: Uint8Array.of(1) };
  new Checkpoints(disk).save(GROUP.name, snapshot);
  assert.deepEqual(start(disk).recovered.hardState, { term: 3, votedFor: nodeId(2) });
});
