// The gate on the links between nodes, over real sockets: what an operator's faults do to frames.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FaultGate } from '../../src/adapters/node/fault-gate.ts';
import { openPeers } from '../../src/adapters/node/peers.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Logger, Peers } from '../../src/runtime/ports.ts';
import type { LinkFault } from '../../src/wire/link-faults.ts';

const HOST = '127.0.0.1';
const KEY: Uint8Array = new Uint8Array(32).fill(9);
const ONE = nodeId(1);
const TWO = nodeId(2);
const HEALTHY: LinkFault = { cut: 'no', delayMs: 0, jitterMs: 0, lossPerMille: 0 };
const silentLogger: Logger = { log: () => undefined };

interface TestNode {
  readonly peers: Peers & { readonly port: number };
  readonly gate: FaultGate;
  readonly events: string[];
  /** The first byte of each frame. */
  readonly heard: number[];
}

async function start(t: TestContext, self: NodeId, other: NodeId, port: number): Promise<TestNode> {
  const gate = new FaultGate(silentLogger);
  const peers = await openPeers({
    self,
    world: 'earth',
    key: KEY,
    listen: { host: HOST, port: 0 },
    nodes: [{ id: other, host: HOST, port }],
    dial: port > 1 ? [other] : [],
    gate,
    logger: silentLogger,
  });
  t.after(() => peers.close());
  const events: string[] = [];
  const heard: number[] = [];
  peers.listen({
    received: (_from, frame) => heard.push(frame[0] ?? -1),
    up: (node) => events.push(`up ${node}`),
    lost: (node) => events.push(`lost ${node}`),
  });
  return { peers, gate, events, heard };
}

/** Node 2 dials node 1. */
async function pair(t: TestContext): Promise<readonly [TestNode, TestNode]> {
  const one = await start(t, ONE, TWO, 1);
  const two = await start(t, TWO, ONE, one.peers.port);
  await until(() => one.peers.connected(TWO) && two.peers.connected(ONE));
  return [one, two];
}

async function until(held: () => boolean): Promise<void> {
  while (!held()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function lay({ gate }: TestNode, to: NodeId, fault: Partial<LinkFault>): void {
  gate.command({ kind: 'link-faults', links: [{ to, ...HEALTHY, ...fault }] });
}

function heal({ gate }: TestNode): void {
  gate.command({ kind: 'link-faults', links: [] });
}

function say({ peers }: TestNode, to: NodeId, ...bytes: readonly number[]): void {
  for (const byte of bytes) peers.send(to, Uint8Array.of(byte));
  peers.flush();
}

test('frames vanish in a silent cut, one way only, while the connection stands', async (t) => {
  const [one, two] = await pair(t);
  lay(one, TWO, { cut: 'silent' });
  say(one, TWO, 1, 2);
  say(two, ONE, 7);
  await until(() => one.heard.includes(7));
  heal(one);
  say(one, TWO, 3);
  await until(() => two.heard.includes(3));
  assert.deepEqual(two.heard, [3]);
  assert.deepEqual([one.events, two.events], [['up 2'], ['up 1']]);
});

test('a reset breaks the connection, keeps it from coming up, and healing lets it', async (t) => {
  const [one, two] = await pair(t);
  lay(one, TWO, { cut: 'reset' });
  lay(two, ONE, { cut: 'reset' });
  await until(() => one.events.includes('lost 2') && two.events.includes('lost 1'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(one.peers.connected(TWO), false);
  heal(one);
  heal(two);
  await until(() => one.peers.connected(TWO) && two.peers.connected(ONE));
  say(one, TWO, 4);
  await until(() => two.heard.includes(4));
});

test('no connection comes up where one direction is cut, whoever dials', async (t) => {
  const one = await start(t, ONE, TWO, 1);
  lay(one, TWO, { cut: 'silent' });
  const two = await start(t, TWO, ONE, one.peers.port);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual([one.events, two.events], [[], []]);
  heal(one);
  await until(() => two.peers.connected(ONE));
});

test('delayed frames come later, in their order, and also after the delay is taken off', async (t) => {
  const [one, two] = await pair(t);
  const bytes = Array.from({ length: 50 }, (_, place) => place);
  lay(one, TWO, { delayMs: 80, jitterMs: 60 });
  const beganMs = performance.now();
  say(one, TWO, ...bytes);
  heal(one);
  say(one, TWO, 100);
  await until(() => two.heard.length === 51);
  assert.deepEqual(two.heard, [...bytes, 100]);
  assert.ok(performance.now() - beganMs >= 15);
});

test('of a thousand frames as many are lost as was asked for, more or less', async (t) => {
  const [one, two] = await pair(t);
  lay(one, TWO, { lossPerMille: 500 });
  say(one, TWO, ...Array.from({ length: 1_000 }, () => 1));
  heal(one);
  say(one, TWO, 2);
  await until(() => two.heard.includes(2));
  assert.ok(two.heard.length > 350 && two.heard.length < 650, String(two.heard.length));
});

test('what is no order for the gate is dropped, and the gate stays as it was', async (t) => {
  const [one, two] = await pair(t);
  lay(one, TWO, { cut: 'silent' });
  const links = [{ to: TWO, ...HEALTHY, delayMs: -1 }];
  for (const order of [undefined, 7, {}, { kind: 'finish' }, { kind: 'link-faults', links }]) {
    one.gate.command(order);
  }
  say(one, TWO, 1);
  heal(one);
  say(one, TWO, 2);
  await until(() => two.heard.includes(2));
  assert.deepEqual(two.heard, [2]);
});
