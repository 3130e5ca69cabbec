import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';

const draw = (random: Random, count: number): readonly number[] =>
  Array.from({ length: count }, () => random.uint32());

test('the same seed draws the same numbers, another seed others', () => {
  assert.deepEqual(draw(new Random(7), 20), draw(new Random('7'), 20));
  assert.notDeepEqual(draw(new Random(7), 20), draw(new Random(8), 20));
});

test('the numbers of a seed are the same in every version', () => {
  assert.deepEqual(draw(new Random('bluemarble'), 3), FIRST_DRAWS);
});

test('a named stream does not depend on what was drawn from others', () => {
  const untouched = new Random('seed').split('links');
  const parent = new Random('seed');
  draw(parent, 5);
  assert.deepEqual(draw(parent.split('links'), 10), draw(untouched, 10));
  assert.notDeepEqual(draw(parent.split('disks'), 10), draw(parent.split('links'), 10));
});

test('an integer lies between its bounds and reaches both', () => {
  const random = new Random('dice');
  const seen = new Set(Array.from({ length: 300 }, () => random.integer(-1, 4)));
  assert.deepEqual([...seen].sort((a, b) => a - b), [-1, 0, 1, 2, 3, 4]);
});

test('a chance comes about as often as it says', () => {
  const random = new Random('chance');
  let hits = 0;
  for (let i = 0; i < 10_000; i++) if (random.chance(1, 4)) hits += 1;
  assert.ok(hits > 2_300 && hits < 2_700, `${hits} of 10,000`);
  assert.equal(random.chance(0, 4), false);
  assert.equal(random.chance(4, 4), true);
});

test('a pick is one of the list, and there is none of an empty one', () => {
  const random = new Random('pick');
  const seen = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])));
  assert.equal(seen.size, 3);
  assert.equal(random.pick([]), undefined);
});

const FIRST_DRAWS: readonly number[] = [1517346894, 3629172118, 3332262020];
