// A whole world of real processes: started, traded in, killed at, stopped, started again.
//
// Slow by nature, so it is few tests with much in each. They wait for what must come, never for a time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import type { WorldView } from '../../src/host/view.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { isGone } from '../support/processes.ts';
import { allUp, ask, end, folderOf, pidsOf, reportOf, traded, until, up } from '../support/real-world.ts';

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
  const report = await reportOf(world);
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

test('a node that ends by itself breaks the report, one that somebody killed only comes back', async (t) => {
  const world = up(t, folderOf(t), '--json', '--port', String(await freeBasePort()));
  const before = await until(world, allUp);
  const [first = 0, second = 0] = pidsOf(before);
  process.kill(first, 'SIGABRT');
  process.kill(second, 'SIGKILL');
  const isBack = (view: WorldView): boolean => {
    return allUp(view) && !pidsOf(view).includes(first) && !pidsOf(view).includes(second);
  };
  await until(world, isBack);
  assert.equal(await end(world, 'SIGTERM'), 1);
  const broken = (await reportOf(world)).invariants.filter(({ held }) => !held);
  assert.deepEqual(broken.map(({ name }) => name), ['no node ended by itself']);
  assert.equal(broken[0]?.detail, 'global-1 ended once, global-2 was killed from outside once');
});
