// Nodes that lost their disk: replaced for good, or refused when they come back without their memory.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '../../src/client/index.ts';
import type { RegionView, WorldView } from '../../src/host/view.ts';
import { parseTopology, type Topology } from '../../src/services/topology/topology.ts';
import type { NodeStatus } from '../../src/wire/status.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, reportOf, traded, until, up, type Up } from '../support/real-world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function topologyOf({ folder }: Up): Topology {
  return parseTopology(JSON.parse(readFileSync(join(folder, 'topology.json'), 'utf8')));
}

/** Every copy of every group and region is reached by its leader and has all that it has. */
function isWhole(view: WorldView): boolean {
  const lags = view.groups.flatMap(({ members }) => members.map(({ lag }) => lag));
  const areLevel = view.regions.every((region) => {
    return !region.isSought && region.copies.every(({ isHealthy }) => isHealthy);
  });
  return allUp(view) && areLevel && lags.every((lag) => lag !== undefined && lag < 50);
}

const eu = ({ regions }: WorldView): RegionView =>
  regions.find(({ region }) => region === 'eu') ?? assert.fail('there is a region eu');

/** Says it in `eu` until a majority of its copies has it. */
async function say(client: Client, text: string): Promise<void> {
  for (;;) {
    const { kind } = await client.call('chat.say', { channel: 'region', text }, { region: 'eu' });
    if (kind === 'done') return;
    assert.equal(kind, 'unavailable');
  }
}

/** Asks until the node that was replaced before is done. */
async function begin(world: Up, name: string): Promise<void> {
  for (;;) {
    const answer = await ask(world, { kind: 'replace', node: name });
    if (answer?.kind === 'acted') return;
    assert.ok(answer?.kind === 'refused');
    assert.match(answer.sentence, / is being replaced: ask again/);
    await sleep(100);
  }
}

/** The place of this name has a new identity, and every group that had the old one has exchanged it. */
async function replace(world: Up, name: string): Promise<void> {
  const before = topologyOf(world).nodes.find((node) => node.name === name);
  await begin(world, name);
  await until(world, () => {
    const topology = topologyOf(world);
    return topology.retired?.includes(before?.id ?? (0 as never)) === true;
  });
  await until(world, (view) => isWhole(view) && view.inHand === undefined);
}

interface Former {
  readonly name: string;
  readonly id: number;
  readonly topology: Topology;
  /** Whom it dials, and who therefore say that they turned it away. */
  readonly refusedBy: readonly string[];
}

/** The old node starts once more, with its disk and the topology that it knew; nobody lets it in. */
async function comesBack(t: TestContext, world: Up, former: Former): Promise<void> {
  const { name, id, topology: before } = former;
  const free = await freeBasePort();
  const nodes = before.nodes.map((node) => {
    return node.name === name ? { ...node, httpPort: free + 1, peerPort: free + 2 } : node;
  });
  const folder = join(world.folder, '..', 'former');
  cpSync(join(world.folder, 'world.key'), join(folder, 'world.key'));
  const topology = join(folder, 'topology.json');
  writeFileSync(topology, JSON.stringify({ ...before, nodes }));
  const words = ['node', '--topology', topology, '--name', name];
  const data = ['--data', join(world.folder, `${name}.retired-${id}`)];
  const old = spawn(process.execPath, [...process.execArgv, MAIN, ...words, ...data], { stdio: 'ignore' });
  t.after(() => old.kill('SIGKILL'));
  while (!former.refusedBy.every((other) => hasRefused(world, other))) await sleep(100);
  const told = await fetch(`http://127.0.0.1:${free + 1}/v1/status`);
  const status = (await told.json()) as NodeStatus;
  assert.equal(status.node, id);
  assert.deepEqual(status.peersConnected, []);
  old.kill('SIGKILL');
}

/** Whether the node's log says that it turned away one whom its topology does not hold. */
function hasRefused({ folder }: Up, name: string): boolean {
  const lines = readFileSync(join(folder, name, 'log.jsonl'), 'utf8').trim().split('\n');
  return lines.some((line) => {
    const { event, facts } = JSON.parse(line);
    return event === 'peer-refused' && facts.cause === 'wrong-node';
  });
}

test('a dead node is replaced for good, and its old identity is refused', async (t) => {
  const port = String(await freeBasePort());
  const world = up(t, folderOf(t), '--players', '6', '--json', '--port', port);
  await until(world, traded(3));
  const before = topologyOf(world);
  assert.equal((await ask(world, { kind: 'replace', node: 'global-2' }))?.kind, 'refused');
  assert.equal((await ask(world, { kind: 'kill', nodes: ['global-2'] }))?.kind, 'acted');
  await replace(world, 'global-2');
  const { nodes, groups, retired } = topologyOf(world);
  assert.equal(nodes.find(({ name }) => name === 'global-2')?.id, 10);
  assert.deepEqual([retired, groups[0]?.members], [[2], [1, 10, 3]]);
  const view = await until(world, allUp);
  const seen = view.crowd?.trades ?? 0;
  await until(world, traded(seen + 3));

  const refusedBy = ['global-1', 'global-3', 'eu'];
  await comesBack(t, world, { name: 'global-2', id: 2, topology: before, refusedBy });
  const code = await end(world, 'SIGTERM');
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
  assert.deepEqual(report.gold?.counted, report.gold?.expected);
  assert.equal(code, 0);
});

test('a dead region node is replaced, its copies are filled, and one of them can lead', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--players', '6', '--json', '--port', String(basePort));
  await until(world, isWhole);
  const client = connect({ urls: [`ws://127.0.0.1:${basePort + 7}/v1/ws`] });
  t.after(() => client.close());
  assert.equal((await client.register({ name: 'ada', password: 'long enough' })).kind, 'done');
  await say(client, 'before');
  const before = topologyOf(world);
  assert.equal((await ask(world, { kind: 'replace', node: 'eu' }))?.kind, 'refused');
  await ask(world, { kind: 'kill', nodes: ['eu', 'na-east'] });
  await until(world, (view) => eu(view).isSought);
  const refused = await ask(world, { kind: 'replace', node: 'eu' });
  assert.equal(refused?.kind, 'refused');
  assert.match(refused.sentence, /(eu|na-east) has no primary.*bring na-east back/);
  await ask(world, { kind: 'restart', nodes: ['na-east'] });
  await until(world, (view) => !eu(view).isSought && eu(view).primary !== 'eu');
  await say(client, 'between');

  await replace(world, 'eu');
  const { regions } = topologyOf(world);
  const held = (name: string) => regions.find((region) => region.name === name)?.copies;
  assert.deepEqual([held('eu'), held('asia'), held('na-west')], [[10, 9, 6], [9, 7, 10], [7, 6, 9]]);
  await say(client, 'after');
  const moved = await ask(world, { kind: 'promote', region: 'eu', node: 'eu', acceptLoss: false });
  assert.equal(moved?.kind, 'acted', JSON.stringify(moved));
  await until(world, (view) => eu(view).primary === 'eu' && !eu(view).isSought);
  const told = await client.call('chat.history', { channel: 'region' }, { region: 'eu' });
  const texts = told.kind === 'done' ? told.value.map(({ text }) => text) : told;
  assert.deepEqual(texts, ['before', 'between', 'after']);
  client.close();

  const refusedBy = ['global-1', 'global-5'];
  await comesBack(t, world, { name: 'eu', id: 8, topology: before, refusedBy });
  const code = await end(world, 'SIGTERM');
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held: isHeld }) => !isHeld), []);
  assert.deepEqual(report.gold?.counted, report.gold?.expected);
  assert.equal(code, 0);
});

test('a region goes on with its last copy at a word, and replaced nodes are filled by it', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--json', '--port', String(basePort));
  await until(world, isWhole);
  const client = connect({ urls: [`ws://127.0.0.1:${basePort + 7}/v1/ws`] });
  t.after(() => client.close());
  assert.equal((await client.register({ name: 'ada', password: 'long enough' })).kind, 'done');
  await say(client, 'before');
  await ask(world, { kind: 'kill', nodes: ['eu', 'na-east'] });
  await until(world, (view) => eu(view).isSought);
  const refused = await ask(world, { kind: 'promote', region: 'eu', node: 'asia', acceptLoss: false });
  assert.ok(refused?.kind === 'refused');
  assert.match(refused.sentence, /^Only 1 of 3 copies of eu is left.*If asia.*add --accept-loss\.$/);
  for (const [region, node] of [['eu', 'asia'], ['na-east', 'na-west']] as const) {
    const forced = await ask(world, { kind: 'promote', region, node, acceptLoss: true });
    assert.equal(forced?.kind, 'acted', JSON.stringify(forced));
  }
  const alone = { channel: 'region', text: 'alone' } as const;
  await until(world, (view) => !eu(view).isSought);
  assert.equal((await client.call('chat.say', alone, { region: 'eu', ack: 'one' })).kind, 'done');

  assert.equal((await ask(world, { kind: 'replace', node: 'eu' }))?.kind, 'acted');
  const filled = ({ copies }: RegionView, name: string): boolean =>
    copies.some((copy) => copy.name === name && copy.isHealthy);
  await until(world, (view) => !eu(view).isSought && filled(eu(view), 'eu'));
  await replace(world, 'na-east');
  const told = await client.call('chat.history', { channel: 'region' }, { region: 'eu' });
  const texts = told.kind === 'done' ? told.value.map(({ text }) => text) : told;
  assert.deepEqual(texts, ['before', 'alone']);
  client.close();
  assert.equal(await end(world, 'SIGTERM'), 0);
});

test('a wiped folder is refused under its old id, and its place can be given a new one', async (t) => {
  const port = String(await freeBasePort());
  const world = up(t, folderOf(t), '--players', '6', '--json', '--port', port);
  await until(world, traded(3));
  await ask(world, { kind: 'kill', nodes: ['global-4'] });
  rmSync(join(world.folder, 'global-4'), { recursive: true });
  await ask(world, { kind: 'restart', nodes: ['global-4'] });
  const view = await until(world, ({ nodes }) => nodes.some(({ condition }) => condition === 'failed'));
  assert.deepEqual(
    view.nodes.filter(({ condition }) => condition !== 'up').map(({ name }) => name),
    ['global-4'],
  );
  const words = readFileSync(join(world.folder, 'global-4.stderr'), 'utf8');
  assert.match(words, /another data folder.*bluemarble replace global-4/);
  await replace(world, 'global-4');
  await end(world, 'SIGTERM');
  const { invariants, gold } = await reportOf(world);
  const broken = invariants.filter(({ held }) => !held).map((invariant) => invariant.name);
  assert.deepEqual(broken, ['no node ended by itself']);
  assert.deepEqual(gold?.counted, gold?.expected);
});

test('a world starts without a wiped node where its groups can, so that it can be replaced', async (t) => {
  const port = String(await freeBasePort());
  const first = up(t, folderOf(t), '--port', port);
  await until(first, allUp);
  assert.equal(await end(first, 'SIGTERM'), 0);
  rmSync(join(first.folder, 'global-1'), { recursive: true });
  const second = up(t, first.folder);
  await until(second, ({ nodes }) => nodes.some(({ condition }) => condition === 'failed'));
  await replace(second, 'global-1');
  await end(second, 'SIGTERM');
});
