// A whole world of real processes: started, traded in, killed at, stopped, started again.
//
// Slow by nature, so it is few tests with much in each. They wait for what must come, never for a time.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askControl } from '../../src/adapters/node/control.ts';
import type { Answer, Question } from '../../src/host/operator.ts';
import type { Report } from '../../src/host/report.ts';
import type { WorldView } from '../../src/host/view.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { isGone } from '../support/processes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const WAIT_MS_MAX = 90_000;

interface Up {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly folder: string;
  /** Everything on standard output, once it ended. */
  readonly out: Promise<string>;
  readonly err: Promise<string>;
}

function folderOf(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'bm-up-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, 'world');
}

function up(t: TestContext, folder: string, ...words: string[]): Up {
  const child = spawn(
    process.execPath,
    [...process.execArgv, MAIN, 'up', '--data', folder, ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  return { process: child, folder, out: text(child.stdout), err: text(child.stderr) };
}

async function ask({ folder }: Up, question: Question): Promise<Answer | undefined> {
  const reply = await askControl(folder, question);
  return reply.kind === 'answered' ? (reply.answer as Answer) : undefined;
}

/** Looks at the world until it is as wanted. */
async function until(world: Up, wanted: (view: WorldView) => boolean): Promise<WorldView> {
  for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += 200) {
    const answer = await ask(world, { kind: 'status' });
    if (answer?.kind === 'status' && wanted(answer.view)) return answer.view;
    if (world.process.exitCode !== null) assert.fail(`it ended: ${await world.err}`);
    await sleep(200);
  }
  return assert.fail('the world did not become what was waited for');
}

async function end(world: Up, signal: NodeJS.Signals): Promise<number | null> {
  world.process.kill(signal);
  await once(world.process, 'exit');
  return world.process.exitCode;
}

const pidsOf = (view: WorldView): readonly number[] => view.nodes.flatMap(({ pid }) => pid ?? []);
const allUp = (view: WorldView): boolean => view.nodes.every(({ condition }) => condition === 'up');
const traded = (than: number) => (view: WorldView) => (view.crowd?.trades ?? 0) > than;

test('players trade through kills of leaders and followers, and every promise is kept', async (t) => {
  const port = String(await freeBasePort());
  const world = up(t, folderOf(t), '--players', '8', '--json', '--port', port);
  const started = await until(world, traded(3));
  assert.equal((await ask(world, { kind: 'kill', nodes: ['leader:economy'] }))?.kind, 'acted');
  await until(world, traded((started.crowd?.trades ?? 0) + 3));
  const paused = await ask(world, { kind: 'pause', nodes: ['follower:economy'] });
  assert.equal(paused?.kind, 'acted');
  await ask(world, { kind: 'restart', nodes: ['all'] });
  const again = await until(world, allUp);
  await until(world, traded((again.crowd?.trades ?? 0) + 3));
  const second = up(t, world.folder);
  assert.equal((await once(second.process, 'exit'))[0], 2);
  assert.match(await second.err, /A world already runs in .*--data/);
  const code = await end(world, 'SIGTERM');
  const report: Report = JSON.parse((await world.out).trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
  assert.equal(report.ok, true);
  assert.equal(code, 0);
  assert.ok(report.trades > 6);
  assert.deepEqual(report.gold?.counted, report.gold?.expected);
  for (const pid of [...pidsOf(started), ...pidsOf(again)]) assert.ok(await isGone(pid));
});

test('a killed supervisor leaves no process behind, and its folder starts again', async (t) => {
  const port = String(await freeBasePort());
  const first = up(t, folderOf(t), '--port', port);
  const view = await until(first, allUp);
  const paused = await ask(first, { kind: 'pause', nodes: ['eu', 'global-3'] });
  assert.equal(paused?.kind, 'acted');
  await end(first, 'SIGKILL');
  for (const pid of pidsOf(view)) assert.ok(await isGone(pid), `process ${pid} is left`);
  const second = up(t, first.folder);
  const again = await until(second, allUp);
  assert.equal(again.world, view.world);
  assert.equal(await end(second, 'SIGINT'), 0);
  for (const pid of pidsOf(again)) assert.ok(await isGone(pid));
  const left = readdirSync(first.folder).filter((name) => /^control|^processes/.test(name));
  assert.deepEqual(left, []);
});

test('a node that ends by itself comes back, and the report says so', async (t) => {
  const world = up(t, folderOf(t), '--json', '--port', String(await freeBasePort()));
  const before = await until(world, allUp);
  const pid = before.nodes[0]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(world, (view) => allUp(view) && view.nodes[0]?.pid !== pid);
  assert.equal(await end(world, 'SIGTERM'), 1);
  const report: Report = JSON.parse((await world.out).trimEnd().split('\n').at(-1) ?? '');
  const broken = report.invariants.filter(({ held }) => !held);
  assert.deepEqual(broken.map(({ name }) => name), ['no node ended by itself']);
});
