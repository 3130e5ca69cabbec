// A minute of random death: nodes are killed, paused and restarted while players trade, then all counted.
//
// The players keep books of every acknowledged outcome; the report compares them with what the groups
// hold afterwards, counts all gold and items, and compares the replicas. CRASH_SEED repeats a schedule.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/base/random.ts';
import type { NodeAction } from '../../src/host/operator.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { isGone } from '../support/processes.ts';
import { allUp, ask, end, folderOf, pidsOf, reportOf, traded, until, up } from '../support/real-world.ts';

const SECONDS = Number(process.env['CRASH_SECONDS'] ?? 60);
const PLAYERS = '40';
const NODES = [1, 2, 3, 4, 5].map((n) => `global-${n}`).concat(['na-east', 'na-west', 'eu', 'asia']);

interface Blow {
  readonly kind: NodeAction;
  readonly nodes: readonly string[];
}

function blow(random: Random): Blow {
  const dice = random.integer(0, 9);
  if (dice === 0) return { kind: 'kill', nodes: ['all'] };
  if (dice <= 2) return { kind: 'kill', nodes: ['leader:economy'] };
  if (dice === 3) return { kind: 'kill', nodes: ['leader:auth', 'leader:guild'] };
  if (dice === 4) return { kind: 'pause', nodes: ['leader:economy'] };
  const kind = dice <= 6 ? 'pause' : 'kill';
  const nodes = [random.pick(NODES), random.pick(NODES)].flatMap((node) => node ?? []);
  return { kind, nodes: [...new Set(nodes)] };
}

test('no acknowledged outcome is lost or doubled, whatever is killed and whenever', async (t) => {
  const seed = process.env['CRASH_SEED'] ?? String(Date.now());
  t.diagnostic(`CRASH_SEED=${seed}`);
  const random = new Random(seed);
  const words = ['--players', PLAYERS, '--json', '--port', String(await freeBasePort())];
  const world = up(t, folderOf(t), ...words);
  let view = await until(world, traded(10));
  const pids = new Set(pidsOf(view));
  const untilMs = performance.now() + SECONDS * 1000;
  while (performance.now() < untilMs) {
    const { kind, nodes } = blow(random);
    t.diagnostic(`${kind} ${nodes.join(' ')}`);
    // A group between two leaders has none to hit: that is no fault of the world's.
    await ask(world, { kind, nodes });
    await sleep(random.integer(50, 2_500));
    view = await until(world, () => true);
    const fallen = view.nodes.filter(({ condition }) => condition !== 'up' && condition !== 'starting');
    if (fallen.length > 0) {
      await ask(world, { kind: 'restart', nodes: fallen.map(({ name }) => name) });
    }
    view = await until(world, allUp);
    for (const pid of pidsOf(view)) pids.add(pid);
    const trades = view.crowd?.trades ?? 0;
    view = await until(world, traded(trades + 5));
  }
  const code = await end(world, 'SIGTERM');
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
  assert.equal(code, 0);
  for (const pid of pids) assert.ok(await isGone(pid), `process ${pid} is left`);
});
