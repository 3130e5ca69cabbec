// Promotions, counted and told.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Primaries } from '../../src/host/primaries.ts';

const placed = (primary: string | undefined, epoch: number, isSought = false, lost = 0) => {
  const losses = lost === 0 ? [] : [{ epoch, from: 71, to: 70 + lost, isTold: true }];
  return [{ region: 'eu', primary, epoch, isSought, lost, losses }];
};

test('the first primary is no promotion', () => {
  const primaries = new Primaries();
  assert.deepEqual(primaries.note(placed(undefined, 0)), []);
  assert.deepEqual(primaries.note(placed('eu', 2)), []);
  assert.equal(primaries.promotions, 0);
});

test('a region without a primary is told once, then who has it and who had it before', () => {
  const primaries = new Primaries();
  primaries.note(placed('eu', 2));
  assert.deepEqual(primaries.note(placed('eu', 2, true)), [
    'eu: a primary is sought (last was eu in epoch 2)',
  ]);
  assert.deepEqual(primaries.note(placed('eu', 2, true)), []);
  assert.deepEqual(primaries.note(placed('asia', 3)), [
    'eu: asia is primary in epoch 3 (before: eu, 2)',
  ]);
  assert.deepEqual(primaries.note(placed('asia', 3)), []);
  assert.equal(primaries.promotions, 1);
});

test('what promotions cost adds up, also when placement has forgotten the older ones', () => {
  const primaries = new Primaries();
  primaries.note(placed('eu', 2));
  const [, told] = primaries.note(placed('asia', 3, false, 4));
  assert.equal(told, 'eu: 4 entries are lost (entries 71 to 74 before epoch 3)');
  assert.deepEqual(primaries.note(placed('asia', 3, false, 0)), []);
  assert.deepEqual(primaries.note(placed('asia', 3, false, 1)), [
    'eu: 1 entry is lost (entry 71 before epoch 3)',
  ]);
  primaries.note(placed('asia', 3, false, 3));
  assert.equal(primaries.lostEntries, 7);
});
