import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { earlyMs, paidAfter, type Pace } from '../../src/base/pace.ts';

const PACE: Pace = { everyMs: 1_000, burst: 3 };

test('so many at once, and then one each time', () => {
  let paidAtMs = 0;
  for (let time = 0; time < 3; time++) {
    assert.equal(earlyMs(PACE, paidAtMs, 50_000), 0);
    paidAtMs = paidAfter(PACE, paidAtMs, 50_000);
  }
  assert.equal(earlyMs(PACE, paidAtMs, 50_000), 1_000);
  assert.equal(earlyMs(PACE, paidAtMs, 50_999), 1);
  assert.equal(earlyMs(PACE, paidAtMs, 51_000), 0);
});

test('over any stretch of time nobody does more than the burst and one for each `everyMs`', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2_500), { maxLength: 60 }), (pauses) => {
      let [nowMs, paidAtMs] = [10_000, 0];
      const doneAtMs: number[] = [];
      for (const pause of pauses) {
        nowMs += pause;
        if (earlyMs(PACE, paidAtMs, nowMs) > 0) continue;
        paidAtMs = paidAfter(PACE, paidAtMs, nowMs);
        doneAtMs.push(nowMs);
      }
      for (const [first, fromMs] of doneAtMs.entries()) {
        for (const [last, untilMs] of doneAtMs.entries()) {
          if (last < first) continue;
          const allowed = PACE.burst + (untilMs - fromMs) / PACE.everyMs;
          assert.ok(last - first + 1 <= allowed);
        }
      }
    }),
  );
});
