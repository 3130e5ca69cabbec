// Players who walk over the edges of regions, with the client that games use and nodes as they ship.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { distanceMm } from '../../src/base/earth.ts';
import { type Client, connect } from '../../src/client/index.ts';
import { ahead } from '../../src/crowd/great-circle.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { Place } from '../../src/wire/calls.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, end, folderOf, until, up } from '../support/real-world.ts';

const EAST = Math.PI / 2;
const STEP_MS = 50;
const STEP_METRES = 0.4;
const APART_METRES = 60;

interface Walk {
  readonly name: string;
  /** On land, a little west of an edge. */
  readonly from: Place;
  readonly gateway: string;
  readonly regions: readonly [string, string];
}

const degrees = (lat: number, lon: number): Place => ({
  lat: Math.round(lat * 1e7),
  lon: Math.round(lon * 1e7),
});
const WALKS: readonly Walk[] = [
  { name: 'Illinois', from: degrees(40, -90), gateway: 'eu', regions: ['na-west', 'na-east'] },
  { name: 'Greenland', from: degrees(75, -30), gateway: 'na-east', regions: ['na-east', 'eu'] },
  { name: 'Kazakhstan', from: degrees(50, 60), gateway: 'asia', regions: ['eu', 'asia'] },
  { name: 'Chukotka', from: degrees(67, 180), gateway: 'na-west', regions: ['asia', 'na-west'] },
  { name: 'Antarctica', from: degrees(-89.9, 60), gateway: 'na-east', regions: ['eu', 'asia'] },
];

test('players walk over every edge, the antimeridian and near a pole, each on one link', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--port', `${basePort}`);
  await until(world, allUp);
  await Promise.all(WALKS.map((walk, place) => cross(t, { walk, place, basePort })));
  assert.equal(await end(world, 'SIGTERM'), 0);
});

async function cross(
  t: TestContext,
  { walk, place, basePort }: { walk: Walk; place: number; basePort: number },
): Promise<void> {
  const { name, from, gateway, regions } = walk;
  const [walker, watcher] = [player(t, basePort, gateway), player(t, basePort, 'eu')];
  const states: string[] = [];
  const entered: string[] = [];
  const [own] = await Promise.all([register(walker, `w${place}`), register(watcher, `v${place}`)]);
  walker.onState((state) => states.push(state));
  walker.onMotion((motion) => {
    if (motion.kind === 'entered') entered.push(motion.entered.region);
    assert.notEqual(motion.kind, 'correction', `${name}: put back`);
  });
  // From eight metres before the edge to some after it, past somebody who stands beyond.
  let at = ahead(from, -EAST, 8);
  assert.equal((await walker.enter(at)).kind, 'done');
  assert.equal((await watcher.enter(ahead(from, EAST, APART_METRES))).kind, 'done');
  while (entered.length < 2) {
    at = ahead(at, EAST, STEP_METRES);
    walker.moveTo(at);
    await sleep(STEP_MS);
    assert.ok(distanceMm(at, from) < APART_METRES * 1_000, `${name}: never in the next region`);
  }
  assert.deepEqual(entered, regions, name);
  assert.deepEqual(states, [], `${name}: the link broke`);
  for (;;) {
    const seen = watcher.others.get(own);
    if (seen !== undefined && distanceMm(seen, at) < 1_000) break;
    walker.moveTo(at);
    await sleep(STEP_MS);
  }
}

function player(t: TestContext, basePort: number, gateway: string): Client {
  const { nodes } = seedTopology({ world: 'w', basePort });
  const port = nodes.find((node) => node.name === gateway)?.httpPort;
  const client = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
  t.after(() => client.close());
  return client;
}

async function register(client: Client, name: string): Promise<number> {
  const outcome = await client.register({ name: `${name}-walker`, password: 'long enough' });
  assert.ok(outcome.kind === 'done', JSON.stringify(outcome));
  return outcome.value.player;
}
