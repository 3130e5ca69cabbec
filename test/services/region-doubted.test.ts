// A primary that a majority of the witnesses doubts stays primary; reads that others can serve pass it over.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';

/** It holds no copy of `eu`, whose primary is at `REGION`. */
const GATEWAY = nodeId(7);
const WITNESSES = [1, 2, 3, 4, 5].map(nodeId);
/** An answer that waited for nobody's patience: two links there and back, and some turns. */
const AT_ONCE_MS = 50;

test('a read that may be old does not wait for a primary that is doubted', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(3_000);
  const { link } = await world.player('reader', GATEWAY);
  const bound = { msOld: 60_000 };
  const history = { call: 'chat.history', args: { channel: 'region' }, region: 'eu', bound };
  const read = async (): Promise<unknown> => {
    const id = link.send(history);
    await world.clock.live(AT_ONCE_MS);
    return link.outcome(id)?.['kind'];
  };
  assert.equal(await read(), 'done');
  const eu = () => world.node(GATEWAY).status().placement?.regions.find(({ number }) => number === 103);
  const before = eu();
  for (const witness of WITNESSES) world.network.cut(REGION, witness);
  await world.clock.live(4_000);
  for (const witness of WITNESSES) world.network.mend(REGION, witness);
  await world.clock.live(1_500);
  assert.deepEqual([eu()?.epoch, eu()?.primary, eu()?.fence], [before?.epoch, REGION, null]);
  world.network.deafen(REGION);
  assert.equal(await read(), 'done');
  assert.deepEqual(world.failures, []);
});
