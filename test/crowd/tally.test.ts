// How calls ended: counted since the beginning, timed in windows.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ALL_CALLS, Tally } from '../../src/crowd/tally.ts';

test('outcomes are counted by call and kind, and all calls together come first', () => {
  const tally = new Tally();
  tally.record('trade.give', 'done', 2);
  tally.record('trade.give', 'rejected', 1);
  tally.record('names.claim', 'done', 4);
  const [all, first, second] = tally.summarize(1000);
  assert.equal(all?.call, ALL_CALLS);
  assert.equal(all?.done, 2);
  assert.equal(all?.rejected, 1);
  assert.equal(first?.call, 'names.claim');
  assert.equal(second?.call, 'trade.give');
  assert.equal(tally.count('trade.give', 'done'), 1);
  assert.equal(tally.count('trade.accept', 'done'), 0);
});

test('a window forgets what came before it, the whole does not', () => {
  const tally = new Tally();
  tally.record('trade.give', 'done', 900);
  tally.summarize(1000);
  tally.record('trade.give', 'done', 3);
  tally.record('trade.give', 'done', 3);
  const give = tally.summarize(2000).find((summary) => summary.call === 'trade.give');
  assert.equal(give?.recent.perSecond, 1);
  assert.equal(give?.recent.maxMs, 3);
  assert.equal(give?.maxMs, 900);
  assert.equal(give?.done, 3);
});

test('an empty tally summarizes to nothing but zeros', () => {
  const [all, ...others] = new Tally().summarize(0);
  assert.equal(others.length, 0);
  assert.equal(all?.recent.perSecond, 0);
  assert.equal(all?.p99Ms, 0);
});
