// Links between nodes over real sockets: who is let in, what arrives, and what a broken link says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';

import { Handshake } from '../../src/adapters/node/peer-handshake.ts';
import { QUEUE_BYTES_MAX } from '../../src/adapters/node/peer-link.ts';
import { openPeers, type PeerFolders } from '../../src/adapters/node/peers.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Logger, Peers } from '../../src/runtime/ports.ts';
import { encodeFrames } from '../../src/wire/frame.ts';

const HOST = '127.0.0.1';
const KEY: Uint8Array = new Uint8Array(32).fill(9);
const quiet: Logger = { log: () => undefined };
const ONE = nodeId(1);
const TWO = nodeId(2);

interface TestNode {
  readonly peers: Peers & { readonly port: number };
  readonly events: string[];
  readonly frames: Uint8Array[];
  readonly causes: unknown[];
  /** Where nobody listens any more. */
  readonly gone: NodeId[];
}

interface NodeChoices {
  readonly self?: NodeId;
  readonly port: number;
  readonly others?: readonly { id: NodeId; host: string; port: number }[];
  readonly key?: Uint8Array;
  readonly folders?: PeerFolders;
}

/** A node that dials all `others`; everything it hears is noted. */
async function start(t: TestContext, choices: NodeChoices): Promise<TestNode> {
  const causes: unknown[] = [];
  const others = choices.others ?? [at(TWO, 1)];
  const peers = await openPeers({
    self: choices.self ?? ONE,
    world: 'earth',
    key: choices.key ?? KEY,
    listen: { host: HOST, port: choices.port },
    nodes: others,
    dial: others.filter((other) => other.port > 1).map((other) => other.id),
    ...(choices.folders === undefined ? {} : { folders: choices.folders }),
    logger: { log: (_level, _event, facts) => causes.push(facts?.['cause']) },
  });
  t.after(() => peers.close());
  const events: string[] = [];
  const frames: Uint8Array[] = [];
  const gone: NodeId[] = [];
  peers.listen({
    received: (_from, frame) => frames.push(frame),
    up: (node) => events.push(`up ${node}`),
    lost: (node) => events.push(`lost ${node}`),
    refused: (node) => gone.push(node),
  });
  return { peers, events, frames, causes, gone };
}

function at(id: NodeId, port: number): { id: NodeId; host: string; port: number } {
  return { id, host: HOST, port };
}

async function until(held: () => boolean): Promise<void> {
  while (!held()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function freePort(): Promise<number> {
  const server: Server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

interface Stranger {
  readonly self?: NodeId;
  readonly to?: NodeId;
  readonly world?: string;
  readonly key?: Uint8Array;
}

/** Dials node 1 by hand and completes the handshake as far as it goes. */
async function dialByHand(port: number, stranger: Stranger = {}): Promise<Socket> {
  const socket = connect(port, HOST);
  socket.on('error', () => undefined);
  const handshake = new Handshake({
    self: stranger.self ?? TWO,
    world: stranger.world ?? 'earth',
    key: stranger.key ?? KEY,
    dialled: stranger.to ?? ONE,
    knows: () => true,
  });
  await once(socket, 'connect');
  socket.write(handshake.hello());
  socket.on('data', (chunk: Buffer) => {
    const step = handshake.receive(chunk);
    if (step.kind === 'proved' && step.reply !== undefined) socket.write(step.reply);
    // A stranger with a wrong key would not believe us either, and tries its luck all the same.
    if (step.kind === 'refused') socket.write(new Uint8Array(32));
  });
  return socket;
}

test('frames arrive whole and in order, both ways over one link', async (t) => {
  const first = await start(t, { port: 0 });
  const second = await start(t, { self: TWO, port: 0, others: [at(ONE, first.peers.port)] });
  await until(() => first.peers.connected(TWO) && second.peers.connected(ONE));
  const sent = Array.from({ length: 500 }, (_, i) => new Uint8Array(1 + i * 7).fill(i));
  for (const frame of sent) {
    first.peers.send(TWO, frame);
    second.peers.send(ONE, frame);
  }
  first.peers.flush();
  second.peers.flush();
  await until(() => first.frames.length === 500 && second.frames.length === 500);
  assert.deepEqual(first.frames, sent);
  assert.deepEqual(second.frames, sent);
});

test('a frame without a link is dropped, and one that is not flushed does not leave', async (t) => {
  const first = await start(t, { port: 0 });
  first.peers.send(TWO, new Uint8Array(1));
  first.peers.flush();
  const second = await start(t, { self: TWO, port: 0, others: [at(ONE, first.peers.port)] });
  await until(() => first.peers.connected(TWO));
  first.peers.send(TWO, new Uint8Array(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(second.frames.length, 0);
  first.peers.flush();
  await until(() => second.frames.length > 0);
  assert.deepEqual(second.frames, [new Uint8Array(2)]);
});

test('two nodes that dial each other end with one link that both agree on', async (t) => {
  const [portOne, portTwo] = [await freePort(), await freePort()];
  const [first, second] = await Promise.all([
    start(t, { port: portOne, others: [at(TWO, portTwo)] }),
    start(t, { self: TWO, port: portTwo, others: [at(ONE, portOne)] }),
  ]);
  await until(() => first.peers.connected(TWO) && second.peers.connected(ONE));
  const exchange = (mark: number): void => {
    first.peers.send(TWO, new Uint8Array([mark]));
    second.peers.send(ONE, new Uint8Array([mark]));
    first.peers.flush();
    second.peers.flush();
  };
  // While the two links are sorted out, frames may get lost.
  while (first.frames.length === 0 || second.frames.length === 0) {
    exchange(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const settled = [...first.events, ...second.events];
  exchange(2);
  const marked = (frames: Uint8Array[]): number => frames.filter((frame) => frame[0] === 2).length;
  await until(() => marked(first.frames) === 1 && marked(second.frames) === 1);
  assert.deepEqual([...first.events, ...second.events], settled);
  assert.equal(first.events.at(-1), 'up 2');
  assert.equal(second.events.at(-1), 'up 1');
});

const strangers: readonly (readonly [string, Stranger, string])[] = [
  ['another key', { key: new Uint8Array(32) }, 'wrong-key'],
  ['another world', { world: 'mars' }, 'other-world'],
  ['an id that the topology does not hold', { self: nodeId(77) }, 'wrong-node'],
  ['our own id', { self: ONE }, 'wrong-node'],
  ['a call for somebody else', { to: nodeId(3) }, 'wrong-node'],
];
for (const [name, stranger, cause] of strangers) {
  test(`a stranger with ${name} is closed, and nothing of it is heard`, async (t) => {
    const node = await start(t, { port: 0 });
    const socket = await dialByHand(node.peers.port, stranger);
    socket.write(encodeFrames([new Uint8Array(3)]));
    await once(socket, 'close');
    assert.deepEqual(node.events, []);
    assert.deepEqual(node.frames, []);
    assert.ok(node.causes.includes(cause), String(node.causes));
  });
}

test('a stranger that repeats the words of the one it called is closed', async (t) => {
  const node = await start(t, { port: 0 });
  const socket = connect(node.peers.port, HOST);
  socket.on('error', () => undefined);
  const knows = (): boolean => true;
  const liar = new Handshake({ self: TWO, world: 'earth', key: KEY, dialled: ONE, knows });
  socket.write(liar.hello());
  const answer: Buffer[] = await once(socket, 'data');
  socket.write((answer[0] ?? Buffer.alloc(0)).subarray(-32));
  await once(socket, 'close');
  assert.deepEqual(node.events, []);
  assert.ok(node.causes.includes('wrong-key'));
});

test('a node proves nothing to whoever answers its call with a wrong proof', async (t) => {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const closed = once(server, 'connection').then(async ([socket]: Socket[]) => {
    assert.ok(socket !== undefined);
    const key = new Uint8Array(32);
    const knows = (): boolean => true;
    const liar = new Handshake({ self: TWO, world: 'earth', key, dialled: undefined, knows });
    let heard = 0;
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.length;
      const step = liar.receive(chunk);
      if (step.kind === 'pending' && step.reply !== undefined) socket.write(step.reply);
    });
    await once(socket, 'close');
    return heard;
  });
  const node = await start(t, { port: 0, others: [at(TWO, address.port)] });
  const helloBytes = 95;
  assert.equal(await closed, helloBytes);
  assert.deepEqual(node.events, []);
});

test('a node with another folder than it was met with is told why, and never heard', async (t) => {
  const why = new Uint8Array([7, 7]);
  const own = { incarnation: 'ab'.repeat(16), isSettled: true };
  const judged: string[] = [];
  const admits = (_node: NodeId, { incarnation }: { incarnation: string }): boolean => {
    judged.push(incarnation);
    return false;
  };
  const node = await start(t, { port: 0, folders: { own, admits, refusal: () => why } });
  const wiped = await start(t, { self: TWO, port: 0, others: [at(ONE, node.peers.port)] });
  await until(() => wiped.frames.length > 0);
  assert.deepEqual(wiped.frames[0], why);
  assert.equal(judged[0], '00'.repeat(16));
  assert.deepEqual(node.events, []);
  assert.ok(node.causes.includes('other-folder'));
});

test('garbage is closed at once', async (t) => {
  const node = await start(t, { port: 0 });
  const socket = connect(node.peers.port, HOST);
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: a-browser-that-lost-its-way.example\r\nAccept: */*\r\n\r\n');
  await once(socket, 'close');
  assert.deepEqual(node.causes, ['garbage']);
});

test('strangers that say nothing are limited and expire, and a node still gets in', async (t) => {
  const node = await start(t, { port: 0 });
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(node.peers.port, HOST);
    socket.on('error', () => undefined);
    return socket;
  });
  const crowdedOut = Promise.all(sockets.slice(0, 36).map((socket) => once(socket, 'close')));
  await crowdedOut;
  const second = await start(t, { self: TWO, port: 0, others: [at(ONE, node.peers.port)] });
  await until(() => second.peers.connected(ONE));
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  assert.ok(node.causes.includes('too-slow'));
  assert.deepEqual(node.events, ['up 2']);
});

test('a damaged frame closes its own link only, and the frames before it are heard', async (t) => {
  const three = nodeId(3);
  const node = await start(t, { port: 0, others: [at(TWO, 1), at(three, 1)] });
  const good = await dialByHand(node.peers.port, { self: three });
  const bad = await dialByHand(node.peers.port);
  await until(() => node.events.length === 2);
  const frame = encodeFrames([new Uint8Array([1, 2, 3])]);
  const damaged = Uint8Array.from(frame);
  damaged[9] = 99;
  bad.write(Buffer.concat([frame, damaged, frame]));
  await once(bad, 'close');
  assert.deepEqual(node.frames, [new Uint8Array([1, 2, 3])]);
  assert.equal(node.events.at(-1), 'lost 2');
  assert.equal(node.peers.connected(three), true);
  good.write(frame);
  await until(() => node.frames.length === 2);
});

test('a frame that claims to be huge closes the link before its bytes are collected', async (t) => {
  const node = await start(t, { port: 0 });
  const socket = await dialByHand(node.peers.port);
  await until(() => node.events.length === 1);
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, 0xffff_ffff, true);
  socket.write(header);
  await once(socket, 'close');
  assert.deepEqual(node.events, ['up 2', 'lost 2']);
});

test('a node that dials again replaces its older link', async (t) => {
  const node = await start(t, { port: 0 });
  const older = await dialByHand(node.peers.port);
  await until(() => node.events.length === 1);
  const newer = await dialByHand(node.peers.port);
  await once(older, 'close');
  assert.deepEqual(node.events, ['up 2', 'lost 2', 'up 2']);
  newer.write(encodeFrames([new Uint8Array(5)]));
  await until(() => node.frames.length === 1);
});

test('frames for a node that takes none are dropped at the limit, and the link stays', async (t) => {
  const node = await start(t, { port: 0 });
  const socket = await dialByHand(node.peers.port);
  await until(() => node.events.length === 1);
  socket.pause();
  const frame = new Uint8Array(1024 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 200; i++) {
    node.peers.send(TWO, frame);
    node.peers.flush();
  }
  assert.ok(node.causes.includes('queue-full'));
  assert.ok(process.memoryUsage().arrayBuffers - before < QUEUE_BYTES_MAX * 3);
  assert.equal(node.peers.connected(TWO), true);
});

/** Node 2 in a process of its own, with a link to the given port. */
function secondNode(t: TestContext, port: number): ReturnType<typeof spawn> {
  const module = JSON.stringify(import.meta.resolve('../../src/adapters/node/peers.ts'));
  const program = `
    const { openPeers } = await import(${module});
    const peers = await openPeers({
      self: 2, world: 'earth', key: new Uint8Array(32).fill(9), listen: { host: '${HOST}', port: 0 },
      nodes: [{ id: 1, host: '${HOST}', port: ${port} }], dial: [1],
      logger: { log() {} },
    });
    peers.listen({ received() {}, up() {}, lost() {} });`;
  const words = ['--input-type=module', '-e', program];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('a killed process is reported lost, and found again when it returns', async (t) => {
  const node = await start(t, { port: 0 });
  const first = secondNode(t, node.peers.port);
  await until(() => node.events.length === 1);
  first.kill('SIGKILL');
  await until(() => node.events.length === 2);
  const second = secondNode(t, node.peers.port);
  await until(() => node.events.length === 3);
  second.kill('SIGKILL');
  await until(() => node.events.length === 4);
  assert.deepEqual(node.events, ['up 2', 'lost 2', 'up 2', 'lost 2']);
});

test('a process that is stopped in its tracks is not connected, though its link stands', async (t) => {
  const node = await start(t, { port: 0 });
  const child = secondNode(t, node.peers.port);
  await until(() => node.peers.connected(TWO));
  child.kill('SIGSTOP');
  await until(() => !node.peers.connected(TWO));
  assert.deepEqual(node.events, ['up 2']);
});

test('a link over which nothing comes is given up, and a new one takes its place', async (t) => {
  const node = await start(t, { port: 0 });
  const child = secondNode(t, node.peers.port);
  await until(() => node.peers.connected(TWO));
  child.kill('SIGSTOP');
  await until(() => node.events.length === 2);
  child.kill('SIGCONT');
  await until(() => node.peers.connected(TWO));
  assert.deepEqual(node.events, ['up 2', 'lost 2', 'up 2']);
  assert.ok(node.causes.includes('silent'));
});

test('a dialler keeps trying until the other is there, and again after it went', async (t) => {
  const port = await freePort();
  const dialler = await start(t, { port: 0, others: [at(TWO, port)] });
  for (const round of [1, 2]) {
    const other = await start(t, { self: TWO, port, others: [at(ONE, 1)] });
    await until(() => dialler.events.length === round * 2 - 1);
    await other.peers.close();
    await until(() => dialler.events.length === round * 2);
    // Once, however often it is dialled in vain; and not before it was there for the first time.
    await until(() => dialler.gone.length === round);
  }
  assert.deepEqual(dialler.events, ['up 2', 'lost 2', 'up 2', 'lost 2']);
  assert.deepEqual(dialler.gone, [TWO, TWO]);
});

test('what was flushed before a close still arrives', async (t) => {
  const first = await start(t, { port: 0 });
  const second = await start(t, { self: TWO, port: 0, others: [at(ONE, first.peers.port)] });
  await until(() => second.peers.connected(ONE));
  second.peers.send(ONE, new Uint8Array(300_000));
  second.peers.flush();
  await second.peers.close();
  await until(() => first.events.includes('lost 2'));
  assert.equal(first.frames.length, 1);
});

test('a port in use stops the start and names the port and the setting', async (t) => {
  const node = await start(t, { port: 0 });
  const { port } = node.peers;
  const again = openPeers({
    self: TWO,
    world: 'earth',
    key: KEY,
    listen: { host: HOST, port },
    nodes: [],
    dial: [],
    logger: quiet,
  });
  await assert.rejects(again, (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, new RegExp(`${port}.*peerPort`));
    return true;
  });
});
