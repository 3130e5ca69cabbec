import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import type { Snapshot } from '../../src/protocols/raft/messages.ts';
import { RaftNode } from '../../src/protocols/raft/node.ts';
import { RAFT_DEFAULTS } from '../../src/protocols/raft/state.ts';
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { GROUP_LIMITS, RaftMachine } from '../../src/runtime/raft-machine.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { hoard } from '../support/hoard-feature.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SELF = nodeId(1);

test('a member that waits for a state has it although one checkpoint follows the other', () => {
  const membership = { incoming: [SELF], outgoing: [], learners: [], retiring: [] };
  const snapshot = { index: 9, term: 1, timeMs: 1_000, membership, digest: 0 };
  const random = new Random('machine');
  const options = { ...RAFT_DEFAULTS, self: SELF, voters: [SELF], random };
  const hardState = { term: 1, votedFor: undefined };
  const node = new RaftNode(options, { hardState, snapshot, entries: [] }, 0);
  const provided: Snapshot[] = [];
  node.provideSnapshot = (state) => provided.push(state);
  const disk = new VirtualDisk();
  const machine = createGroupMachine([hoard]);
  const kept = new RaftMachine(
    {
      self: SELF,
      node,
      machine,
      number: 7,
      name: 'sums',
      journal: Journal.open(disk, {}).journal,
      checkpoints: new Checkpoints(disk),
      clock: new VirtualClock(),
      limits: GROUP_LIMITS,
      guarded: (work) => work(),
      wake: () => {},
    },
    { ...snapshot, state: machine.snapshot() },
  );
  disk.holdSyncs = true;
  kept.checkpointNow();
  for (let i = 0; i < 3 && provided.length === 0; i++) {
    kept.provide();
    disk.release();
    kept.checkpointNow();
  }
  assert.equal(provided[0]?.index, snapshot.index);
});
