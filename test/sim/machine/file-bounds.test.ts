// How many files a simulated machine may keep, by what its plan makes small.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drawPlan } from '../../../src/sim/plan/faults.ts';
import { copyFilesMax, groupFilesMax } from '../../../src/sim/machine/file-bounds.ts';
import type { Plan } from '../../../src/sim/plan/plan.ts';
import { stockWorld } from '../../../src/sim/play/worlds.ts';

const plan: Plan = drawPlan({ seed: 1, topology: stockWorld.topology });
const withSegments = (kibibytes: number): Plan => ({ ...plan, segmentBytes: kibibytes * 1_024 });
const node = { groups: 4, starts: 1, timerMs: 300 };
const copy = { limits: { checkpointBytesMin: 2_048 }, starts: 1, stateBytes: 0 };

test('a node may keep more files the smaller its segments are, and of large ones few', () => {
  const [small, middle, large] = [4, 16, 64].map((size) => groupFilesMax(withSegments(size), node));
  assert.ok((small ?? 0) > 2 * (middle ?? 0) && (middle ?? 0) > (large ?? 0));
  assert.ok((large ?? 0) < 40, `${large} files`);
});

test('a node may keep two checkpoints of each group, and a segment for each start', () => {
  const most = groupFilesMax(plan, node);
  assert.equal(groupFilesMax(plan, { ...node, groups: 5 }), most + 2);
  assert.equal(groupFilesMax(plan, { ...node, starts: 4 }), most + 3);
});

test('a copy may keep the log of two checkpoints, each as heavy as its state or the least', () => {
  const most = copyFilesMax(withSegments(4), copy);
  const stateBytes = 100 * 1_024;
  const heavier = copyFilesMax(withSegments(4), { ...copy, stateBytes });
  assert.ok(heavier > most);
  const limits = { checkpointBytesMin: stateBytes };
  assert.equal(copyFilesMax(withSegments(4), { ...copy, limits }), heavier);
});
