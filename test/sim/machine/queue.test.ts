import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../../src/base/random.ts';
import { MachineClock } from '../../../src/sim/machine/clock.ts';
import { EventQueue } from '../../../src/sim/machine/queue.ts';

test('events happen in the order of their times, and of their scheduling where these are equal', () => {
  const random = new Random('queue');
  const queue = new EventQueue();
  const happened: (readonly [number, number])[] = [];
  for (let i = 0; i < 500; i++) {
    const atUs = random.integer(0, 40);
    queue.at(atUs, () => happened.push([atUs, i]));
  }
  while (queue.step(100));
  assert.equal(happened.length, 500);
  const sorted = [...happened].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual(happened, sorted);
  assert.equal(queue.nowUs, 100);
});

test('a cancelled event does not happen, and one of the past happens now', () => {
  const queue = new EventQueue();
  const happened: string[] = [];
  queue.at(10, () => happened.push('cancelled')).cancelled = true;
  queue.at(20, () => queue.at(5, () => happened.push(`late at ${queue.nowUs}`)));
  while (queue.step(30));
  assert.deepEqual(happened, ['late at 20']);
});

test('what comes soon takes its turn among all that is scheduled, in the order of scheduling', () => {
  const random = new Random('soon');
  const queue = new EventQueue();
  const awaited: (readonly [number, number])[] = [];
  const happened: (readonly [number, number])[] = [];
  const expect = (atUs: number): (() => void) => {
    const place = awaited.push([atUs, awaited.length]) - 1;
    return () => happened.push([queue.nowUs, place]);
  };
  for (let i = 0; i < 300; i++) {
    queue.at(i * 7, () => {
      queue.soon(expect(queue.nowUs + 20));
      const waitUs = random.integer(0, 40);
      queue.after(waitUs, expect(queue.nowUs + waitUs));
    });
  }
  while (queue.step(3_000));
  assert.deepEqual(happened, awaited.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
  assert.equal(queue.size, 0);
});

test('what is due later than asked for does not happen yet', () => {
  const queue = new EventQueue();
  queue.at(11, () => assert.fail('too soon'));
  assert.equal(queue.step(10), false);
  assert.equal(queue.size, 1);
});

test('a clock that drifts counts faster, never backwards, and says when it will have counted so far', () => {
  const queue = new EventQueue();
  const clock = new MachineClock(queue, { driftPpm: 100_000, skewMs: -5 });
  queue.step(1_000_000);
  assert.equal(clock.monotonicUs, 1_100_000);
  assert.equal(clock.reachedAtUs(2_200_000), 2_000_000);
  clock.drift(-500_000);
  assert.equal(clock.monotonicUs, 1_100_000);
  queue.step(2_000_000);
  assert.equal(clock.monotonicUs, 1_600_000);
  const before = clock.wallMs;
  clock.jumpWall(-3_600_000);
  assert.equal(clock.wallMs, before - 3_600_000);
  assert.equal(clock.monotonicUs, 1_600_000);
});
