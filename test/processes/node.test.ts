// One node as a process of its own: how it refuses to start, and how it ends.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';
import { freeBasePort } from '../support/free-base-port.ts';

const MAIN: string = join(import.meta.dirname, '../../src/cli/main.ts');
const ANSWER_MS_MAX = 20_000;

interface Setting {
  readonly folder: string;
  readonly topology: Topology;
}

/** A world of nine nodes of which the test starts one. */
async function prepare(
  t: TestContext,
  change: (seed: Topology) => unknown = (seed) => seed,
): Promise<Setting> {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-node-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const topology = seedTopology({ world: 'alone', basePort: await freeBasePort() });
  writeFileSync(join(folder, 'topology.json'), JSON.stringify(change(topology)));
  return { folder, topology };
}

function start(t: TestContext, { folder }: Setting, name: string = 'global-1'): ChildProcess {
  const words = ['--topology', join(folder, 'topology.json'), '--name', name];
  const args = [...process.execArgv, MAIN, 'node', ...words, '--data', join(folder, name)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** How a node that can not start says so: on its standard error, to its parent, by its code. */
async function refusal(child: ChildProcess): Promise<string> {
  let words = '';
  let told: unknown;
  child.stderr?.on('data', (chunk) => (words += String(chunk)));
  child.on('message', (message) => (told = message));
  const [code] = await once(child, 'close');
  assert.equal(code, 2, words);
  assert.deepEqual(told, { kind: 'failed', sentence: words.trim() });
  return words;
}

/** Waits until the node answers at all; the code of `path`. */
async function answer({ topology }: Setting, path: string): Promise<number> {
  const url = `http://127.0.0.1:${topology.nodes[0]?.httpPort}${path}`;
  for (let waitedMs = 0; waitedMs < ANSWER_MS_MAX; waitedMs += 50) {
    try {
      return (await fetch(url)).status;
    } catch {
      await sleep(50);
    }
  }
  return 0;
}

test('a topology that is not there is named', async (t) => {
  const setting = await prepare(t);
  rmSync(join(setting.folder, 'topology.json'));
  assert.match(await refusal(start(t, setting)), /no topology file .*topology\.json/);
});

test('a topology with two replicas for a group is refused with what to change', async (t) => {
  const setting = await prepare(t, (seed) => ({
    ...seed,
    groups: seed.groups.map((group) => ({ ...group, members: group.members.slice(0, 2) })),
  }));
  const sentence = await refusal(start(t, setting));
  assert.match(sentence, /Group auth has 2 replicas.*add members on other nodes/);
});

test('a node that the topology does not have is refused with those it has', async (t) => {
  const sentence = await refusal(start(t, await prepare(t), 'global-9'));
  assert.match(sentence, /no node "global-9": name one of global-1, /);
});

test('a port that is in use is named', async (t) => {
  const setting = await prepare(t);
  const port = setting.topology.nodes[0]?.httpPort;
  const server = createServer().listen(port, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  assert.match(await refusal(start(t, setting)), new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use`));
});

test('a folder that another node uses, or used, is refused', async (t) => {
  const setting = await prepare(t);
  const first = start(t, setting);
  assert.equal(await answer(setting, '/healthz'), 200);
  assert.match(await refusal(start(t, setting)), /is in use/);
  first.kill('SIGKILL');
  await once(first, 'close');
  const marker = join(setting.folder, 'global-1', 'node.json');
  const found: unknown = JSON.parse(readFileSync(marker, 'utf8'));
  writeFileSync(marker, JSON.stringify({ ...(found as object), node: 2 }));
  assert.match(await refusal(start(t, setting)), /global-1/);
});

test('a journal that lost what was durable stops the start', async (t) => {
  const setting = await prepare(t);
  const folder = join(setting.folder, 'global-1');
  mkdirSync(folder);
  const marker = { format: 1, world: 'alone', node: 1 };
  writeFileSync(join(folder, 'node.json'), JSON.stringify(marker));
  writeFileSync(join(folder, 'journal-0000000000000007.log'), new Uint8Array(4096).fill(255));
  assert.match(await refusal(start(t, setting)), /is damaged .*docs\/operating\.md/);
});

test('a node without the others lives, is not ready, and ends in order when told to', async (t) => {
  const setting = await prepare(t);
  const child = start(t, setting);
  assert.equal(await answer(setting, '/healthz'), 200);
  assert.equal(await answer(setting, '/readyz'), 503);
  assert.equal(await answer(setting, '/v1/status'), 200);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

test('a node whose starter is gone ends by itself', async (t) => {
  const setting = await prepare(t);
  const child = start(t, setting);
  assert.equal(await answer(setting, '/healthz'), 200);
  child.disconnect();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
