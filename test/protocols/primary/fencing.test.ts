// Who may lead: the copy that was chosen, with the log with which it was chosen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { RegionCopy } from '../../../src/protocols/primary/copy.ts';
import type { Entry } from '../../../src/protocols/primary/messages.ts';
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
