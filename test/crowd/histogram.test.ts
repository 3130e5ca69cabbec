// The histogram of durations: exact where it promises so, close everywhere else.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../../src/crowd/histogram.ts';

function filled(durationsMs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const duration of durationsMs) histogram.record(duration);
  return histogram;
}

test('an empty histogram answers zero everywhere', () => {
  const histogram = new Histogram();
  assert.equal(histogram.count, 0);
  assert.equal(histogram.maxMs, 0);
  assert.equal(histogram.quantileMs(0.99), 0);
});

test('the middle and the tail of a hundred durations are where they belong', () => {
  const histogram = filled(Array.from({ length: 100 }, (_, i) => i + 1));
  assert.ok(Math.abs(histogram.quantileMs(0.5) - 50) <= 50 * 0.035);
  assert.ok(Math.abs(histogram.quantileMs(0.99) - 99) <= 99 * 0.035);
  assert.equal(histogram.quantileMs(1), 100);
  assert.equal(histogram.maxMs, 100);
});

test('a quantile is never below the true one and at most a thirtieth above it', () => {
  const durations = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(durations, fc.integer({ min: 1, max: 100 }), (microseconds, percent) => {
      const histogram = filled(microseconds.map((value) => value / 1000));
      const sorted = microseconds.toSorted((a, b) => a - b);
      const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
      const truth = (sorted[rank - 1] ?? 0) / 1000;
      const answer = histogram.quantileMs(percent / 100);
      assert.ok(answer >= truth - 1e-9, `${answer} is below ${truth}`);
      assert.ok(answer <= truth * (1 + 1 / 30) + 1e-9, `${answer} is far above ${truth}`);
    }),
  );
});

test('merging two histograms is the same as recording everything in one', () => {
  const some = [0.01, 3, 900];
  const others = [0.5, 3, 120_000];
  const merged = filled(some);
  merged.merge(filled(others));
  const whole = filled([...some, ...others]);
  assert.equal(merged.count, whole.count);
  assert.equal(merged.maxMs, whole.maxMs);
  for (const share of [0.1, 0.5, 0.9, 1]) {
    assert.equal(merged.quantileMs(share), whole.quantileMs(share));
  }
});

test('durations beyond half an hour count as the longest one', () => {
  const histogram = filled([Number.MAX_SAFE_INTEGER]);
  assert.equal(histogram.count, 1);
  assert.ok(histogram.maxMs > 30 * 60 * 1000);
});

test('a cleared histogram has forgotten everything', () => {
  const histogram = filled([1, 2, 3]);
  histogram.clear();
  assert.equal(histogram.count, 0);
  assert.equal(histogram.quantileMs(0.5), 0);
});
