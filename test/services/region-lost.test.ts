// Who was told at `one` that something was done, which a promotion then cost, is told so: on nine nodes as
// shipped, through the gateway that he is at.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';
import { type Json, TestLink } from '../support/tiny-world.ts';

/** The gateway holds no copy of `eu`, whose primary is at `REGION` with copies at these. */
const GATEWAY = nodeId(7);
const OTHER_COPIES = [nodeId(9), nodeId(6)];

interface Player {
  readonly link: TestLink;
  readonly session: number;
}

async function say(
  world: SeedWorld,
  { link, session }: Player,
  wish: { readonly region: string; readonly ack: string },
): Promise<number> {
  const args = { channel: 'region', text: 'hello' };
  const id = link.send({ call: 'chat.say', args, commandId: `${session}.1`, ...wish });
  await world.clock.live(100);
  const outcome = link.outcome(id);
  assert.equal(outcome?.['kind'], 'done', JSON.stringify(outcome));
  return outcome?.['order'] as number;
}

function lostTo({ link }: Player): readonly unknown[] {
  return link.frames
    .filter((frame: Json) => frame['push'] === 'region-lost')
    .map((frame) => frame['value']);
}

test('a promotion tells those whom it cost what they were told, and nobody else', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const names = ['early', 'careful', 'elsewhere', 'silent', 'unlucky'];
  const players = new Map<string, Player>();
  for (const name of names) players.set(name, await world.player(name, GATEWAY));
  const player = (name: string): Player => players.get(name) ?? assert.fail(name);
  const start = await say(world, player('early'), { region: 'eu', ack: 'one' });
  await say(world, player('careful'), { region: 'eu', ack: 'quorum' });
  await say(world, player('elsewhere'), { region: 'asia', ack: 'one' });
  await world.clock.live(1_000);

  for (const copy of OTHER_COPIES) world.network.cut(REGION, copy);
  const order = await say(world, player('unlucky'), { region: 'eu', ack: 'one' });
  assert.ok(order > start);
  world.network.kill(REGION);
  await world.clock.live(8_000);
  const { placement } = world.node(GATEWAY).status();
  const placed = placement?.regions.find(({ number }) => number === 103);
  assert.ok(placed !== undefined && OTHER_COPIES.includes(placed.primary), JSON.stringify(placed));
  assert.ok(placed.start.sequence < order);
  const from = placed.start.sequence + 1;
  const epoch = placed.epoch - 1;
  assert.deepEqual(lostTo(player('unlucky')), [{ region: 'eu', epoch, from, to: order }]);
  for (const name of names.slice(0, -1)) assert.deepEqual(lostTo(player(name)), [], name);
  assert.deepEqual(world.failures, []);
});

test('who loses his gateway with the primary is told when he resumes, sooner or later', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  const names = ['early', 'soon', 'late'];
  const players = new Map<string, Player>();
  for (const name of names) players.set(name, await world.player(name, REGION));
  const player = (name: string): Player => players.get(name) ?? assert.fail(name);
  await say(world, player('early'), { region: 'eu', ack: 'one' });
  await world.clock.live(1_000);
  for (const copy of OTHER_COPIES) world.network.cut(REGION, copy);
  const orders = new Map<string, number>();
  for (const name of ['soon', 'late']) {
    orders.set(name, await say(world, player(name), { region: 'eu', ack: 'one' }));
  }
  world.network.kill(REGION);
  const resume = async (name: string): Promise<void> => {
    const { link } = player(name);
    const said = link.frames.find((frame) => 'atOne' in frame) ?? assert.fail('it has no place');
    const { order } = said['outcome'] as { order: number };
    const { token } = (link.frames[0]?.['outcome'] as { value: { token: string } }).value;
    const doors = world.node(GATEWAY).players ?? assert.fail();
    const next = new TestLink(2, { clock: world.clock, players: doors });
    doors.opened(next);
    const atOne = [{ ...(said['atOne'] as Json), order }, { region: 'atlantis', epoch: 1, order: 9 }];
    assert.equal((await next.call('account.resume', { token, atOne }))['kind'], 'done');
    players.set(name, { link: next, session: player(name).session });
  };
  await resume('soon');
  await world.clock.live(8_000);
  await resume('early');
  await resume('late');
  const { placement } = world.node(GATEWAY).status();
  const placed = placement?.regions.find(({ number }) => number === 103) ?? assert.fail();
  const [epoch, from] = [placed.epoch - 1, placed.start.sequence + 1];
  for (const name of ['soon', 'late']) {
    assert.deepEqual(lostTo(player(name)), [{ region: 'eu', epoch, from, to: orders.get(name) }], name);
  }
  assert.deepEqual(lostTo(player('early')), []);
  assert.deepEqual(world.failures, []);
});

test('a gateway takes in at most so many places, and nothing that is none', async () => {
  const world = new SeedWorld();
  await world.ready();
  const { link } = await world.player('greedy', GATEWAY);
  const { token } = (link.frames[0]?.['outcome'] as { value: { token: string } }).value;
  const place = { region: 'eu', epoch: 2, order: 7 };
  const players = world.node(GATEWAY).players ?? assert.fail();
  for (const atOne of [Array(65).fill(place), [{ ...place, order: -1 }], [{ ...place, epoch: 'x' }], 7]) {
    const next = new TestLink(2, { clock: world.clock, players });
    players.opened(next);
    const outcome = await next.call('account.resume', { token, atOne });
    assert.deepEqual([outcome['kind'], outcome['reason']], ['rejected', 'bad-arguments']);
  }
});
