// Who may lead: the copy that was chosen, with the log with which it was chosen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { RegionCopy } from '../../../src/protocols/primary/copy.ts';
import type { Entry, Mark, Message } from '../../../src/protocols/primary/messages.ts';
import { COPY_DEFAULTS } from '../../../src/protocols/primary/state.ts';

const NOW = { nowMs: 1_000, wallMs: 1_000 };
const SELF = nodeId(6);
const OPENING: Entry = {
  epoch: 2,
  sequence: 1,
  kind: 'opening',
  timeMs: 1,
  data: new Uint8Array(0),
};

function blankCopy(): RegionCopy {
  const copies = [SELF, nodeId(7), nodeId(8)];
  const mark = { epoch: 0, sequence: 0, timeMs: 0, digest: 0, runs: [] };
  const recovered = { promised: 2, isBlank: true, mark, entries: [OPENING] };
  return new RegionCopy({ ...COPY_DEFAULTS, self: SELF, copies, life: 1 }, recovered, NOW);
}

test('a blank copy leads when it was chosen with the log that it told of in this life', () => {
  const copy = blankCopy();
  copy.promise(3, 1);
  copy.appoint({ epoch: 3, primary: SELF, start: 1 }, NOW);
  assert.ok(copy.isPrimary);
});

test('a blank copy does not lead when its log is not the one that was chosen, or another life was', () => {
  const shorter = blankCopy();
  shorter.promise(3, 1);
  shorter.appoint({ epoch: 3, primary: SELF, start: 2 }, NOW);
  assert.ok(!shorter.isPrimary, 'it lacks an entry');
  const reborn = blankCopy();
  reborn.appoint({ epoch: 3, primary: SELF, start: 1 }, NOW);
  assert.ok(!reborn.isPrimary, 'it has promised nothing in this life');
});

/** A replica of epoch 2 that has received a whole state of its primary. */
function installingCopy(): RegionCopy {
  const copy = blankCopy();
  const mark: Mark = { epoch: 2, sequence: 9, timeMs: 9, digest: 0, runs: [{ epoch: 2, first: 1 }] };
  const bytes = new Uint8Array(1);
  const state: Message = { kind: 'state', epoch: 2, mark, part: 0, parts: 1, bytes };
  copy.receive(nodeId(7), state, NOW);
  assert.deepEqual(copy.collect().install?.mark, mark);
  return copy;
}

test('a copy that installs a state promises at once, and says where its log ends when it has', () => {
  const copy = installingCopy();
  copy.promise(3, 1);
  const before = copy.collect();
  assert.equal(before.write?.promised, 3);
  assert.deepEqual(before.promises, []);
  copy.installed(NOW.nowMs);
  const { promises } = copy.collect();
  assert.deepEqual(
    promises.map(({ ticket, promised }) => [ticket, promised.lastEpoch, promised.lastSequence]),
    [[1, 2, 9]],
  );
  assert.deepEqual(copy.collect().promises, [], 'once');
});

test('a copy that installs a state leads nothing until it has', () => {
  const copy = installingCopy();
  copy.promise(3, 1);
  copy.appoint({ epoch: 3, primary: SELF, start: 1 }, NOW);
  assert.ok(!copy.isPrimary, 'the log with which it would lead is about to be another');
  copy.installed(NOW.nowMs);
  copy.appoint({ epoch: 3, primary: SELF, start: 9 }, NOW);
  assert.ok(copy.isPrimary);
});

test('a copy that installs a state tells its sender that it is there, and not that it has it', () => {
  const copy = installingCopy();
  const mark: Mark = { epoch: 2, sequence: 9, timeMs: 9, digest: 0, runs: [{ epoch: 2, first: 1 }] };
  const bytes = new Uint8Array(1);
  copy.receive(nodeId(7), { kind: 'state', epoch: 2, mark, part: 0, parts: 1, bytes }, NOW);
  const told = (): unknown =>
    copy.collect().sendAfterWrite.map(({ message }) => message.kind === 'state-reply' && message.nextPart);
  assert.deepEqual(told(), [1]);
  copy.installed(NOW.nowMs);
  assert.deepEqual(told(), [Number.MAX_SAFE_INTEGER]);
});
