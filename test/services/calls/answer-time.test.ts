import assert from 'node:assert/strict';
import test from 'node:test';

import { AnswerTime, PATIENCE_MS_MAX, PATIENCE_MS_MIN } from '../../../src/services/calls/answer-time.ts';

/** That of one who was measured so often, each time the same. */
function after(times: number, ms: number): AnswerTime {
  const time = new AnswerTime(PATIENCE_MS_MAX);
  for (let i = 0; i < times; i++) time.answeredAfter(ms);
  return time;
}

test('on one machine patience stays at its least, also where answers vary', () => {
  const time = new AnswerTime(PATIENCE_MS_MAX);
  for (const ms of [2, 3, 40, 1, 2, 25, 60, 2]) {
    time.answeredAfter(ms);
    assert.equal(time.patienceMs, PATIENCE_MS_MIN);
  }
});

test('patience comes down to little more than what answers take, and never below it', () => {
  assert.equal(after(1, 320).patienceMs, 960);
  const { patienceMs } = after(20, 320);
  assert.ok(patienceMs > 320 && patienceMs < 350, `${patienceMs} ms`);
});

test('who lets it run out is given twice as long until he answers, but never longer than the longest', () => {
  const time = after(3, 2);
  time.ranOut();
  assert.equal(time.patienceMs, 2 * PATIENCE_MS_MIN);
  for (let i = 0; i < 5; i++) time.ranOut();
  assert.equal(time.patienceMs, PATIENCE_MS_MAX);
  time.answeredAfter(2);
  assert.equal(time.patienceMs, PATIENCE_MS_MIN);
  assert.equal(after(1, 60_000).patienceMs, PATIENCE_MS_MAX);
});
