// Players' connections over real sockets: what gets through, and what strangers cannot do to others.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { mock, type TestContext } from 'node:test';

import { WebSocket } from 'ws';

import { openHttp } from '../../src/adapters/node/http.ts';
import type { PlayerLimits } from '../../src/adapters/node/players.ts';
import type { PlayerLink } from '../../src/runtime/ports.ts';

const HOST = '127.0.0.1';
const routes = {
  health: () => true,
  ready: () => true,
  status: () => ({}),
  metrics: () => '',
  audit: () => ({}),
};

interface Gateway {
  readonly port: number;
  readonly url: string;
  readonly links: PlayerLink[];
  readonly closed: PlayerLink[];
  readonly texts: string[];
  readonly binaries: Uint8Array[];
  readonly causes: unknown[];
  close(): Promise<void>;
}

/** A gateway that notes what it hears and answers each text with the same text. */
async function start(t: TestContext, limits: Partial<PlayerLimits> = {}): Promise<Gateway> {
  const links: PlayerLink[] = [];
  const closed: PlayerLink[] = [];
  const texts: string[] = [];
  const binaries: Uint8Array[] = [];
  const causes: unknown[] = [];
  const http = await openHttp({
    host: HOST,
    port: 0,
    logger: { log: (_level, _event, facts) => causes.push(facts?.['cause']) },
    routes,
    limits,
    players: {
      opened: (link) => links.push(link),
      closed: (link) => closed.push(link),
      text(link, text) {
        texts.push(text);
        link.sendText(text);
      },
      binary(_link, bytes) {
        binaries.push(bytes);
      },
    },
  });
  t.after(() => http.close());
  const url = `ws://${HOST}:${http.port}/v1/ws`;
  return { port: http.port, url, links, closed, texts, binaries, causes, close: http.close };
}

async function join(gateway: Gateway): Promise<WebSocket> {
  const player = new WebSocket(gateway.url);
  player.on('error', () => undefined);
  await once(player, 'open');
  return player;
}

async function heard(player: WebSocket): Promise<string> {
  const [message] = await once(player, 'message');
  return String(message);
}

async function echo(player: WebSocket, text: string): Promise<void> {
  const answer = heard(player);
  player.send(text);
  assert.equal(await answer, text);
}

async function until(held: () => boolean): Promise<void> {
  while (!held()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The status and body of a refused upgrade. */
async function refused(url: string): Promise<{ status: number | undefined; body: string }> {
  const player = new WebSocket(url);
  const [, response] = await once(player, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

function rawSocket(gateway: Gateway, words: string): Socket {
  const socket = connect(gateway.port, HOST);
  socket.on('error', () => undefined);
  socket.write(words);
  return socket;
}

function upgradeWords(path = '/v1/ws', method = 'GET'): string {
  return (
    `${method} ${path} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  );
}

test('texts and bytes reach the listener as such, and answers come back in order', async (t) => {
  const gateway = await start(t);
  const player = await join(gateway);
  player.send(new Uint8Array([1, 2, 3]));
  await echo(player, 'γειά');
  assert.deepEqual(gateway.texts, ['γειά']);
  assert.deepEqual(gateway.binaries, [new Uint8Array([1, 2, 3])]);
  const got: string[] = [];
  player.on('message', (message, isBinary) => got.push(`${isBinary} ${String(message)}`));
  const [link] = gateway.links;
  assert.ok(link);
  for (let i = 0; i < 100; i++) link.sendText(`${i}`);
  link.sendBinary(new TextEncoder().encode('end'));
  await until(() => got.length === 101);
  const expected = Array.from({ length: 100 }, (_, i) => `false ${i}`);
  assert.deepEqual(got, [...expected, 'true end']);
});

test('bytes that many players share arrive whole at each, whatever their length', async (t) => {
  const gateway = await start(t);
  const players = [await join(gateway), await join(gateway)];
  const got = players.map(() => [] as string[]);
  for (const [index, player] of players.entries()) {
    player.on('message', (message, isBinary) => got[index]?.push(`${isBinary} ${String(message)}`));
  }
  const lengths = [0, 1, 125, 126, 6_405, 65_535];
  for (const length of lengths) {
    const shared = new Uint8Array(length).fill(65 + (length % 26));
    for (const link of gateway.links) {
      link.sendText(`${length}`);
      link.sendBinary(shared);
    }
  }
  await until(() => got.every(({ length }) => length === 2 * lengths.length));
  const expected = lengths.flatMap((length) => [
    `false ${length}`,
    `true ${String.fromCharCode(65 + (length % 26)).repeat(length)}`,
  ]);
  assert.deepEqual(got, [expected, expected]);
});

test('frames sent in one callback leave in one write', async (t) => {
  const gateway = await start(t);
  const socket = rawSocket(gateway, upgradeWords());
  await until(() => gateway.links.length === 1);
  const [link] = gateway.links;
  assert.ok(link);
  await once(socket, 'data');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let i = 0; i < 50; i++) link.sendText('x');
  const waiting = link.queuedBytes();
  await until(() => chunks.length > 0);
  socket.destroy();
  assert.equal(waiting, 150);
  assert.equal(chunks[0]?.length, 150);
});

test('a closed link takes nothing more, and is reported closed once', async (t) => {
  const gateway = await start(t);
  const player = await join(gateway);
  const [link] = gateway.links;
  assert.ok(link);
  link.sendText('bye');
  link.close(4001, 'logged in elsewhere');
  assert.equal(link.sendText('late'), false);
  const got: string[] = [];
  player.on('message', (message) => got.push(String(message)));
  const [code, reason] = await once(player, 'close');
  assert.deepEqual([code, String(reason)], [4001, 'logged in elsewhere']);
  assert.deepEqual(got, ['bye']);
  await until(() => gateway.closed.length === 1);
  assert.deepEqual(gateway.closed, [link]);
});

test('a message that is too large closes its own link with 1009', async (t) => {
  const gateway = await start(t, { messageBytesMax: 1_000 });
  const other = await join(gateway);
  const player = await join(gateway);
  player.send('x'.repeat(1_000));
  player.send('x'.repeat(1_001));
  const [code] = await once(player, 'close');
  assert.equal(code, 1009);
  assert.equal(gateway.texts.length, 1);
  await echo(other, 'still here');
});

test('a text that is not UTF-8 closes its own link with 1007', async (t) => {
  const gateway = await start(t);
  const other = await join(gateway);
  const player = await join(gateway);
  player.send(Buffer.from([0xc3, 0x28]), { binary: false });
  const [code] = await once(player, 'close');
  assert.equal(code, 1007);
  assert.deepEqual(gateway.texts, []);
  await echo(other, 'still here');
});

test('a frame that breaks the WebSocket rules closes its own link', async (t) => {
  const gateway = await start(t);
  const other = await join(gateway);
  const socket = rawSocket(gateway, upgradeWords());
  await until(() => gateway.links.length === 2);
  socket.resume();
  socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await until(() => gateway.closed.length === 1);
  await echo(other, 'still here');
});

test('a player that never reads is cut off alone, and what waits for it is bounded', async (t) => {
  const queueBytesMax = 256 * 1024;
  const gateway = await start(t, { queueBytesMax });
  const socket = rawSocket(gateway, upgradeWords());
  socket.pause();
  await until(() => gateway.links.length === 1);
  const other = await join(gateway);
  const [slow] = gateway.links;
  assert.ok(slow);
  const frame = new Uint8Array(10_000);
  let mostWaiting = 0;
  while (slow.sendBinary(frame)) {
    mostWaiting = Math.max(mostWaiting, slow.queuedBytes());
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(mostWaiting <= queueBytesMax);
  assert.ok(gateway.causes.includes('reads too slowly'));
  await until(() => gateway.closed.length === 1);
  assert.deepEqual(gateway.closed, [slow]);
  await echo(other, 'still here');
  socket.destroy();
});

test('a player that answers no ping is cut off, and one that does stays', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const gateway = await start(t);
  const good = await join(gateway);
  const socket = rawSocket(gateway, upgradeWords());
  socket.resume();
  await until(() => gateway.links.length === 2);
  for (let ping = 1; ping <= 3; ping++) {
    const answered = once(good, 'ping');
    mock.timers.tick(15_000);
    await answered;
    await echo(good, 'answered');
  }
  await until(() => gateway.closed.length === 1);
  assert.equal(gateway.closed[0]?.number, 2);
  assert.ok(gateway.causes.includes('answers no ping'));
  socket.destroy();
});

test('players are told plainly where they cannot connect', async (t) => {
  const gateway = await start(t);
  const { status, body } = await refused(`ws://${HOST}:${gateway.port}/v2/ws`);
  assert.equal(status, 404);
  assert.deepEqual(JSON.parse(body), { error: 'players connect to /v1/ws' });
  const wrongMethod = rawSocket(gateway, upgradeWords('/v1/ws', 'POST'));
  const [answer] = await once(wrongMethod, 'data');
  assert.match(String(answer), /^HTTP\/1.1 405/);
  assert.equal(gateway.links.length, 0);
});

test('a full gateway answers 503 and takes the next player when one has left', async (t) => {
  const gateway = await start(t, { linksMax: 2 });
  const first = await join(gateway);
  await join(gateway);
  const { status, body } = await refused(gateway.url);
  assert.equal(status, 503);
  assert.match(body, /full/);
  first.close();
  await until(() => gateway.closed.length === 1);
  await echo(await join(gateway), 'in');
});

test('thousands of half-open connections hinder nobody and are dropped', async (t) => {
  const gateway = await start(t);
  const player = await join(gateway);
  const strangers: Socket[] = [];
  let dropped = 0;
  for (let i = 0; i < 2_000; i++) {
    // Where the kernel's own queue is short, only who speaks is sure to reach the server.
    const words = i < 100 ? '' : i % 2 === 0 ? 'G' : 'GET /v1/ws HTTP/1.1\r\nHost: h';
    const socket = rawSocket(gateway, words);
    socket.once('close', () => {
      dropped += 1;
    });
    socket.resume();
    strangers.push(socket);
    if (i % 100 === 0) await echo(player, `${i}`);
  }
  await echo(await join(gateway), 'a newcomer');
  await until(() => dropped === strangers.length);
  await echo(player, 'still here');
});

test('a leaving gateway closes its players with 1001', async (t) => {
  const gateway = await start(t);
  const player = await join(gateway);
  const closed = once(player, 'close');
  await gateway.close();
  const [code] = await closed;
  assert.equal(code, 1001);
  assert.equal(gateway.closed.length, 1);
});
