// A world of a file of one's own, with gateways that hold no region's copy: what players notice of them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '../../src/client/index.ts';
import { ahead } from '../../src/crowd/great-circle.ts';
import { insist } from '../../src/crowd/insist.ts';
import type { NodeView, WorldView } from '../../src/host/view.ts';
import type { Place } from '../../src/wire/calls.ts';
import type { NodeStatus } from '../../src/wire/status.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, reportOf, traded, until, up } from '../support/real-world.ts';
import { smallTopology } from '../support/small-topology.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const EAST = Math.PI / 2;
const STEP_MS = 50;
const WAIT_MS_MAX = 60_000;
/** On land in France, where `west` and `east` meet. */
const EDGE: Place = { lat: 480_000_000, lon: 0 };
const GATE = 7;

const nodeOf = ({ nodes }: WorldView, name: string): NodeView =>
  nodes.find((node) => node.name === name) ?? assert.fail(`there is a node ${name}`);
const epochsOf = ({ regions }: WorldView): readonly number[] => regions.map(({ epoch }) => epoch);

interface Own {
  readonly folder: string;
  readonly file: string;
  readonly basePort: number;
}

async function ownTopology(t: TestContext, gateways: number): Promise<Own> {
  const folder = folderOf(t);
  const file = join(folder, '..', 'my.json');
  const basePort = await freeBasePort();
  writeFileSync(file, JSON.stringify(smallTopology({ basePort, gateways })));
  return { folder, file, basePort };
}

async function player(t: TestContext, { basePort }: Own, name: string): Promise<Client> {
  const ports = [GATE, 4].map((id) => basePort + id);
  const client = connect({ urls: ports.map((port) => `ws://127.0.0.1:${port}/v1/ws`) });
  t.after(() => client.close());
  assert.equal((await client.register({ name, password: 'long enough' })).kind, 'done');
  return client;
}

test('players do all through a gateway without a copy, and resume elsewhere when it dies', async (t) => {
  const own = await ownTopology(t, 1);
  const world = up(t, own.folder, '--topology', own.file, '--players', '8', '--json');
  await until(world, (view) => allUp(view) && traded(3)(view));
  const answer = await fetch(`http://127.0.0.1:${own.basePort + GATE}/v1/status`);
  const status = (await answer.json()) as NodeStatus;
  assert.deepEqual([status.ready, status.copies, status.spaces], [true, [], []]);
  assert.ok((status.gateway?.connections ?? 0) > 0, 'no test player came through the gateway');
  assert.ok(!existsSync(join(own.folder, 'gate-1', 'regions')));

  const [walker, watcher] = await Promise.all([player(t, own, 'walker'), player(t, own, 'watcher')]);
  const giveUp = AbortSignal.timeout(WAIT_MS_MAX);
  const entered: string[] = [];
  walker.onMotion((motion) => {
    if (motion.kind === 'entered') entered.push(motion.entered.region);
  });
  let at = ahead(EDGE, -EAST, 6);
  assert.equal((await walker.enter(at)).kind, 'done');
  assert.equal((await watcher.enter(ahead(EDGE, EAST, 20))).kind, 'done');
  while (entered.at(-1) !== 'east') {
    at = ahead(at, EAST, 0.4);
    walker.moveTo(at);
    assert.ok(!giveUp.aborted, 'he never came into the next region');
    await sleep(STEP_MS);
  }
  const say = (text: string) => walker.call('chat.say', { channel: 'region', text }, { ack: 'quorum' });
  const heard = async (): Promise<readonly string[]> => {
    const options = { region: 'east', bound: { msOld: 0 } };
    const said = await insist(() => watcher.call('chat.history', { channel: 'region' }, options), giveUp);
    assert.ok(said?.kind === 'done', JSON.stringify(said));
    return said.value.filter(({ player }) => player === walker.player).map(({ text }) => text);
  };
  assert.equal((await say('before')).kind, 'done');
  assert.deepEqual(await heard(), ['before']);

  const before = await until(world, allUp);
  assert.equal((await ask(world, { kind: 'kill', nodes: ['gate-1'] }))?.kind, 'acted');
  const said = await insist(() => say('after'), giveUp);
  assert.equal(said?.kind, 'done', JSON.stringify(said));
  assert.deepEqual(await heard(), ['before', 'after']);
  while (!watcher.others.has(walker.player)) {
    assert.ok(!giveUp.aborted, 'they never saw each other again');
    walker.moveTo(at);
    await sleep(STEP_MS);
  }
  const after = await until(world, (view) => nodeOf(view, 'gate-1').standing === 'failed');
  assert.deepEqual(epochsOf(after), epochsOf(before), 'a region got another primary');
  await ask(world, { kind: 'restart', nodes: ['gate-1'] });
  await until(world, (view) => allUp(view) && nodeOf(view, 'gate-1').standing === 'trusted');
  assert.equal(await end(world, 'SIGTERM'), 0);
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
});

test('a world takes a further gateway from its file at the next start, and nothing else', async (t) => {
  const own = await ownTopology(t, 0);
  const write = (topology: object): void => writeFileSync(own.file, JSON.stringify(topology));
  const refusal = async (...words: string[]): Promise<string> => {
    const refused = up(t, own.folder, ...words);
    assert.deepEqual(await once(refused.process, 'exit'), [2, null]);
    return refused.err;
  };
  const first = up(t, own.folder, '--topology', own.file, '--players', '4', '--json');
  await until(first, (now) => allUp(now) && traded(2)(now));
  assert.equal(await end(first, 'SIGTERM'), 0);

  const { regions, ...grown } = smallTopology({ basePort: own.basePort, gateways: 1 });
  write({ ...grown, regions: regions.map((region) => ({ ...region, sightMetres: 500 })) });
  assert.match(await refusal('--topology', own.file), /has another topology than .*leave --topology out/);
  const written = join(own.folder, 'topology.json');
  const asWritten = readFileSync(written);
  writeFileSync(written, JSON.stringify({ ...grown, regions }));
  assert.match(await refusal(), /topology\.json in .* is not as it was written.*--topology/);
  writeFileSync(written, asWritten);

  write({ ...grown, regions });
  const port = String(await freeBasePort());
  const second = up(t, own.folder, '--topology', own.file, '--players', '4', '--json', '--port', port);
  const view = await until(second, (now) => allUp(now) && traded(2)(now));
  assert.equal(nodeOf(view, 'gate-1').standing, 'trusted');
  assert.equal(await end(second, 'SIGTERM'), 0);
  const third = up(t, own.folder, '--json');
  await until(third, (now) => allUp(now) && now.nodes.length === 7);
  assert.equal(await end(third, 'SIGTERM'), 0);
});

test('a world that runs takes a gateway once its nodes started again with the new file', async (t) => {
  const own = await ownTopology(t, 0);
  const world = up(t, own.folder, '--topology', own.file, '--players', '4', '--json');
  const first = await until(world, (view) => allUp(view) && traded(2)(view));
  const grown = smallTopology({ basePort: own.basePort, gateways: 1 });
  const file = join(own.folder, 'topology.json');
  writeFileSync(file, JSON.stringify(grown));
  const words = ['node', '--topology', file, '--name', 'gate-1', '--data', join(own.folder, 'gate-1')];
  const gateway = spawn(process.execPath, [...process.execArgv, MAIN, ...words], { stdio: 'ignore' });
  t.after(() => gateway.kill('SIGKILL'));
  for (const { name, pid } of first.nodes) {
    await ask(world, { kind: 'restart', nodes: [name] });
    await until(world, (view) => allUp(view) && nodeOf(view, name).pid !== pid);
  }
  const client = await player(t, own, 'newcomer');
  assert.equal((await client.enter(EDGE)).kind, 'done');
  const traders = await until(world, allUp);
  await until(world, traded((traders.crowd?.trades ?? 0) + 2));
  gateway.kill('SIGTERM');
  assert.deepEqual(await once(gateway, 'exit'), [0, null]);
  assert.equal(await end(world, 'SIGTERM'), 0);
});
