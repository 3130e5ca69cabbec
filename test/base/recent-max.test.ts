import assert from 'node:assert/strict';
import test from 'node:test';

import { RecentMax } from '../../src/base/recent-max.ts';

test('the highest value of the last ten seconds stays, then makes room', () => {
  const recent = new RecentMax();
  assert.equal(recent.read(0), 0);
  recent.record(500, 40);
  recent.record(900, 7);
  recent.record(4_000, 12);
  assert.equal(recent.read(5_000), 40);
  assert.equal(recent.read(10_500), 12);
  assert.equal(recent.read(20_000), 0);
});

test('a slot that is used again forgets what it held', () => {
  const recent = new RecentMax();
  recent.record(100, 40);
  recent.record(10_100, 3);
  assert.equal(recent.read(10_200), 3);
});
