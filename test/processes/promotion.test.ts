// A region outlives its primary: another copy is appointed, the players stay, and it stays where it is.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type RegionLost } from '../../src/client/index.ts';
import { insist } from '../../src/crowd/insist.ts';
import type { RegionView, WorldView } from '../../src/host/view.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, until, up } from '../support/real-world.ts';

const PARIS = { lat: 488_566_000, lon: 23_522_000 };
const STEP_MS = 50;
const WAIT_MS_MAX = 90_000;

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
  assert.equal(back.primary, after.primary, 'nobody gets a region back at once');

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

test('who loses his gateway with the primary is told elsewhere what of his is lost', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--port', `${basePort}`);
  const { epoch } = eu(await until(world, (view) => allUp(view) && isSettled(view)));
  const { nodes } = seedTopology({ world: 'w', basePort });
  const urls = ['eu', 'na-west'].map((gateway) => {
    return `ws://127.0.0.1:${nodes.find(({ name }) => name === gateway)?.httpPort}/v1/ws`;
  });
  const player = connect({ urls });
  t.after(() => player.close());
  assert.equal((await player.register({ name: 'unlucky', password: 'long enough' })).kind, 'done');
  const say = (ack: 'one' | 'quorum') =>
    player.call('chat.say', { channel: 'region', text: ack }, { region: 'eu', ack });
  const kept = await say('quorum');
  const told = Promise.withResolvers<RegionLost>();
  player.onRegionLost(told.resolve);
  const fault = { cut: 'silent', delayMs: 0, jitterMs: 0, lossPerMille: 0 } as const;
  const cut = await ask(world, { kind: 'partition', sides: 'eu / asia,na-east', fault });
  assert.equal(cut?.kind, 'network', JSON.stringify(cut));
  // The node hears of the fault before it is asked how it is.
  await until(world, allUp);
  const lost = await say('one');
  assert.ok(kept.kind === 'done' && lost.kind === 'done', JSON.stringify([kept, lost]));
  await ask(world, { kind: 'kill', nodes: ['eu'] });
  const { region, from, to, epoch: of } = await told.promise;
  assert.deepEqual([region, of, to], ['eu', epoch, lost.order]);
  assert.ok(from > (kept.order ?? 0) && from <= to, JSON.stringify({ from, to }));
  assert.equal(await end(world, 'SIGTERM'), 0);
});

test('a primary that its copies do not hear has a successor, though every witness hears it', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--port', `${basePort}`);
  const { epoch } = eu(await until(world, (view) => allUp(view) && isSettled(view)));
  const { nodes } = seedTopology({ world: 'w', basePort });
  const port = nodes.find(({ name }) => name === 'na-west')?.httpPort;
  const player = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
  t.after(() => player.close());
  assert.equal((await player.register({ name: 'patient', password: 'long enough' })).kind, 'done');
  const fault = { cut: 'silent', delayMs: 0, jitterMs: 0, lossPerMille: 0 } as const;
  const cut = await ask(world, { kind: 'partition', sides: 'eu / asia,na-east', fault });
  assert.equal(cut?.kind, 'network', JSON.stringify(cut));
  const options = { region: 'eu', ack: 'quorum' } as const;
  const said = await insist(
    () => player.call('chat.say', { channel: 'region', text: 'hello' }, options),
    AbortSignal.timeout(WAIT_MS_MAX),
  );
  assert.equal(said?.kind, 'done', JSON.stringify(said));
  const now = eu(await until(world, (view) => !eu(view).isSought));
  assert.notEqual(now.primary, 'eu');
  assert.equal(now.epoch, epoch + 1);
  assert.equal(now.copies.find(({ name }) => name === 'eu')?.isHealthy, false);
  await ask(world, { kind: 'heal' });
  await until(world, (view) => eu(view).copies.every(({ isHealthy }) => isHealthy));
  assert.equal(await end(world, 'SIGTERM'), 0);
});
