import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { Random } from '../../../src/base/random.ts';
import type { Peers } from '../../../src/runtime/ports.ts';
import { MachineClock } from '../../../src/sim/machine/clock.ts';
import { Network } from '../../../src/sim/machine/network.ts';
import { VirtualProcess } from '../../../src/sim/machine/process.ts';
import { EventQueue } from '../../../src/sim/machine/queue.ts';

const [A, B] = [nodeId(1), nodeId(2)];

class Pair {
  readonly queue = new EventQueue();
  readonly network: Network;
  readonly heard: string[] = [];
  readonly peers = new Map<number, Peers>();

  constructor(o: { isDatagram?: boolean; lost?: number; doubled?: number } = {}) {
    this.network = new Network({
      queue: this.queue,
      random: new Random('network'),
      latencyUs: () => 1_000,
      jitterUsMax: 5_000,
      lost: o.lost ?? 0,
      doubled: o.doubled ?? 0,
      isDatagram: () => o.isDatagram === true,
      sent: () => {},
      arrived: () => {},
    });
    this.start(1);
    this.start(2);
    this.run(300);
  }

  start(id: number): void {
    const process: VirtualProcess = new VirtualProcess({
      node: nodeId(id),
      queue: this.queue,
      random: new Random(id),
      machine: new MachineClock(this.queue, { driftPpm: 0, skewMs: 0 }),
      timerLateUsMax: 0,
      watcher: { stepping: () => {}, stepped: () => {}, ended: () => {} },
    });
    const peers = this.network.join(process);
    this.peers.set(id, peers);
    peers.listen({
      received: (from, frame) => this.heard.push(`${id} hears ${frame[0]} from ${from}`),
      up: (node) => this.heard.push(`${id} up ${node}`),
      lost: (node) => this.heard.push(`${id} lost ${node}`),
    });
  }

  run(ms: number): void {
    const untilUs = this.queue.nowUs + ms * 1_000;
    while (this.queue.step(untilUs));
  }

  /** Sends numbers from 1 to 2, each by itself. */
  send(...numbers: readonly number[]): void {
    const peers = this.peers.get(1);
    for (const number of numbers) {
      peers?.send(B, Uint8Array.of(number));
      peers?.flush();
    }
  }

  take(): readonly string[] {
    return this.heard.splice(0);
  }
}

test('a link comes up at both ends, and keeps the order of what is sent', () => {
  const pair = new Pair();
  assert.deepEqual([...pair.take()].sort(), ['1 up 2', '2 up 1']);
  assert.equal(pair.peers.get(1)?.connected(B), true);
  pair.send(1, 2, 3, 4, 5, 6);
  pair.run(100);
  assert.deepEqual(pair.take(), [1, 2, 3, 4, 5, 6].map((n) => `2 hears ${n} from 1`));
});

test('a lost packet of a stream only delays what follows it', () => {
  const pair = new Pair({ lost: 300 });
  pair.take();
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  pair.send(...numbers);
  pair.run(20_000);
  assert.deepEqual(pair.take(), numbers.map((n) => `2 hears ${n} from 1`));
});

test('datagrams are lost, doubled and mixed up one by one', () => {
  const pair = new Pair({ isDatagram: true, lost: 200, doubled: 200 });
  pair.take();
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  pair.send(...numbers);
  pair.run(2_000);
  const heard = pair.take().map((line) => Number(line.split(' ')[2]));
  const different = new Set(heard);
  assert.ok(different.size < 200, 'some are lost');
  assert.ok(heard.length > different.size, 'some are doubled');
  assert.notDeepEqual(heard, [...heard].sort((a, b) => a - b));
});

test('what is sent into a cut arrives when it heals, unless the connection broke meanwhile', () => {
  const pair = new Pair();
  pair.take();
  pair.network.block(A, B, Number.POSITIVE_INFINITY);
  pair.send(1);
  pair.run(5_000);
  assert.deepEqual(pair.take(), []);
  pair.network.unblock(A, B);
  pair.run(500);
  assert.deepEqual(pair.take(), ['2 hears 1 from 1']);
  pair.network.block(A, B, 100_000);
  pair.send(2);
  pair.run(5_000);
  assert.deepEqual([...pair.take()].sort(), ['1 lost 2', '2 lost 1']);
  pair.network.unblock(A, B);
  pair.run(500);
  assert.deepEqual([...pair.take()].sort(), ['1 up 2', '2 up 1']);
});

test('overlapping cuts heal with the last of them', () => {
  const pair = new Pair();
  pair.take();
  pair.network.block(A, B, Number.POSITIVE_INFINITY);
  pair.network.block(A, B, Number.POSITIVE_INFINITY);
  pair.send(1);
  pair.network.unblock(A, B);
  pair.run(1_000);
  assert.deepEqual(pair.take(), []);
  pair.network.unblock(A, B);
  pair.run(1_000);
  assert.deepEqual(pair.take(), ['2 hears 1 from 1']);
});

test('a dead process is noticed soon, a dead machine late, and its return replaces the link', () => {
  const pair = new Pair();
  pair.take();
  pair.network.leave(B, false);
  pair.run(50);
  assert.deepEqual(pair.take(), ['1 lost 2']);
  pair.start(2);
  pair.run(300);
  pair.take();
  pair.network.leave(B, true);
  pair.run(500);
  assert.deepEqual(pair.take(), []);
  pair.start(2);
  pair.run(300);
  const seenByOne = pair.take().filter((line) => line.startsWith('1'));
  assert.deepEqual(seenByOne, ['1 lost 2', '1 up 2']);
});
