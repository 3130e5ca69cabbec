import assert from 'node:assert/strict';
import test from 'node:test';
import { CallPaces } from '../../../src/services/gateway/call-paces.ts';

const PACE = { everyMs: 1_000, burst: 5 };
const START_MS = 10_000;

/** How many of so many, asked at once, are passed on. */
function passed(paces: CallPaces, nowMs: number, asked: number, isDone: boolean): number {
  let count = 0;
  for (let i = 0; i < asked; i++) {
    if (paces.tooFast('chat.say', PACE, nowMs) !== undefined) continue;
    count += 1;
    if (!isDone) paces.giveBack('chat.say', PACE, nowMs);
  }
  return count;
}

test('so many are passed on at once, and then one each time that the pace allows', () => {
  const paces = new CallPaces();
  assert.equal(passed(paces, START_MS, 20, true), PACE.burst);
  const early = paces.tooFast('chat.say', PACE, START_MS + 400);
  assert.deepEqual(early, { kind: 'unavailable', retryAfterMs: 600 });
  assert.equal(passed(paces, START_MS + 1_000, 20, true), 1);
  assert.equal(paces.tooFast('another.call', PACE, START_MS), undefined);
});

test('what did not happen costs nothing of what may be done', () => {
  const paces = new CallPaces();
  assert.equal(passed(paces, START_MS, 3, false), 3);
  assert.equal(passed(paces, START_MS, 20, true), PACE.burst);
});

test('a flood of what does not happen is held to the pace, after twice as many at once', () => {
  const paces = new CallPaces();
  assert.equal(passed(paces, START_MS, 100, false), 2 * PACE.burst);
  let count = 0;
  for (let ms = 100; ms <= 60_000; ms += 100) count += passed(paces, START_MS + ms, 10, false);
  assert.ok(count <= 120 && count >= 60, `${count} in a minute`);
});

test('what is given back before it was asked gives nothing', () => {
  const paces = new CallPaces();
  for (let i = 0; i < 10; i++) paces.giveBack('chat.say', PACE, START_MS);
  assert.equal(passed(paces, START_MS, 20, true), PACE.burst);
});
