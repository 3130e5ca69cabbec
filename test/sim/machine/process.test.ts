import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { Random } from '../../../src/base/random.ts';
import { MachineClock } from '../../../src/sim/machine/clock.ts';
import { Killed, VirtualProcess } from '../../../src/sim/machine/process.ts';
import { EventQueue } from '../../../src/sim/machine/queue.ts';

interface Bench {
  readonly queue: EventQueue;
  readonly process: VirtualProcess;
  readonly ends: unknown[];
}

function bench(): Bench {
  const queue = new EventQueue();
  const ends: unknown[] = [];
  const process: VirtualProcess = new VirtualProcess({
    node: nodeId(1),
    queue,
    random: new Random(1),
    machine: new MachineClock(queue, { driftPpm: 0, skewMs: 0 }),
    timerLateUsMax: 0,
    watcher: {
      stepping: () => {},
      stepped: () => {},
      ended: (_process, cause) => ends.push(cause),
    },
  });
  return { queue, process, ends };
}

test('a process that stood still runs due timers, then what it received, then what was deferred', () => {
  const { queue, process } = bench();
  const did: string[] = [];
  process.take('order', () => {
    process.clock.defer(() => did.push('deferred'));
    process.clock.wakeAt(process.clock.monotonicMs() + 5, () => did.push('timer'));
    process.standStill(50_000);
  });
  queue.at(1_000, () => process.take('frames', () => did.push('frames')));
  while (queue.step(40_000));
  assert.deepEqual(did, []);
  while (queue.step(60_000));
  assert.deepEqual(did, ['timer', 'frames', 'deferred']);
});

test('a process dies between any two calls of its doors, and then none lets anything through', () => {
  const { queue, process, ends } = bench();
  const did: number[] = [];
  process.killAfter(3);
  process.take('order', () => {
    for (let i = 1; i <= 5; i++) {
      process.touch();
      did.push(i);
    }
  });
  assert.deepEqual(did, [1, 2]);
  assert.equal(process.alive, false);
  assert.equal(ends.length, 1);
  assert.ok(ends[0] instanceof Killed);
  process.take('order', () => assert.fail('it is dead'));
  assert.throws(() => process.clock.defer(() => {}), Killed);
  while (queue.step(1_000));
});

test('what a process throws ends it, and is told', () => {
  const { process, ends } = bench();
  const cause = new Error('broken');
  process.take('order', () => {
    throw cause;
  });
  assert.deepEqual(ends, [cause]);
});

test('a cancelled timer does not fire, also while the process stands still', () => {
  const { queue, process } = bench();
  process.take('order', () => {
    const cancel = process.clock.wakeAt(process.clock.monotonicMs() + 1, () => assert.fail('cancelled'));
    process.standStill(20_000);
    queue.at(10_000, cancel);
  });
  while (queue.step(50_000));
});
