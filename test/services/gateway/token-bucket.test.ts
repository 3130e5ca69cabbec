import assert from 'node:assert/strict';
import test from 'node:test';

import { TokenBucket } from '../../../src/services/gateway/token-bucket.ts';

const LIMITS = { perSecond: 10, burst: 5, debtMax: 3 };

/** What so many takes at one moment are told. */
function takes(bucket: TokenBucket, count: number, nowMs: number): string[] {
  return Array.from({ length: count }, () => bucket.take(nowMs));
}

test('a burst is admitted, then the rate holds', () => {
  const bucket = new TokenBucket(LIMITS, 0);
  assert.deepEqual(takes(bucket, 6, 0).slice(4), ['admitted', 'over']);
  assert.deepEqual(takes(bucket, 2, 200), ['admitted', 'over']);
});

test('who goes on when refused is a flood', () => {
  const bucket = new TokenBucket(LIMITS, 0);
  assert.deepEqual(takes(bucket, 9, 0).slice(5), ['over', 'over', 'over', 'flood']);
});

test('a pause fills the bucket up to its burst and no more', () => {
  const bucket = new TokenBucket(LIMITS, 0);
  takes(bucket, 9, 0);
  const later = takes(bucket, 6, 60_000);
  assert.deepEqual(later, ['admitted', 'admitted', 'admitted', 'admitted', 'admitted', 'over']);
});
