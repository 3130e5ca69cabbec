// Reads of regions with a bound that the caller states, on nine nodes as shipped.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';
import type { Json, TestLink } from '../support/tiny-world.ts';

/** Holds a copy of `eu`, whose primary is at `REGION`. */
const COPY = nodeId(9);

async function history(
  world: SeedWorld,
  link: TestLink,
  bound: object,
  waitMs: number = 400,
): Promise<Json> {
  const args = { channel: 'region' };
  const id = link.send({ call: 'chat.history', args, region: 'eu', bound });
  await world.clock.live(waitMs);
  return link.outcome(id) ?? assert.fail('no answer');
}

async function say(world: SeedWorld, link: TestLink, commandId: string): Promise<Json> {
  const args = { channel: 'region', text: 'hello' };
  const id = link.send({ call: 'chat.say', args, commandId, region: 'eu' });
  await world.clock.live(200);
  return link.outcome(id) ?? assert.fail('no answer');
}

test('who is told of a place by another player reads at least that, at his own gateway', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const speaker = await world.player('speaker');
  const listener = await world.player('listener', COPY);
  const { order, epoch } = await say(world, speaker.link, `${speaker.session}.1`);
  assert.ok(typeof order === 'number' && typeof epoch === 'number');
  const read = await history(world, listener.link, { epoch, order });
  assert.equal(read['kind'], 'done');
  assert.equal((read['value'] as unknown[]).length, 1);
  assert.ok((read['order'] as number) >= order);
  assert.equal(read['epoch'], epoch);
  assert.deepEqual(world.failures, []);
});

test('a place that a region has not come to is unavailable, and keeps nobody else waiting', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const speaker = await world.player('speaker');
  const { link } = await world.player('listener', COPY);
  const { order, epoch } = await say(world, speaker.link, `${speaker.session}.1`);
  assert.ok(typeof order === 'number' && typeof epoch === 'number');
  const places = [
    { epoch, order: order + 1 },
    { epoch: epoch + 1, order },
    { epoch: Number.MAX_SAFE_INTEGER, order: Number.MAX_SAFE_INTEGER },
  ];
  for (const place of places) assert.equal((await history(world, link, place))['kind'], 'unavailable');
  assert.equal((await history(world, link, { epoch, order }, 100))['kind'], 'done');
  assert.equal((await say(world, speaker.link, `${speaker.session}.2`))['kind'], 'done');
  assert.equal((await history(world, link, places[0] ?? {}))['kind'], 'done', 'now it has');
  assert.deepEqual(world.failures, []);
});

test('a place of a former epoch is read in the next one, whose answers bear it', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const { link, session } = await world.player('listener', COPY);
  const { order, epoch } = await say(world, link, `${session}.1`);
  world.network.kill(REGION);
  await world.clock.live(8_000);
  const read = await history(world, link, { epoch, order });
  assert.equal(read['kind'], 'done');
  assert.ok((read['epoch'] as number) > (epoch as number));
  assert.equal((read['value'] as unknown[]).length, 1);
  assert.deepEqual(world.failures, []);
});
