// A kept process: when it comes back, and when it must not.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ChildListener, ChildSignal } from '../../src/adapters/node/children.ts';
import {
  GRACE_MS,
  NodeKeeper,
  RAN_WELL_MS,
  RESTART_MS_MAX,
  RESTART_MS_MIN,
} from '../../src/host/node-keeper.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A keeper whose processes are puppets: `end` lets the present one end. */
function kept() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const signals: ChildSignal[] = [];
  const heard: object[] = [];
  let starts = 0;
  let listener: ChildListener | undefined;
  const end = (code: number | undefined, signal?: string, tail: string = ''): void => {
    const ending = listener;
    listener = undefined;
    ending?.ended({ code, signal, tail });
  };
  const keeper = new NodeKeeper({
    name: 'global-1',
    clock,
    told: ({ kind }) => told.push(kind),
    start: (given) => {
      starts += 1;
      listener = given;
      return {
        pid: 1000 + starts,
        signal: (signal) => {
          signals.push(signal);
          if (signal === 'SIGKILL') queueMicrotask(() => end(undefined, 'SIGKILL'));
        },
        tell: (message) => heard.push(message),
      };
    },
  });
  const ready = (): void => listener?.message({ kind: 'ready' });
  const fail = (sentence: string): void => listener?.message({ kind: 'failed', sentence });
  const hear = (): void => listener?.message({ kind: 'forewarned' });
  return { clock, keeper, told, signals, heard, end, ready, fail, hear, starts: () => starts };
}

test('a process is up when it says that it is ready', () => {
  const { keeper, ready } = kept();
  keeper.start();
  assert.equal(keeper.facts.condition, 'starting');
  ready();
  const never = { selfExits: 0, outsideEnds: 0 };
  assert.deepEqual(keeper.facts, { name: 'global-1', condition: 'up', pid: 1001, ...never });
});

test('a process that ends by itself comes back after a delay that doubles up to a limit', () => {
  const { clock, keeper, end, starts } = kept();
  keeper.start();
  let delayMs = RESTART_MS_MIN;
  for (let failure = 1; failure <= 8; failure++) {
    end(1);
    assert.equal(keeper.facts.condition, 'restarting');
    clock.advance(delayMs - 1);
    assert.equal(starts(), failure);
    clock.advance(1);
    assert.equal(starts(), failure + 1);
    delayMs = Math.min(RESTART_MS_MAX, delayMs * 2);
  }
  assert.equal(keeper.facts.selfExits, 8);
});

test('a process that somebody killed, or told to stop, comes back and did not end by itself', () => {
  const { clock, keeper, end, starts } = kept();
  keeper.start();
  end(undefined, 'SIGKILL');
  clock.advance(RESTART_MS_MIN);
  end(0);
  clock.advance(2 * RESTART_MS_MIN);
  assert.equal(starts(), 3);
  const { selfExits, outsideEnds } = keeper.facts;
  assert.deepEqual([selfExits, outsideEnds], [0, 2]);
});

test('a process that ran well for a while comes back as quickly as the first time', () => {
  const { clock, keeper, end, ready, starts } = kept();
  keeper.start();
  end(1);
  clock.advance(RESTART_MS_MIN);
  end(1);
  clock.advance(RESTART_MS_MIN * 2);
  ready();
  clock.advance(RAN_WELL_MS);
  end(undefined, 'SIGSEGV');
  clock.advance(RESTART_MS_MIN);
  assert.equal(starts(), 4);
});

test('a process that said why it can not run is not started again', () => {
  const { clock, keeper, end, fail, starts } = kept();
  keeper.start();
  fail('Port 7451 is in use.');
  end(2);
  clock.advance(RESTART_MS_MAX * 10);
  assert.equal(starts(), 1);
  assert.equal(keeper.facts.condition, 'failed');
  assert.equal(keeper.sentence, 'Port 7451 is in use.');
});

test('the last words of a process that failed silently are its error, not its stack', () => {
  const { keeper, end } = kept();
  keeper.start();
  end(2, undefined, 'file.js:1\nTypeError: no such thing\n    at somewhere\n\nNode.js v26.10.0');
  assert.equal(keeper.sentence, 'TypeError: no such thing');
});

test('a killed process stays down until it is restarted', async () => {
  const { clock, keeper, ready, starts, told } = kept();
  keeper.start();
  ready();
  assert.equal(await keeper.kill(), true);
  clock.advance(RESTART_MS_MAX * 10);
  assert.equal(keeper.facts.condition, 'down');
  assert.equal(keeper.facts.selfExits, 0);
  assert.equal(starts(), 1);
  assert.equal(await keeper.kill(), false);
  await keeper.restart();
  assert.equal(starts(), 2);
  assert.deepEqual(told, ['ready', 'killed']);
});

test('a process that is ended while it is being restarted stays down', async () => {
  const { keeper, end, ready, starts } = kept();
  keeper.start();
  ready();
  const restarted = keeper.restart();
  const stopped = keeper.stop();
  end(0);
  await Promise.all([restarted, stopped]);
  assert.equal(starts(), 1);
  assert.equal(keeper.facts.condition, 'down');
});

test('killing a process that waits for its restart cancels the restart', async () => {
  const { clock, keeper, end, starts } = kept();
  keeper.start();
  end(1);
  assert.equal(await keeper.kill(), false);
  clock.advance(RESTART_MS_MAX);
  assert.equal(starts(), 1);
  assert.equal(keeper.facts.condition, 'down');
});

test('a paused process goes on where it was', () => {
  const { keeper, ready, signals } = kept();
  keeper.start();
  ready();
  assert.equal(keeper.resume(), false);
  assert.equal(keeper.pause(), true);
  assert.equal(keeper.pause(), false);
  assert.equal(keeper.facts.condition, 'paused');
  assert.equal(keeper.resume(), true);
  assert.equal(keeper.facts.condition, 'up');
  assert.deepEqual(signals, ['SIGSTOP', 'SIGCONT']);
});

test('a process that does not end in order is ended at once after the grace', async () => {
  const { clock, keeper, ready, signals } = kept();
  keeper.start();
  ready();
  const stopped = keeper.stop();
  assert.deepEqual(signals, ['SIGTERM', 'SIGCONT']);
  clock.advance(GRACE_MS);
  await stopped;
  assert.deepEqual(signals, ['SIGTERM', 'SIGCONT', 'SIGKILL']);
  assert.equal(keeper.facts.condition, 'down');
});

test('starting a process that runs already starts no second one', () => {
  const { keeper, starts } = kept();
  keeper.start();
  keeper.start();
  assert.equal(starts(), 1);
});

/** Whether it settles without more time passing. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => (isDone = true));
  await new Promise(setImmediate);
  return isDone;
}

test('a process is forewarned when it says that it has heard, has ended, or has had its time', async () => {
  for (const answer of ['hears', 'ends', 'is silent'] as const) {
    const { clock, keeper, heard, ready, hear, end } = kept();
    keeper.start();
    ready();
    const forewarned = keeper.forewarn();
    assert.deepEqual(heard, [{ kind: 'world-ends' }]);
    assert.equal(await isSettled(forewarned), false, answer);
    if (answer === 'hears') hear();
    else if (answer === 'ends') end(0);
    else clock.advance(1_000);
    assert.equal(await isSettled(forewarned), true, answer);
  }
});

test('nobody waits for the word of a process that can not hear', async () => {
  const { keeper, heard, ready } = kept();
  assert.equal(await isSettled(keeper.forewarn()), true);
  keeper.start();
  assert.equal(await isSettled(keeper.forewarn()), true);
  ready();
  keeper.pause();
  assert.equal(await isSettled(keeper.forewarn()), true);
  assert.deepEqual(heard, []);
});
