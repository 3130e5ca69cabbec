// The client's motion lane and its view of others.
import assert from 'node:assert/strict';
import test from 'node:test';
import { MotionLane, Others } from '../../src/client/motion.ts';
import type { Place } from '../../src/wire/calls.ts';
import { decodeUpdate } from '../../src/wire/motion.ts';

const quito = { lat: -1_807_000, lon: -784_678_000 };
const north = { lat: -1_806_000, lon: -784_678_000 };
const further = { lat: -1_805_000, lon: -784_678_000 };

test('at most one update leaves per tick, and it is the newest place', () => {
  const lane = new MotionLane();
  lane.entered(quito, 100);
  assert.equal(lane.take(1_000), undefined, 'the region knows where he entered');
  lane.moveTo(north);
  assert.deepEqual(decodeUpdate(lane.take(1_000) ?? new Uint8Array()), { sequence: 1, ...north });
  lane.moveTo(quito);
  lane.moveTo(further);
  assert.equal(lane.take(1_099), undefined);
  assert.equal(lane.wakeAtMs, 1_100);
  assert.deepEqual(decodeUpdate(lane.take(1_100) ?? new Uint8Array()), { sequence: 2, ...further });
  assert.equal(lane.wakeAtMs, Infinity);
});

test('nothing leaves before the player has entered and after he has left', () => {
  const lane = new MotionLane();
  lane.moveTo(north);
  assert.equal(lane.take(1_000), undefined);
  assert.equal(lane.reentry, undefined);
  lane.entered(quito, 100);
  lane.moveTo(north);
  lane.left();
  lane.moveTo(further);
  assert.equal(lane.take(1_000), undefined);
  assert.equal(lane.reentry, undefined);
});

test('after a break the player enters again at the last place and goes on from there', () => {
  const lane = new MotionLane();
  lane.entered(quito, 100);
  lane.interrupted();
  lane.moveTo(north);
  assert.equal(lane.take(1_000), undefined, 'no region has him');
  assert.deepEqual(lane.reentry, north);
  lane.moveTo(further);
  lane.reentered(100);
  assert.equal(lane.reentry, undefined);
  assert.deepEqual(decodeUpdate(lane.take(1_000) ?? new Uint8Array()), { sequence: 1, ...further });
});

test('a corrected player stands where the region says', () => {
  const lane = new MotionLane();
  lane.entered(quito, 100);
  lane.moveTo(further);
  lane.corrected({ sequence: 1, ...quito, reason: 'too-fast' } as Place);
  assert.equal(lane.take(1_000), undefined);
  lane.interrupted();
  assert.deepEqual(lane.reentry, quito);
});

test('others are seen until nothing was heard of them for three seconds', () => {
  const others = new Others();
  others.saw([{ player: 1, ...quito }, { player: 2, ...north }, { player: 3, ...north }], 3, 0);
  others.saw([{ player: 2, ...further }], 3, 2_000);
  assert.deepEqual([...others.at(2_999).keys()], [1, 2], 'and oneself is not another');
  assert.deepEqual([...others.at(3_000)], [[2, { ...further, seenAtMs: 2_000 }]]);
  assert.equal(others.at(5_000).size, 0);
});
