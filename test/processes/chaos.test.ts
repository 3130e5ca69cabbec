// Drills on real processes: one that must end well, and a world that is cut in two by its operator.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemEntropy } from '../../src/adapters/node/entropy.ts';
import { type Client, connect } from '../../src/client/index.ts';
import { HEALTHY } from '../../src/host/network.ts';
import type { WorldView } from '../../src/host/view.ts';
import { openWorld, publishWorld } from '../../src/host/world-folder.ts';
import type { Traces } from '../../src/chaos/run.ts';
import type { Verdict } from '../../src/chaos/verdict.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, until, up } from '../support/real-world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PURSES = fileURLToPath(new URL('../chaos/worlds/purses.ts', import.meta.url));
const FORGETFUL = fileURLToPath(new URL('../chaos/worlds/forgetful-purse.ts', import.meta.url));

function leaderOf(view: WorldView): string | undefined {
  return view.groups.find(({ group }) => group === 'economy')?.leader;
}

/** A player who knows one gateway only, and gives up soon. */
async function playerAt(t: TestContext, basePort: number, region: string): Promise<Client> {
  const { nodes } = seedTopology({ world: 'any', basePort });
  const plan = nodes.find(({ name }) => name === region);
  const url = `ws://${plan?.host}:${plan?.httpPort}/v1/ws`;
  const client = connect({ urls: [url], deadlineMs: 2_500, unavailableMs: 300 });
  t.after(() => client.close());
  const account = { name: `player-at-${region}`, password: 'password of a test' };
  assert.equal((await client.register(account)).kind, 'done');
  assert.equal((await client.call('holdings.open', null)).kind, 'done');
  return client;
}

async function goldOf(client: Client): Promise<number> {
  for (;;) {
    const outcome = await client.call('holdings.mine', null);
    if (outcome.kind === 'done') return outcome.value.gold;
  }
}

/** Gives one gold, until it is acknowledged. */
async function give(client: Client, to: number): Promise<void> {
  for (;;) {
    const outcome = await client.call('trade.give', { to, gold: 1, items: [] });
    if (outcome.kind === 'done') return;
  }
}

test('a minority is never told done, its late writes are refused, and healed it follows', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--json', '--port', String(basePort));
  const view = await until(world, (now) => allUp(now) && leaderOf(now) !== undefined);
  const cutOff = await playerAt(t, basePort, 'eu');
  const free = await playerAt(t, basePort, 'asia');
  const old = leaderOf(view);
  const sides = `${old},follower:economy,eu / rest`;
  const fault = { ...HEALTHY, cut: 'silent' } as const;
  const cut = await ask(world, { kind: 'partition', sides, fault });
  assert.equal(cut?.kind, 'network');
  // The old leader takes these into its log at best, and can commit none of them.
  const gifts = Array.from({ length: 10 }, () =>
    cutOff.call('trade.give', { to: free.player, gold: 5, items: [] }),
  );
  await until(world, (now) => leaderOf(now) !== old && leaderOf(now) !== undefined);
  for (let count = 0; count < 5; count++) await give(free, cutOff.player);
  for (const { kind } of await Promise.all(gifts)) {
    assert.ok(kind === 'unavailable' || kind === 'uncertain', kind);
  }
  const shown = await ask(world, { kind: 'status' });
  assert.equal(shown?.kind === 'status' && shown.view.linkFaults.length, 1);
  // A node that starts during the partition is on its side of it again.
  assert.equal((await ask(world, { kind: 'restart', nodes: ['eu'] }))?.kind, 'acted');
  const read = await cutOff.call('holdings.mine', null);
  assert.notEqual(read.kind, 'done');
  assert.equal((await ask(world, { kind: 'heal' }))?.kind, 'network');
  const healed = await until(world, ({ groups, linkFaults }) => {
    const lags = groups.flatMap(({ members }) => members.map(({ lag }) => lag));
    return linkFaults.length === 0 && lags.every((lag) => lag === 0);
  });
  assert.ok(leaderOf(healed) !== undefined);
  // Whatever the minority was asked never happened: all of it was in an old term, and nobody asks it anew.
  const [theirs, ours] = [await goldOf(cutOff), await goldOf(free)];
  assert.equal(theirs - ours, 10);
  assert.equal(await end(world, 'SIGTERM'), 0);
});

test('a drill that could show nothing is refused before the world starts, and leaves nothing', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bm-drill-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const file = join(parent, 'file');
  writeFileSync(file, 'no folder');
  const past = join(parent, 'past');
  publishWorld(openWorld({ folder: past, basePort: undefined, entropy: systemEntropy }));
  for (const [words, sentence] of [
    [['--for', '1s', '--seed', '3', '--clients', '4'], /No fault has room in 1s/],
    [['--for', '2s', '--data', file], /file/],
    [['--for', '2s', '--out', join(file, 'out')], /choose another folder with --out/],
    [['--for', '1s', '--each', '--nemesis', 'kill,stop'], /kill: No fault has room[^]*stop: No fault/],
    [['--for', '2s', '--world', PURSES, '--data', past], /has a past.* choose another folder with --data/],
    [['--for', '2s', '--world', file], /file can not be loaded/],
  ] as const) {
    const drill = spawnSync(process.execPath, [...process.execArgv, MAIN, 'chaos', ...words], {
      encoding: 'utf8',
      cwd: parent,
      env: { ...process.env, TMPDIR: parent },
    });
    assert.equal(drill.status, 2, drill.stderr);
    assert.match(drill.stderr, sentence);
    assert.deepEqual(readdirSync(parent), ['file', 'past']);
  }
});

test('a long drill shows the first of its schedule, and stopped it tells what was drilled', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bm-drill-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const out = join(parent, 'out');
  const port = String(await freeBasePort());
  const words = ['--for', '2h', '--seed', '3', '--clients', '4', '--out', out, '--port', port];
  const drill = spawn(process.execPath, [...process.execArgv, MAIN, 'chaos', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: parent },
  });
  t.after(() => drill.kill('SIGKILL'));
  let said = '';
  drill.stdout.setEncoding('utf8').on('data', (more: string) => {
    // Once players are in the world and faults may come.
    if (!/\d+ operations/.test(said) && /\d+ operations/.test(said + more)) drill.kill('SIGINT');
    said += more;
  });
  const told = text(drill.stderr);
  await once(drill, 'exit');
  assert.equal(drill.exitCode, 130, `${said}${await told}`);
  assert.match(said, /stopped: .* of 2 h 00 min were drilled/);
  assert.match(said, new RegExp(`again: npm run .* --port ${port} --out ${out}\n`));
  const hidden = Number(/ and ([\d,]+) more: /.exec(said)?.[1]?.replaceAll(',', ''));
  const all = readFileSync(join(out, 'seed-3-schedule.txt'), 'utf8').trimEnd().split('\n');
  assert.equal(all.length - hidden, 100);
  assert.ok(said.includes(`${all[99]}\n`) && !said.includes(`${all[100]}\n`));
});

test('a drill strikes, heals, judges a studio’s features too, and leaves only what it names', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bm-drill-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const out = join(parent, 'out');
  const words = ['--for', '6s', '--seed', '3', '--clients', '6', '--out', out, '--json'];
  const nemeses = ['--nemesis', 'kill,isolate,one-way,torn-write', '--world', PURSES];
  const drill = spawn(process.execPath, [...process.execArgv, MAIN, 'chaos', ...words, ...nemeses], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: parent },
  });
  t.after(() => drill.kill('SIGKILL'));
  const [said, told] = [text(drill.stdout), text(drill.stderr)];
  await once(drill, 'exit');
  assert.equal(drill.exitCode, 0, await told);
  const verdict = JSON.parse((await said).trimEnd().split('\n').at(-1) ?? '') as Verdict & Traces;
  assert.equal(verdict.verdict, 'ok');
  assert.ok(verdict.struck.length > 0);
  const asked = verdict.checks.find(({ name }) => name === 'your features were asked');
  assert.match(asked?.sentences.join() ?? '', /purse [1-9]\d* decided calls,jar [1-9]\d* decided calls/);
  const judged = verdict.files.map((path) => {
    const verify = [...process.execArgv, MAIN, 'verify', path];
    const { status, stdout } = spawnSync(process.execPath, verify, { encoding: 'utf8' });
    assert.equal(status, 0, `${path}: ${stdout}`);
    return stdout;
  });
  assert.match(judged.join(), /model regional: [1-9]\d+ operations of 9 processes/);
  assert.match(judged.join(), /held +each answer is the one that the log has .*\n +[1-9]\d+ answers/);
  assert.ok(verdict.files.every((path) => existsSync(path)));
  assert.match(readFileSync(verdict.picture, 'utf8'), /<\/svg>/);
  assert.deepEqual(readdirSync(parent), ['out']);
});

test('what a studio’s feature forgets when it is saved is broken, named by its place', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bm-drill-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const words = ['--for', '3s', '--seed', '3', '--clients', '2', '--out', join(parent, 'out')];
  const drill = spawn(
    process.execPath,
    [...process.execArgv, MAIN, 'chaos', ...words, '--nemesis', 'kill', '--world', FORGETFUL],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: parent } },
  );
  t.after(() => drill.kill('SIGKILL'));
  const [said, told] = [text(drill.stdout), text(drill.stderr)];
  await once(drill, 'exit');
  assert.equal(drill.exitCode, 1, `${await said}${await told}`);
  assert.match(await said, /BROKEN +your features forget nothing when they are saved and loaded\n/);
  assert.match(await said, /economy at \d+: purse\.add \{"amount":\d\} of player \d+ -> \{.*\}; /);
  assert.match(await said, /saved after \d+ it is \{"sum":\d+,"adds":1\}\n/);
  assert.match(await said, /VIOLATED: what was promised was not kept/);
});
