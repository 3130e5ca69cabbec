// Clocks elsewhere: what is late is known to be late, and no stamp leads beyond now.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LATE_MS_MAX, RemoteClock } from '../../src/base/remote-clock.ts';

test('the delay above the least one is taken off, whatever the origin of the other clock', () => {
  for (const origin of [0, 12_345, 2 ** 31 - 50, 2 ** 32 - 50]) {
    const clock = new RemoteClock();
    const stamp = (ms: number): number => (origin + ms) % 2 ** 32;
    assert.equal(clock.localMs(stamp(0), 1_000), 1_000);
    assert.equal(clock.localMs(stamp(100), 1_140), 1_100);
    assert.equal(clock.localMs(stamp(200), 1_190), 1_190, 'faster than ever');
    assert.equal(clock.localMs(stamp(300), 1_300), 1_290);
  }
});

test('whatever the stamps, the answer is never after now nor long before', () => {
  const message = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 5_000 }));
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      const clock = new RemoteClock();
      let nowMs = 0;
      for (const [stampMs, waitMs] of messages) {
        nowMs += waitMs;
        const localMs = clock.localMs(stampMs, nowMs);
        assert.ok(localMs <= nowMs && localMs >= nowMs - LATE_MS_MAX && Number.isInteger(localMs));
      }
    }),
  );
});

test('a clock that is set is followed at once, and one that runs too slowly is followed in time', () => {
  const clock = new RemoteClock();
  clock.localMs(0, 0);
  assert.equal(clock.localMs(100_000, 1_000), 1_000);
  assert.equal(clock.localMs(101_000, 2_000), 2_000);
  assert.equal(clock.localMs(50_000, 3_000), 3_000);
  let late = 0;
  for (let second = 1; second <= 3_600; second++) {
    const nowMs = 3_000 + second * 1_000;
    const stampMs = 50_000 + Math.floor(second * 999.8);
    late = Math.max(late, nowMs - clock.localMs(stampMs, nowMs));
  }
  assert.ok(late <= 1, `${late} ms late`);
});
