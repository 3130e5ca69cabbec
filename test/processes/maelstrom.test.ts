// Nodes of a Maelstrom run as processes of their own, under a small harness that routes, delays, loses
// and cuts, and judges what clients saw.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/base/random.ts';
import { stockCheckers } from '../../src/verify/models.ts';
import { MaelstromClients } from '../support/maelstrom-clients.ts';
import { type Body, MaelstromNetwork } from '../support/maelstrom-network.ts';

const MAIN: string = join(import.meta.dirname, '../../src/cli/main.ts');
const ANSWER_MS_MAX = 10_000;
const TRIES_MAX = 40;
const INIT: Body = { type: 'init', node_id: 'n1', node_ids: ['n1'] };

/** One process that was not told who it is. */
function lonelyNode(t: TestContext, workload: string): MaelstromNetwork {
  const network = new MaelstromNetwork(t, { workload, nodes: 1, seed: 1 });
  network.launch('n1');
  return network;
}

async function ask(network: MaelstromNetwork, body: Body, node = 'n1'): Promise<Body> {
  const answer = await network.ask('c1', node, body, ANSWER_MS_MAX);
  assert.ok(answer !== undefined, `no answer to ${JSON.stringify(body)}`);
  return answer;
}

/** Asks until the answer is of this type or bears this code. */
async function askUntil(network: MaelstromNetwork, node: string, body: Body, wanted: unknown): Promise<Body> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const answer = await ask(network, body, node);
    if (answer['type'] === wanted || answer['code'] === wanted) return answer;
  }
  const what = `${JSON.stringify(body)} with ${String(wanted)}`;
  assert.fail(`${node} never answered ${what}\n${network.lastWords}`);
}

async function code(network: MaelstromNetwork, body: Body): Promise<unknown> {
  const answer = await ask(network, body);
  return answer['type'] === 'error' ? answer['code'] : answer['type'];
}

/** Judges what the clients saw, key by key. */
function assertLinearizable(clients: MaelstromClients): void {
  const verdicts = stockCheckers.get('register')?.check(clients.history()) ?? [];
  assert.ok(verdicts.length > 0 && clients.counts.ok > 0, 'something was asked and answered');
  const broken = verdicts.filter(({ verdict }) => verdict !== 'ok');
  assert.deepEqual(broken, [], `operations: ${JSON.stringify(clients.counts)}`);
}

test('an unknown workload is refused with those that there are', () => {
  const args = [...process.execArgv, MAIN, 'maelstrom', 'juggling'];
  const done = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(done.status, 2);
  assert.equal(done.stdout, '');
  assert.equal(done.stderr, 'There is no workload "juggling": name one of echo, unique-ids, lin-kv.\n');
});

test('a node answers what it is asked, and names what is wrong with everything else', async (t) => {
  const network = lonelyNode(t, 'echo');
  assert.equal(await code(network, { type: 'echo', echo: 1 }), 11);
  assert.equal(await code(network, { type: 'init' }), 12);
  assert.equal(await code(network, { ...INIT, node_ids: ['n2'] }), 12);
  assert.equal(await code(network, { ...INIT, node_id: '../n1', node_ids: ['../n1'] }), 12);
  assert.equal(await code(network, INIT), 'init_ok');
  assert.equal(await code(network, INIT), 22);
  for (const line of ['garbage', '', '[]', '{"src":"c1"}', 'x'.repeat(5_000_000), '\0\ufffd']) {
    network.say('n1', line);
  }
  network.say('n1', '{"src":"n2","dest":"n1","body":{"type":"error","code":12,"msg_id":1}}');
  network.say('n1', '{"src":"n2","dest":"n1","body":{"type":"frame","frame":"AAAA"}}');
  assert.equal(await code(network, { type: 'juggle' }), 10);
  assert.equal(await code(network, { type: 'constructor' }), 10);
  assert.equal(await code(network, { type: 'echo' }), 12);
  assert.equal(await code(network, { type: 7 }), 12);
  const echo = { deep: [1, { 'ü\u2028\ud800': null }] };
  const { echo: back } = await ask(network, { type: 'echo', echo });
  assert.deepEqual(back, echo);
});

test('ids are unique on all nodes, and when a node starts again', async (t) => {
  const network = new MaelstromNetwork(t, { workload: 'unique-ids', nodes: 2, seed: 1 });
  await network.start();
  const ids: unknown[] = [];
  const collect = async (node: string): Promise<void> => {
    for (let i = 0; i < 50; i++) ids.push((await ask(network, { type: 'generate' }, node))['id']);
  };
  await Promise.all(network.names.map(collect));
  await network.kill('n1');
  await network.start('n1');
  await collect('n1');
  assert.equal(new Set(ids).size, 150);
});

test('a store of one node tells absence, mismatch and malformed requests apart', async (t) => {
  const network = lonelyNode(t, 'lin-kv');
  await ask(network, INIT);
  assert.equal((await askUntil(network, 'n1', { type: 'read', key: 'a' }, 20))['code'], 20);
  assert.equal(await code(network, { type: 'cas', key: 'a', from: 1, to: 2 }), 20);
  assert.equal(await code(network, { type: 'write', key: 'a', value: { x: 1, y: [null] } }), 'write_ok');
  assert.equal(await code(network, { type: 'cas', key: 'a', from: 1, to: 2 }), 22);
  const from = { y: [null], x: 1 };
  assert.equal(await code(network, { type: 'cas', key: 'a', from, to: 2 }), 'cas_ok');
  assert.equal((await ask(network, { type: 'read', key: 'a' }))['value'], 2);
  assert.equal(await code(network, { type: 'read', key: 'A' }), 20);
  assert.equal(await code(network, { type: 'read' }), 12);
  assert.equal(await code(network, { type: 'write', key: 1 }), 12);
  assert.equal(await code(network, { type: 'write', key: 1, value: 'x'.repeat(20_000) }), 12);
  assert.equal(await code(network, { type: 'cas', key: 1, from: 1 }), 12);
});

test('without a folder of its own a node leaves nothing behind', async (t) => {
  const network = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 1, seed: 1 });
  const child = network.launch('n1');
  await ask(network, INIT);
  const folders = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`bluemarble-maelstrom-${child.pid}-`));
  assert.equal(folders().length, 1);
  child.stdin?.end();
  const [exit] = await once(child, 'exit');
  assert.equal(exit, 0);
  assert.deepEqual(folders(), []);
});

test('a node that is cut off says so, and follows when the cut is mended', async (t) => {
  const network = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 3, seed: 3 });
  await network.start();
  await askUntil(network, 'n1', { type: 'write', key: 1, value: 1 }, 'write_ok');
  network.partition(['n1'], ['n2', 'n3']);
  assert.equal(await code(network, { type: 'read', key: 1 }), 11);
  const late = await askUntil(network, 'n1', { type: 'write', key: 1, value: 9 }, 11);
  assert.equal(late['type'], 'error');
  await askUntil(network, 'n2', { type: 'write', key: 2, value: 2 }, 'write_ok');
  network.heal();
  assert.equal((await askUntil(network, 'n1', { type: 'read', key: 2 }, 'read_ok'))['value'], 2);
});

test('five nodes stay linearizable while messages are late, lost and cut off', async (t) => {
  const seed = 11;
  const faults = { delayMsMax: 20, lostPercent: 2 };
  const network = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 5, seed, ...faults });
  await network.start();
  const clients = new MaelstromClients(network, seed);
  const running = clients.run(2);
  const random = new Random(seed).split('cuts');
  for (let cuts = 0; cuts < 4; cuts++) {
    await sleep(300);
    const order = network.names.map((name) => ({ name, at: random.uint32() }));
    const names = order.sort((a, b) => a.at - b.at).map(({ name }) => name);
    const few = random.integer(1, 2);
    network.partition(names.slice(0, few), names.slice(few));
    await sleep(700);
    network.heal();
  }
  clients.stop();
  await running;
  assert.ok(await clients.readAll(TRIES_MAX), 'every node answers again');
  assertLinearizable(clients);
});

test('nodes that are killed and started again have forgotten nothing', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'bm-maelstrom-test-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const words = ['--data', data];
  const network = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 3, seed: 5, words });
  await network.start();
  const clients = new MaelstromClients(network, 5);
  const running = clients.run(2);
  for (const name of network.names) {
    await sleep(300);
    await network.kill(name);
    await sleep(300);
    await network.start(name);
  }
  await network.kill(...network.names);
  await network.start();
  await sleep(300);
  clients.stop();
  await running;
  assert.ok(await clients.readAll(TRIES_MAX), 'every node answers again');
  assertLinearizable(clients);
});

test('the folder of other nodes is refused', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'bm-maelstrom-test-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, 'n1'));
  const words = ['--data', data];
  const one = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 1, seed: 5, words });
  await one.start();
  await one.kill('n1');
  const three = new MaelstromNetwork(t, { workload: 'lin-kv', nodes: 3, seed: 5, words });
  const child = three.launch('n1');
  const told = { ...INIT, msg_id: 1, node_ids: ['n1', 'n2'] };
  three.say('n1', JSON.stringify({ src: 'c1', dest: 'n1', body: told }));
  const [exit] = await once(child, 'exit');
  assert.equal(exit, 2);
});
