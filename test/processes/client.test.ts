// The client over real sockets, with a scripted gateway that drops, delays, repeats and talks nonsense.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocket as WsSocket, WebSocketServer } from 'ws';
import { ByteWriter } from '../../src/base/bytes.ts';
import { InvalidInputError, type Outcome } from '../../src/base/errors.ts';
import {
  type Client,
  type ClientState,
  connect,
  type Motion,
  type OwnCalls,
} from '../../src/client/index.ts';
import {
  decodeUpdate,
  encodeCorrection,
  type MotionUpdate,
  writeAvatar,
  writeTickHead,
} from '../../src/wire/motion.ts';
import {
  closings,
  formatOutcome,
  formatPush,
  parsePlayerFrame,
  type PlayerFrame,
} from '../../src/wire/player.ts';

const ANN = { name: 'ann', password: 'correct horse' };
const QUITO = { lat: -1_807_000, lon: -784_678_000 };
const NORTH = { lat: -1_806_000, lon: -784_678_000 };
const SESSION = { player: 7, session: 40, expiresAtMs: 86_400_000, token: 'token-40', region: 'eu' };

/** What the script does with a frame; `undefined` for what every gateway does. */
type Script = (frame: PlayerFrame, link: Link) => Outcome<unknown> | 'nothing' | undefined;

interface Link {
  /** From 1, in the order of opening. */
  readonly number: number;
  readonly socket: WsSocket;
  answer(id: number, outcome: Outcome<unknown>): void;
}

class Gateway {
  readonly url: string;
  readonly frames: PlayerFrame[] = [];
  readonly updates: MotionUpdate[] = [];
  readonly links: Link[] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, script: Script) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`;
    server.on('connection', (socket) => {
      const answer = (id: number, outcome: Outcome<unknown>): void =>
        socket.send(formatOutcome(id, outcome));
      const link: Link = { number: this.links.length + 1, socket, answer };
      this.links.push(link);
      socket.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        if (isBinary) this.updates.push(decodeUpdate(bytes));
        else this.#received(parsePlayerFrame(bytes.toString()), link, script);
      });
    });
  }

  static async open(context: TestContext, script: Script = () => undefined): Promise<Gateway> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const gateway = new Gateway(server, script);
    context.after(() => gateway.close());
    return gateway;
  }

  close(): void {
    for (const { socket } of this.links) socket.terminate();
    this.#server.close();
  }

  commandIds(call: string): (string | undefined)[] {
    return this.frames.filter((frame) => frame.call === call).map(({ commandId }) => commandId);
  }

  #received(frame: PlayerFrame, link: Link, script: Script): void {
    this.frames.push(frame);
    const outcome = script(frame, link) ?? usual(frame);
    if (outcome !== 'nothing') link.answer(frame.id, outcome);
  }
}

function usual(frame: PlayerFrame): Outcome<unknown> {
  if (frame.call.startsWith('account.')) return { kind: 'done', value: SESSION };
  if (frame.call === 'position.enter') {
    return { kind: 'done', value: { region: 'na-west', tickMs: 10, sightMetres: 200 } };
  }
  return { kind: 'done', value: { gold: 5 }, order: 1 };
}

function clientOf(context: TestContext, gateways: readonly Gateway[], calls: OwnCalls = {}): Client {
  const client = connect({ urls: gateways.map(({ url }) => url), calls });
  context.after(() => client.close());
  return client;
}

const give = { to: 8, gold: 1, items: [] };

test('a player registers, calls and hears pushes', async (context) => {
  const gateway = await Gateway.open(context);
  const client = clientOf(context, [gateway]);
  const states: ClientState[] = [];
  client.onState((state) => states.push(state));
  assert.deepEqual(await client.register(ANN), { kind: 'done', value: SESSION });
  assert.match(gateway.frames[0]?.commandId ?? '', /^[0-9a-f]{32}$/);
  const outcome = await client.call('trade.give', give);
  assert.deepEqual(outcome, { kind: 'done', value: { gold: 5 }, order: 1 });
  assert.deepEqual(gateway.frames[1], {
    id: gateway.frames[1]?.id,
    call: 'trade.give',
    args: give,
    commandId: '40.1',
    answeredBelow: 1,
  });
  const heard = new Promise((resolve) => client.on('trade.received', resolve));
  gateway.links[0]?.socket.send(formatPush('trade.received', '{"gold":3}'));
  assert.deepEqual(await heard, { gold: 3 });
  assert.deepEqual(states, ['connecting', 'ready']);
  assert.equal(client.player, 7);
  assert.deepEqual(client.session, { token: 'token-40', nextNumber: 2 });
});

test('what a broken link left unanswered is repeated under the same command id', async (context) => {
  const gateway = await Gateway.open(context, (frame, link) => {
    if (frame.call !== 'trade.give' || link.number > 2) return undefined;
    link.socket.terminate();
    return 'nothing';
  });
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  const outcomes = await Promise.all([
    client.call('trade.give', give),
    client.call('holdings.mine', null),
  ]);
  assert.deepEqual(outcomes.map(({ kind }) => kind), ['done', 'done']);
  assert.deepEqual(gateway.commandIds('trade.give'), ['40.1', '40.1', '40.1']);
  const resumes = gateway.frames.filter(({ call }) => call === 'account.resume');
  assert.deepEqual(resumes.map(({ args }) => args), [{ token: 'token-40' }, { token: 'token-40' }]);
});

test('calls of a studio’s features are repeated as the stock world’s are', async (context) => {
  const gateway = await Gateway.open(context, (frame, link) => {
    if (frame.call.startsWith('account.') || link.number > 1) return undefined;
    if (frame.call === 'auction.bid') link.socket.terminate();
    return 'nothing';
  });
  const client = clientOf(context, [gateway], {
    'auction.bid': { kind: 'command', isRegional: false },
    'auction.lots': { kind: 'query', isRegional: false },
    'garden.sow': { kind: 'command', isRegional: true },
  });
  await client.logIn(ANN);
  const outcomes = await Promise.all([
    client.ask('auction.lots'),
    client.ask('garden.sow', { seed: 3 }, { ack: 'all' }),
    client.ask('auction.bid', { lot: 1, gold: 5 }),
    client.ask('holdings.mine'),
  ]);
  for (const outcome of outcomes) assert.deepEqual(outcome, { kind: 'done', value: { gold: 5 }, order: 1 });
  assert.deepEqual(gateway.commandIds('auction.lots'), [undefined, undefined]);
  assert.deepEqual(gateway.commandIds('garden.sow'), ['40.1', '40.1']);
  assert.deepEqual(gateway.commandIds('auction.bid'), ['40.2', '40.2']);
  const sown = gateway.frames.findLast(({ call }) => call === 'garden.sow');
  assert.deepEqual([sown?.args, sown?.region, sown?.ack], [{ seed: 3 }, 'eu', 'all']);
});

test('a call that the client was told nothing of is refused, and never sent', async (context) => {
  const gateway = await Gateway.open(context);
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  for (const name of ['auction.bid', 'account.register', 'position.enter', '__proto__']) {
    const outcome = await client.ask(name, {});
    assert.ok(outcome.kind === 'rejected' && outcome.reason === 'unknown-call', name);
  }
  await client.call('holdings.mine', null);
  assert.deepEqual(gateway.frames.map(({ call }) => call), ['account.logIn', 'holdings.mine']);
});

test('delayed, doubled and swapped answers each settle their own call', async (context) => {
  const held: { readonly link: Link; readonly frame: PlayerFrame }[] = [];
  const gateway = await Gateway.open(context, (frame, link) => {
    if (frame.call !== 'names.claim') return undefined;
    held.push({ link, frame });
    if (held.length < 3) return 'nothing';
    for (const { frame: late } of held.toReversed()) {
      for (let i = 0; i < 2; i++) link.answer(late.id, { kind: 'done', value: late.args });
    }
    return 'nothing';
  });
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  const names = ['Ann', 'Bob', 'Cid'];
  const outcomes = await Promise.all(names.map((name) => client.call('names.claim', { name })));
  assert.deepEqual(outcomes, names.map((name) => ({ kind: 'done', value: { name } })));
});

test('a gateway that talks nonsense is left, and the call is decided by another', async (context) => {
  const mad = await Gateway.open(context, (frame, link) => {
    if (frame.call !== 'trade.give') return undefined;
    link.socket.send('{"id":');
    return 'nothing';
  });
  const sane = await Gateway.open(context);
  const client = clientOf(context, [mad, sane]);
  await client.logIn(ANN);
  assert.equal((await client.call('trade.give', give)).kind, 'done');
  assert.deepEqual(sane.commandIds('trade.give'), mad.commandIds('trade.give'));
});

test('a gateway that is not there is passed over', async (context) => {
  const gone = await Gateway.open(context);
  gone.close();
  const client = clientOf(context, [gone, await Gateway.open(context)]);
  assert.equal((await client.logIn(ANN)).kind, 'done');
});

test('closing settles what nobody answers, and the socket goes', async (context) => {
  const gateway = await Gateway.open(context, ({ call }) =>
    call === 'trade.give' ? 'nothing' : undefined,
  );
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  const call = client.call('trade.give', give);
  await client.call('holdings.mine', null);
  const socket = gateway.links[0]?.socket;
  assert.ok(socket !== undefined);
  const gone = once(socket, 'close');
  client.close();
  assert.deepEqual(await call, { kind: 'uncertain' });
  assert.equal((await client.call('trade.give', give)).kind, 'unavailable');
  await gone;
  assert.equal(client.state, 'closed');
});

test('a client that was replaced keeps still', async (context) => {
  const gateway = await Gateway.open(context);
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  const replaced = new Promise((resolve) => client.onState(resolve));
  const { code, reason } = closings.replaced;
  gateway.links[0]?.socket.close(code, reason);
  assert.equal(await replaced, 'replaced');
  assert.deepEqual(await client.call('trade.give', give), {
    kind: 'rejected',
    reason: 'not-logged-in',
  });
  assert.equal(gateway.links.length, 1);
});

test('a stored session is resumed without a password, under numbers nobody used', async (context) => {
  const gateway = await Gateway.open(context);
  const client = connect({
    urls: [gateway.url],
    session: { token: 'token-40', nextNumber: 3 },
    WebSocket: WsSocket,
  });
  context.after(() => client.close());
  assert.equal((await client.call('trade.give', give)).kind, 'done');
  assert.deepEqual(gateway.frames[0]?.args, { token: 'token-40' });
  const number = Number(gateway.commandIds('trade.give')[0]?.split('.')[1]);
  assert.ok(Number.isSafeInteger(number) && number > 3);
});

test('a player walks, sees others, is put back, and enters again after a break', async (context) => {
  const gateway = await Gateway.open(context);
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  const motions: Motion[] = [];
  const heard = (kind: Motion['kind'], count: number): Promise<void> =>
    new Promise((resolve) => {
      const stop = client.onMotion((motion) => {
        motions.push(motion);
        if (motions.filter((known) => known.kind === kind).length < count) return;
        stop();
        resolve();
      });
    });
  const walked = heard('tick', 1);
  client.moveTo(NORTH);
  assert.equal((await client.enter(QUITO)).kind, 'done');
  client.moveTo(NORTH);
  // What was sent before it has arrived when this is answered.
  await client.call('holdings.mine', null);
  const standing = { north: 0, east: 0 };
  const updates = gateway.updates.map(({ timeMs: _, ...update }) => update);
  assert.deepEqual(updates, [{ sequence: 1, ...NORTH, ...standing }]);
  const tick = new ByteWriter();
  writeTickHead(tick, 1);
  writeAvatar(tick, { player: 7, ...NORTH, ...standing, atMs: 1 }, 1);
  writeAvatar(tick, { player: 9, ...QUITO, ...standing, atMs: 1 }, 1);
  gateway.links[0]?.socket.send(new Uint8Array([99]));
  gateway.links[0]?.socket.send(tick.finish());
  await walked;
  const { seenAtMs, ...place } = client.others.get(9) ?? { seenAtMs: 0 };
  assert.deepEqual([client.others.size, place], [1, { ...QUITO, ...standing }]);
  const corrected = heard('correction', 1);
  const correction = { sequence: 1, ...QUITO, reason: 'too-fast' } as const;
  gateway.links[0]?.socket.send(encodeCorrection(correction));
  await corrected;
  const again = heard('entered', 2);
  gateway.links[0]?.socket.terminate();
  await again;
  const enters = gateway.frames.filter(({ call }) => call === 'position.enter');
  assert.deepEqual(enters.map(({ args }) => args), [QUITO, QUITO]);
  const forgotten = heard('entered', 3);
  gateway.links[1]?.socket.send(encodeCorrection({ ...correction, reason: 'not-in-the-world' }));
  await forgotten;
  assert.equal((await client.leave()).kind, 'done');
});

test('who waded into the sea is put ashore after a break, and told where he stands', async (context) => {
  const gateway = await Gateway.open(context, ({ call, args }) => {
    const isWater = call === 'position.enter' && (args as { lat: number }).lat === NORTH.lat;
    return isWater ? { kind: 'rejected', reason: 'not-on-land' } : undefined;
  });
  const client = clientOf(context, [gateway]);
  await client.logIn(ANN);
  assert.equal((await client.enter(QUITO)).kind, 'done');
  client.moveTo(NORTH);
  await client.call('holdings.mine', null);
  const motions: Motion[] = [];
  const back = new Promise<void>((resolve) => {
    client.onMotion((motion) => {
      motions.push(motion);
      if (motion.kind === 'entered') resolve();
    });
  });
  gateway.links[0]?.socket.terminate();
  await back;
  const [put] = motions;
  assert.deepEqual(motions.map(({ kind }) => kind), ['correction', 'entered']);
  const place = { sequence: 1, ...QUITO, reason: 'not-in-the-world' };
  assert.deepEqual(put?.kind === 'correction' && put.correction, place);
  const enters = gateway.frames.filter(({ call }) => call === 'position.enter');
  assert.deepEqual(enters.map(({ args }) => args), [QUITO, NORTH, QUITO]);
});

test('after a break he asks to be let in until a region decides', async (context) => {
  const answers: Outcome<unknown>[] = [
    { kind: 'unavailable', retryAfterMs: 0 },
    { kind: 'unavailable', retryAfterMs: 0 },
  ];
  const gateway = await Gateway.open(context, ({ call }, link) => {
    if (call !== 'position.enter' || link.number === 1) return undefined;
    return answers.shift();
  });
  const client = connect({ urls: [gateway.url], unavailableMs: 0 });
  context.after(() => client.close());
  await client.logIn(ANN);
  const told: string[] = [];
  const heard = (kind: 'entered' | 'out'): Promise<void> =>
    new Promise((resolve) => {
      const stop = client.onMotion((motion) => {
        told.push(motion.kind);
        if (motion.kind !== kind) return;
        stop();
        resolve();
      });
    });
  const first = heard('entered');
  assert.equal((await client.enter(QUITO)).kind, 'done');
  await first;
  const again = heard('entered');
  gateway.links[0]?.socket.terminate();
  await again;
  assert.deepEqual([told, answers], [['entered', 'entered'], []]);
  answers.push({ kind: 'rejected', reason: 'not-on-land' });
  const out = heard('out');
  gateway.links[1]?.socket.terminate();
  await out;
});

test('a place that is none is refused before it costs the link', async (context) => {
  const client = clientOf(context, [await Gateway.open(context)]);
  for (const lat of [0.5, NaN, 900_000_001]) {
    assert.throws(() => client.moveTo({ lat, lon: 0 }), InvalidInputError);
  }
});

test('addresses that are none are refused before anything is opened', () => {
  for (const urls of [[], ['http://127.0.0.1:1/v1/ws'], ['ws://'], ['nonsense']]) {
    assert.throws(() => connect({ urls }), InvalidInputError);
  }
});
