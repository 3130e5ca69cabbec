import assert from 'node:assert/strict';
import test from 'node:test';
import { Vector } from '../../src/verify/vector.ts';

test('setting an element makes a new vector and leaves the old one as it was', () => {
  const old = Vector.filled(200, 0);
  const next = old.with(3, 7).with(130, 9).with(199, 1);
  assert.deepEqual([3, 130, 199, 131].map((index) => next.at(index)), [7, 9, 1, 0]);
  assert.deepEqual([3, 130, 199].map((index) => old.at(index)), [0, 0, 0]);
});

test('what is absent reads as such, also at the edges of chunks', () => {
  for (const length of [0, 1, 63, 64, 65, 128]) {
    const vector = Vector.filled(length, -1);
    assert.equal(vector.at(length), -1, `beyond ${length}`);
    if (length > 0) assert.equal(vector.with(length - 1, 5).at(length - 1), 5);
  }
});
