import assert from 'node:assert/strict';
import test from 'node:test';

import { BusyError } from '../../../src/base/errors.ts';
import { nodeId } from '../../../src/base/id.ts';
import type { PlayerLink } from '../../../src/runtime/ports.ts';
import { decodeServerMotion, encodeUpdate } from '../../../src/wire/motion.ts';
import { ENTER_DEADLINE_MS } from '../../../src/world/space/presence.ts';
import { type Json, plainSecrets, type TestLink, TinyWorld } from '../../support/tiny-world.ts';

const NONCE = 'sixteen or more characters';
const CREDENTIALS = { name: 'ada', password: 'long enough' };
/** Inside the region of the tiny world, where all is land. */
const HERE = { lat: 400_000_000, lon: -740_000_000 };

function reasonOf(outcome: Json | undefined): unknown {
  return outcome?.['reason'] ?? outcome?.['kind'];
}

/** A motion frame of somebody who stands. */
function motionOf(at: { readonly sequence: number; readonly lat: number; readonly lon: number }): Uint8Array {
  return encodeUpdate({ ...at, timeMs: 0, north: 0, east: 0 });
}

/** Sends text as it is. */
function sendRaw(world: TinyWorld, link: TestLink, text: string): void {
  world.players.text(link, text);
}

test('a player registers, and logs in on another link later', async () => {
  const world = new TinyWorld();
  const registered = await world.link().call('account.register', CREDENTIALS, NONCE);
  assert.equal(registered['kind'], 'done');
  const loggedIn = await world.link().call('account.logIn', CREDENTIALS);
  assert.equal(loggedIn['kind'], 'done');
  const first = registered['value'] as { player: number; session: number };
  const second = loggedIn['value'] as { player: number; session: number };
  assert.equal(second.player, first.player);
  assert.notEqual(second.session, first.session);
});

test('a registration that is repeated with its nonce is the same registration', async () => {
  const world = new TinyWorld();
  const first = await world.link().call('account.register', CREDENTIALS, NONCE);
  const again = await world.link().call('account.register', CREDENTIALS, NONCE);
  assert.equal(again['kind'], 'done');
  const playerOf = (outcome: Json): number => (outcome['value'] as { player: number }).player;
  assert.equal(playerOf(again), playerOf(first));
  const other = await world.link().call('account.register', CREDENTIALS, `${NONCE}, others`);
  assert.equal(other['reason'], 'name-taken');
});

test('a registration without a nonce that can not be guessed is refused', async () => {
  const link = new TinyWorld().link();
  assert.equal(reasonOf(await link.call('account.register', CREDENTIALS)), 'command-id-missing');
  assert.equal(reasonOf(await link.call('account.register', CREDENTIALS, '1')), 'command-id-missing');
});

test('a wrong password and a wrong name are refused alike', async () => {
  const checked: string[] = [];
  const secrets = plainSecrets();
  const world = new TinyWorld({
    ...secrets,
    verifyPassword: (password, hash) => {
      checked.push(password);
      return secrets.verifyPassword(password, hash);
    },
  });
  await world.loggedIn('ada');
  const link = world.link();
  const wrongWord = await link.call('account.logIn', { name: 'ada', password: 'not this one' });
  const wrongName = await link.call('account.logIn', { name: 'bob', password: 'not this one' });
  assert.deepEqual(wrongName, wrongWord);
  assert.equal(wrongName['reason'], 'wrong-credentials');
  assert.equal(checked.length, 2);
});

test('five refused log-ins close the link', async () => {
  const world = new TinyWorld();
  const link = world.link();
  for (let attempt = 0; attempt < 5; attempt++) {
    assert.equal(link.closing, undefined);
    await link.call('account.logIn', CREDENTIALS);
  }
  assert.equal(link.closing?.code, 4008);
});

test('when too many passwords wait to be checked, a log-in is unavailable', async () => {
  const world = new TinyWorld({
    ...plainSecrets(),
    hashPassword: () => Promise.reject(new BusyError('too many')),
  });
  const outcome = await world.link().call('account.register', CREDENTIALS, NONCE);
  assert.equal(outcome['kind'], 'unavailable');
});

test('a log-in whose secrets fail is uncertain, and the link goes on', async () => {
  const world = new TinyWorld({
    ...plainSecrets(),
    hashPassword: () => Promise.reject(new Error('no memory')),
  });
  const link = world.link();
  assert.equal((await link.call('account.register', CREDENTIALS, NONCE))['kind'], 'uncertain');
  assert.deepEqual(
    world.logger.lines.map(({ event }) => event),
    ['log-in-broke'],
  );
  assert.equal(reasonOf(await link.call('account.logIn', {})), 'bad-arguments');
});

test('a token resumes the session on another link, and the older link is closed', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const token = (link.frames[0]?.['outcome'] as { value: { token: string } }).value.token;
  const newer = world.link();
  const resumed = await newer.call('account.resume', { token });
  assert.equal((resumed['value'] as { session: number }).session, session);
  assert.equal(link.closing?.code, 4003);
  assert.equal(newer.closing, undefined);
});

test('a token that was tampered with or is over does not resume', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  const token = (link.frames[0]?.['outcome'] as { value: { token: string } }).value.token;
  const newer = world.link();
  const forged = `${token[0] === 'A' ? 'B' : 'A'}${token.slice(1)}`;
  assert.equal(reasonOf(await newer.call('account.resume', { token: forged })), 'token-invalid');
  world.clock.advance(25 * 3_600_000);
  const late = world.link();
  assert.equal(reasonOf(await late.call('account.resume', { token })), 'token-expired');
});

test('one log-in at a time is worked on', async () => {
  const world = new TinyWorld();
  const link = world.link();
  const first = link.send({ call: 'account.register', args: CREDENTIALS, commandId: NONCE });
  const second = link.send({ call: 'account.logIn', args: CREDENTIALS });
  await world.clock.live(20);
  assert.equal(link.outcome(first)?.['kind'], 'done');
  assert.equal(link.outcome(second)?.['kind'], 'unavailable');
});

test('a second log-in on the same link is refused', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  assert.equal(reasonOf(await link.call('account.logIn', CREDENTIALS)), 'already-logged-in');
});

test('before log-in only account calls are heard', async () => {
  const link = new TinyWorld().link();
  assert.equal(reasonOf(await link.call('holdings.open', null, '1.1')), 'not-logged-in');
  assert.equal(reasonOf(await link.call('position.enter', HERE)), 'not-logged-in');
  assert.equal(link.closing, undefined);
});

test('a link that does not log in is closed in time, one that does is not', async () => {
  const world = new TinyWorld();
  const idle = world.link();
  const { link } = await world.loggedIn('ada');
  world.clock.advance(10_000);
  assert.equal(idle.closing?.code, 4002);
  assert.equal(link.closing, undefined);
});

test('a command is answered with its place in the order', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const outcome = await link.call('holdings.open', null, `${session}.1`);
  assert.equal(outcome['kind'], 'done');
  assert.equal(outcome['order'], 1);
});

test('a command that is repeated under its id is applied once', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const first = await link.call('holdings.open', null, `${session}.1`);
  const again = await link.call('holdings.open', null, `${session}.1`);
  assert.deepEqual(again, first);
  const other = await link.call('holdings.open', null, `${session}.2`);
  assert.equal(other['reason'], 'already-open');
});

test('a command without an id, with a broken one or with that of another session is refused', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  for (const id of [undefined, 'x', `${session}`, `${session}.0`, `${session}.-1`, `${session}.1.1`]) {
    assert.equal(reasonOf(await link.call('holdings.open', null, id)), 'command-id-missing', String(id));
  }
  const foreign = await link.call('holdings.open', null, `${session + 1}.1`);
  assert.equal(reasonOf(foreign), 'foreign-command-id');
});

test('a command that counts itself among the answered ones is refused', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const commandId = `${session}.2`;
  const id = link.send({ call: 'holdings.open', commandId, answeredBelow: 3 });
  assert.equal(reasonOf(link.outcome(id)), 'bad-arguments');
  const sound = link.send({ call: 'holdings.open', commandId, answeredBelow: 2 });
  await world.clock.live(20);
  assert.equal(reasonOf(link.outcome(sound)), 'done');
});

test('arguments that do not fit the call are refused with the place of the fault', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  for (const gold of [-1, 1.5, 1e300, '5', null]) {
    const args = { to: 2, gold, items: [] };
    const outcome = await link.call('trade.give', args, `${session}.1`);
    assert.equal(outcome['reason'], 'bad-arguments');
    assert.match(String(outcome['detail']), /args\.gold must be an integer/);
  }
});

test('calls that nobody has, and calls of our own services, are unknown to players', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  for (const call of ['dragons.feed', 'accounts.openSession', 'accounts.readCredential', '__proto__']) {
    assert.equal(reasonOf(await link.call(call, null)), 'unknown-call');
  }
});

test('a text frame that is no call closes the link with a word why', () => {
  for (const text of ['', '{', '[]', '7', '{"id":0,"call":"x"}', '{"id":1}', 'x'.repeat(20_000)]) {
    const world = new TinyWorld();
    const link = world.link();
    sendRaw(world, link, text);
    assert.equal(link.closing?.code, 4001, text.slice(0, 20));
    assert.equal(typeof link.frames[0]?.['error'], 'string');
  }
});

test('a call that was uncertain is answered when it is repeated', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const economy = world.group('economy');
  economy.conduct = () => 'silence';
  const id = link.send({ call: 'holdings.open', commandId: `${session}.1` });
  world.clock.advance(4_000);
  assert.deepEqual(link.outcome(id), { kind: 'uncertain' });
  economy.conduct = undefined;
  const again = await link.call('holdings.open', null, `${session}.1`);
  assert.equal(again['kind'], 'done');
});

test('a group that can not be reached is unavailable', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  for (const { id } of world.topology.nodes) world.network.cut(id, nodeId(6));
  const id = link.send({ call: 'holdings.open', commandId: `${session}.1` });
  world.clock.advance(4_000);
  assert.equal(link.outcome(id)?.['kind'], 'unavailable');
});

test('more calls at once than a link may have close it', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  world.group('economy').conduct = () => 'silence';
  for (let number = 1; number <= 64; number++) {
    link.send({ call: 'holdings.open', commandId: `${session}.${number}` });
  }
  assert.ok(!link.isClosed);
  link.send({ call: 'holdings.open', commandId: `${session}.65` });
  assert.equal(link.closing?.code, 4004);
});

test('calls beyond the rate are unavailable, and a flood closes the link', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  const ids = Array.from({ length: 2_500 }, () => link.send({ call: 'dragons.feed' }));
  const outcomes = ids.map((id) => reasonOf(link.outcome(id)));
  assert.equal(outcomes[0], 'unknown-call');
  assert.equal(outcomes.at(-1), 'unavailable');
  assert.ok(!link.isClosed);
  for (let more = 0; more < 5_000; more++) link.send({ call: 'dragons.feed' });
  assert.equal(link.closing?.code, 4004);
});

test('a player is told what happens to him, on the link that he has', async () => {
  const world = new TinyWorld();
  const ada = await world.loggedIn('ada');
  const bob = await world.loggedIn('bob');
  await ada.link.call('holdings.open', null, `${ada.session}.1`);
  await bob.link.call('holdings.open', null, `${bob.session}.1`);
  const gift = { to: bob.player, gold: 5, items: [] };
  await ada.link.call('trade.give', gift, `${ada.session}.2`);
  const pushes = bob.link.frames.filter((frame) => 'push' in frame);
  assert.equal(pushes.length, 1);
  assert.equal(ada.link.frames.filter((frame) => 'push' in frame).length, 0);
});

test('a player who does not read gets no pushes, and is closed when he goes on asking', async () => {
  const world = new TinyWorld();
  const ada = await world.loggedIn('ada');
  const bob = await world.loggedIn('bob');
  await ada.link.call('holdings.open', null, `${ada.session}.1`);
  await bob.link.call('holdings.open', null, `${bob.session}.1`);
  bob.link.queued = 300 * 1024;
  const gift = { to: bob.player, gold: 5, items: [] };
  await ada.link.call('trade.give', gift, `${ada.session}.2`);
  assert.equal(bob.link.frames.filter((frame) => 'push' in frame).length, 0);
  bob.link.queued = 600 * 1024;
  await bob.link.call('holdings.mine', null);
  assert.equal(bob.link.closing?.code, 4005);
});

test('an answer that comes after the end of its link is dropped', async () => {
  const world = new TinyWorld();
  const { link, session } = await world.loggedIn('ada');
  const id = link.send({ call: 'holdings.open', commandId: `${session}.1` });
  world.players.closed(link);
  await world.clock.live(20);
  assert.equal(link.outcome(id), undefined);
});

test('motion before entering closes the link', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  world.players.binary(link, motionOf({ sequence: 1, ...HERE }));
  assert.equal(link.closing?.code, 4007);
});

test('a motion frame that is none closes the link', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('position.enter', HERE);
  world.players.binary(link, Uint8Array.of(99, 1, 2));
  assert.equal(link.closing?.code, 4001);
});

test('players who enter see each other, until one leaves', async () => {
  const world = new TinyWorld();
  const ada = await world.loggedIn('ada');
  const bob = await world.loggedIn('bob');
  assert.equal((await ada.link.call('position.enter', HERE))['kind'], 'done');
  assert.equal((await bob.link.call('position.enter', HERE))['kind'], 'done');
  world.clock.advance(300);
  assert.ok(ada.link.motion.length > 0);
  assert.equal(world.node.gateway()?.players, 2);
  assert.equal((await bob.link.call('position.leave', null))['kind'], 'done');
  assert.equal(reasonOf(await bob.link.call('position.leave', null)), 'not-in-the-world');
  assert.equal(world.node.gateway()?.players, 1);
});

test('a player whose link ends leaves the region', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('position.enter', HERE);
  world.players.closed(link);
  assert.equal(world.node.gateway()?.players, 0);
});

test('a leap is answered with the place to go back to', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('position.enter', HERE);
  world.players.binary(link, motionOf({ sequence: 5, lat: HERE.lat + 1_000_000, lon: HERE.lon }));
  const motion = decodeServerMotion(link.motion[0] ?? new Uint8Array(0));
  assert.deepEqual(motion, {
    kind: 'correction',
    correction: { sequence: 5, reason: 'too-fast', ...HERE },
  });
});

test('an update that was overtaken is dropped without a word', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('position.enter', HERE);
  world.players.binary(link, motionOf({ sequence: 5, ...HERE }));
  world.players.binary(link, motionOf({ sequence: 4, ...HERE }));
  assert.equal(link.motion.length, 0);
});

test('motion beyond the rate is dropped, and a flood of it closes the link', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('position.enter', HERE);
  let sequence = 0;
  const update = (lat: number): void => {
    world.players.binary(link, motionOf({ ...HERE, sequence: ++sequence, lat }));
  };
  for (let more = 0; more < 100; more++) update(HERE.lat);
  // A leap would be answered, if it were looked at.
  update(HERE.lat + 1_000_000);
  assert.equal(link.motion.length, 0);
  assert.ok(!link.isClosed);
  for (let more = 0; more < 1_000; more++) update(HERE.lat);
  assert.equal(link.closing?.code, 4004);
});

test('a region that ticks late does not tick less often', async () => {
  const world = new TinyWorld();
  const before = world.node.spaces()[0]?.ticks ?? 0;
  const { wakeAt } = world.clock;
  world.clock.wakeAt = (atMs, wake) => wakeAt.call(world.clock, atMs + 30, wake);
  world.clock.advance(10_000);
  const ticks = (world.node.spaces()[0]?.ticks ?? 0) - before;
  assert.ok(ticks >= 98 && ticks <= 100, `${ticks} ticks in ten seconds`);
});

test('who enters a region that can not be reached is told so, and is nowhere', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  const id = link.send({ call: 'position.enter', args: { lat: 0, lon: 0 } });
  world.clock.advance(ENTER_DEADLINE_MS + 100);
  assert.equal(link.outcome(id)?.['kind'], 'unavailable');
  assert.equal(reasonOf(await link.call('position.leave', null)), 'not-in-the-world');
});

test('motion frames are not queued for a slow reader', async () => {
  const world = new TinyWorld();
  const ada = await world.loggedIn('ada');
  const bob = await world.loggedIn('bob');
  await ada.link.call('position.enter', HERE);
  await bob.link.call('position.enter', HERE);
  ada.link.queued = 300 * 1024;
  ada.link.motion.length = 0;
  world.clock.advance(1_500);
  assert.equal(ada.link.motion.length, 0);
  assert.ok((world.node.gateway()?.framesSkipped ?? 0) > 0);
  assert.equal(ada.link.closing, undefined);
});

test('a slow reader gets a frame a second until he has read some, then all of them again', async () => {
  const world = new TinyWorld();
  const ada = await world.loggedIn('ada');
  const bob = await world.loggedIn('bob');
  await ada.link.call('position.enter', HERE);
  await bob.link.call('position.enter', HERE);
  let sequence = 0;
  const framesIn = (seconds: number): number => {
    ada.link.motion.length = 0;
    for (let tick = 0; tick < seconds * 10; tick++) {
      // To and fro without a velocity: every tick has its news.
      const lat = HERE.lat + (sequence % 2) * 100;
      world.players.binary(bob.link, motionOf({ ...HERE, sequence: ++sequence, lat }));
      world.clock.advance(100);
    }
    return ada.link.motion.length;
  };
  assert.ok(framesIn(2) >= 19);
  ada.link.queued = 20 * 1024;
  assert.equal(framesIn(2), 0);
  ada.link.queued = 0;
  const slowly = framesIn(4);
  assert.ok(slowly >= 3 && slowly <= 5, `${slowly} frames in four seconds`);
  framesIn(2);
  assert.ok(framesIn(2) >= 19);
});

test('a leaving node tells its players to go elsewhere', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await world.node.stop();
  assert.equal(link.closing?.code, 4006);
});

test('outcomes, links and bytes are counted', async () => {
  const world = new TinyWorld();
  const { link } = await world.loggedIn('ada');
  await link.call('dragons.feed', null);
  assert.deepEqual(world.node.outcomes(), { done: 1, rejected: 1, unavailable: 0, uncertain: 0 });
  const gateway = world.node.gateway();
  assert.equal(gateway?.connections, 1);
  assert.ok((gateway?.bytesIn ?? 0) > 0 && (gateway?.bytesOut ?? 0) > 0);
});

test('a frame that breaks our own code ends its link alone', async () => {
  const world = new TinyWorld();
  const broken: PlayerLink = {
    number: 99,
    sendText: () => {
      throw new TypeError('a fault of ours');
    },
    sendBinary: () => false,
    queuedBytes: () => 0,
    close: (code) => codes.push(code),
  };
  const codes: number[] = [];
  world.players.opened(broken);
  world.players.text(broken, '{"id":1,"call":"dragons.feed"}');
  assert.deepEqual(codes, [1011]);
  const { link } = await world.loggedIn('ada');
  assert.equal(link.closing, undefined);
});
