// A region outlives its primary: another copy is appointed, the players stay, and it stays where it is.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/index.ts';
import type { RegionView, WorldView } from '../../src/host/view.ts';
import { seedTopology } from '../../src/services/topology.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, until, up } from '../support/real-world.ts';

const PARIS = { lat: 488_566_000, lon: 23_522_000 };
const STEP_MS = 50;

const eu = ({ regions }: WorldView): RegionView =>
  regions.find(({ region }) => region === 'eu') ?? assert.fail('there is a region eu');
const isSettled = (view: WorldView): boolean => {
  const { isSought, primary, copies } = eu(view);
  return !isSought && primary !== undefined && copies.every(({ isHealthy }) => isHealthy);
};

test('when the primary of a region is killed, its players walk on over the same links', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--port', `${basePort}`);
  const before = eu(await until(world, (view) => allUp(view) && isSettled(view)));
  assert.equal(before.primary, 'eu');

  const { nodes } = seedTopology({ world: 'w', basePort });
  const port = nodes.find(({ name }) => name === 'na-west')?.httpPort;
  const walker = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
  t.after(() => walker.close());
  const states: string[] = [];
  let entered = 0;
  assert.equal((await walker.register({ name: 'walker', password: 'long enough' })).kind, 'done');
  walker.onState((state) => states.push(state));
  walker.onMotion(({ kind }) => (entered += kind === 'entered' ? 1 : 0));
  assert.equal((await walker.enter(PARIS)).kind, 'done');

  await ask(world, { kind: 'kill', nodes: ['eu'] });
  const after = eu(await until(world, (view) => !eu(view).isSought && eu(view).epoch > before.epoch));
  assert.notEqual(after.primary, 'eu');
  while (entered < 2) await sleep(STEP_MS);
  assert.deepEqual(states, [], 'the link broke');

  await ask(world, { kind: 'restart', nodes: ['eu'] });
  const back = eu(await until(world, (view) => allUp(view) && isSettled(view)));
  assert.equal(back.primary, after.primary, 'nobody gets a region back by himself');

  const isTrusted = ({ nodes: seen }: WorldView): boolean =>
    seen.every(({ kind, standing }) => kind === 'global' || standing === 'trusted');
  await until(world, isTrusted);
  const refused = await ask(world, { kind: 'promote', region: 'eu', node: 'na-west', acceptLoss: false });
  assert.equal(refused?.kind, 'refused');
  const hasty = await ask(world, { kind: 'promote', region: 'eu', node: 'eu', acceptLoss: true });
  assert.equal(hasty?.kind, 'refused');
  const moved = await ask(world, { kind: 'promote', region: 'eu', node: 'eu', acceptLoss: false });
  assert.equal(moved?.kind, 'acted', JSON.stringify(moved));
  assert.equal(eu(await until(world, isSettled)).lost, 0);
  while (entered < 3) await sleep(STEP_MS);
  assert.deepEqual(states, [], 'the link broke');
  assert.equal(await end(world, 'SIGTERM'), 0);
});
