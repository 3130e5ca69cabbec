import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { SAY_PACE } from '../../src/world/features/chat.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';
import type { Json } from '../support/tiny-world.ts';

test('all nine nodes of the seed become ready, and a player plays', async () => {
  const world = new SeedWorld();
  await world.ready();
  const { link, session } = await world.player('ada');
  assert.equal((await link.call('holdings.open', null, `${session}.1`))['kind'], 'done');
  assert.equal((await link.call('names.claim', { name: 'Ada' }, `${session}.1`))['kind'], 'done');
  assert.deepEqual(world.failures, []);
});

test('every region has one primary that serves, level replicas, and players who talk', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  for (const { number, name, copies } of world.topology.regions) {
    const statuses = copies.map((id) => {
      const copy = world.node(id).status().copies.find(({ region }) => region === name);
      assert.ok(copy, `${id} holds a copy of region ${number}`);
      return copy;
    });
    const roles = statuses.map(({ role }) => role).sort();
    assert.deepEqual(roles, ['primary', 'replica', 'replica']);
    const serving = statuses.filter(({ isServing }) => isServing);
    assert.equal(serving.length, 1);
    assert.ok(statuses.every(({ isHealthy, lagEntries }) => isHealthy && lagEntries === 0));
    assert.equal(serving[0]?.copies.length, 3);
  }
  const { link, session } = await world.player('ada');
  const said = await link.call('chat.say', { channel: 'region', text: 'hello' }, `${session}.1`);
  assert.equal(said['kind'], 'done', JSON.stringify(said));
  assert.deepEqual(world.failures, []);
});

test('who floods a channel is told to wait before it costs the log an entry', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const { link, session } = await world.player('ada');
  const say = (number: number): Promise<Json> =>
    link.call('chat.say', { channel: 'region', text: 'hello' }, `${session}.${number}`);
  for (let number = 1; number <= SAY_PACE.burst; number++) assert.equal((await say(number))['kind'], 'done');
  const entries = (): number => {
    const { copies } = world.node(REGION).status();
    return copies.find(({ isServing }) => isServing)?.last ?? assert.fail();
  };
  const before = entries();
  const flood = await Promise.all(Array.from({ length: 40 }, (_, more) => say(SAY_PACE.burst + 1 + more)));
  for (const outcome of flood) {
    assert.equal(outcome['kind'], 'unavailable');
    const retryAfterMs = outcome['retryAfterMs'] as number;
    assert.ok(retryAfterMs > 0 && retryAfterMs <= SAY_PACE.everyMs);
  }
  assert.equal(entries(), before);
  await world.clock.live(SAY_PACE.everyMs);
  assert.equal((await say(SAY_PACE.burst + 1))['kind'], 'done');
  assert.equal(entries(), before + 1);
  assert.deepEqual(world.failures, []);
});

test('a channel that there is not costs nobody a message of his pace', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const { link, session } = await world.player('ada');
  const say = (number: number, channel: string): Promise<Json> =>
    link.call('chat.say', { channel, text: 'hello' }, `${session}.${number}`);
  assert.equal((await say(1, 'regoin'))['reason'], 'unknown-channel');
  assert.equal((await say(2, 'wrold'))['reason'], 'unknown-channel');
  for (let each = 0; each < SAY_PACE.burst; each++) {
    assert.equal((await say(3 + each, 'region'))['kind'], 'done');
  }
  assert.equal((await say(3 + SAY_PACE.burst, 'region'))['kind'], 'unavailable');
  assert.deepEqual(world.failures, []);
});

test('nobody is ready without the others', () => {
  const world = new SeedWorld();
  for (const { id } of world.topology.nodes) {
    for (const other of world.nodes.keys()) if (id < other) world.network.cut(id, other);
  }
  world.clock.advance(4_000);
  assert.ok([...world.nodes.values()].every((node) => !node.isReady()));
});

test('whoever waits for a node to be ready is told once it is', async () => {
  const world = new SeedWorld();
  let ready = 0;
  for (const node of world.nodes.values()) void node.whenReady().then(() => (ready += 1));
  assert.equal(ready, 0);
  await world.ready();
  assert.equal(ready, 9);
});

test('a status tells what the node is, holds and sees', async () => {
  const world = new SeedWorld();
  await world.ready();
  const status = world.node(nodeId(3)).status();
  assert.equal(status.name, 'global-3');
  assert.equal(status.version, '1.2.3');
  assert.equal(status.pid, 3);
  assert.deepEqual(
    status.groups.map(({ group }) => group),
    ['auth', 'economy', 'guild', 'world'],
  );
  assert.equal(status.peersConnected.length, 8);
  assert.equal(status.gateway, undefined);
  assert.deepEqual(status.spaces, []);
  const region = world.node(REGION).status();
  assert.equal(region.gateway?.connections, 0);
  assert.deepEqual(region.spaces.map((space) => space.region), ['eu']);
  assert.ok((region.spaces[0]?.ticks ?? 0) > 10);
  assert.deepEqual(region.groups, []);
});

test('a leader that stops in order hands over, and no call is lost', async () => {
  const world = new SeedWorld();
  await world.ready();
  const { link, session } = await world.player('ada');
  await link.call('holdings.open', null, `${session}.1`);
  const former = world.leaderOf('economy');
  assert.ok(former !== undefined);
  await world.stop(former);
  assert.notEqual(world.leaderOf('economy'), undefined);
  assert.equal((await link.call('holdings.mine', null))['kind'], 'done');
  assert.deepEqual(world.failures, []);
});

test('a node that starts again knows what it knew', async () => {
  const world = new SeedWorld();
  await world.ready();
  const { link, session } = await world.player('ada');
  await link.call('holdings.open', null, `${session}.1`);
  for (const { id, kind } of world.topology.nodes) {
    if (kind !== 'global') continue;
    await world.stop(id);
    world.start(id);
    for (const other of world.nodes.keys()) if (other !== id) world.network.mend(id, other);
    await world.ready();
  }
  const again = await link.call('holdings.open', null, `${session}.2`);
  assert.equal(again['reason'], 'already-open');
});

test('a message that no node sends is logged, and the link goes on', async () => {
  const world = new SeedWorld();
  await world.ready();
  const stranger = world.network.join(nodeId(77));
  stranger.listen({ received: () => {}, up: () => {}, lost: () => {} });
  for (const bytes of [[], [0], [99], [1, 1, 5], [4], [2, 1, 1, 255, 255, 255, 255, 15]]) {
    for (const id of world.nodes.keys()) stranger.send(id, Uint8Array.from(bytes));
  }
  stranger.flush();
  await world.clock.live(50);
  const unreadable = world.lines.filter(({ event }) => event === 'unreadable-peer-message');
  assert.equal(unreadable.length, 6 * 9);
  assert.ok([...world.nodes.values()].every((node) => node.isReady()));
  assert.deepEqual(world.failures, []);
});

test('a node that stood still says for how long', async () => {
  const world = new SeedWorld();
  await world.clock.live(100);
  const node = world.node(REGION);
  const { wakeAt } = world.clock;
  // The loop runs timers 250 ms after they were due.
  world.clock.wakeAt = (atMs, wake) => wakeAt.call(world.clock, atMs + 250, wake);
  await world.clock.live(1_000);
  assert.ok(node.status().loopLateMsMax >= 250);
});

test('a node whose folder was wiped must not go on, and says which command helps', async () => {
  const world = new SeedWorld();
  await world.ready();
  const wiped = nodeId(4);
  await world.stop(wiped);
  world.stores.delete(wiped);
  world.disks.delete(wiped);
  world.start(wiped);
  for (const other of world.nodes.keys()) if (other !== wiped) world.network.mend(wiped, other);
  await world.clock.live(2_000);
  assert.match(String(world.failures[0]), /bluemarble replace global-4/);
  assert.equal(world.node(wiped).status().groups.every(({ term }) => term === 0), true);
});

test('what is said to the world is told to everybody, whichever gateway he is at', async () => {
  const world = new SeedWorld();
  await world.ready();
  const ada = await world.player('ada', nodeId(8));
  const bob = await world.player('bob', nodeId(9));
  const said = await ada.link.call('chat.say', { channel: 'world', text: 'hello' }, `${ada.session}.1`);
  assert.equal(said['kind'], 'done');
  await world.clock.live(500);
  const told = bob.link.frames.filter(({ push }) => push === 'chat').map(({ value }) => value as Json);
  assert.deepEqual(told.map(({ text, region }) => [text, region]), [['hello', 'eu']]);
  const history = await bob.link.call('chat.history', { channel: 'world' });
  assert.deepEqual(history['value'], told);
  const own = await ada.link.call('chat.history', { channel: 'world' });
  assert.deepEqual(own['value'], told);
  assert.deepEqual(world.failures, []);
});

test('a rare item leaves the holdings for a workshop, and its product comes back', async () => {
  const world = new SeedWorld();
  await world.ready();
  const { link, session } = await world.player('ada', nodeId(8));
  let number = 0;
  const ask = async (call: string, args: unknown): Promise<Json> => {
    const outcome = await link.call(call, args, `${session}.${++number}`);
    assert.equal(outcome['kind'], 'done', JSON.stringify(outcome));
    return (outcome['value'] ?? {}) as Json;
  };
  await ask('holdings.open', null);
  for (const [material, product] of [['wood', 'plank'], ['stone', 'brick']]) {
    await ask('crafting.gather', { material });
    const { job } = await ask('crafting.start', { recipe: product, item: null });
    await world.clock.live(2_100);
    await ask('crafting.collect', { job });
  }
  const { items } = await ask('holdings.mine', null);
  const compass = (items as { id: number; kind: string }[]).find(({ kind }) => kind === 'compass');
  const { job } = await ask('crafting.start', { recipe: 'sextant', item: compass?.id });
  await world.clock.live(5_000);
  assert.equal((await ask('crafting.collect', { job }))['state'], 'delivering');
  await world.clock.live(500);
  const states = link.frames.filter(({ push }) => push === 'crafting').map(({ value }) => value as Json);
  assert.deepEqual(states.map(({ state }) => state), ['working', 'made']);
  const after = (await ask('holdings.mine', null))['items'] as { kind: string }[];
  assert.deepEqual(after.map(({ kind }) => kind), ['lantern', 'rope', 'sextant']);
  assert.deepEqual(world.failures, []);
});
