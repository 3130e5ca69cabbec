// Checkpoints of a region with real processes: taken, listed, damaged, gone back to.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '../../src/client/index.ts';
import type { RegionView, WorldView } from '../../src/host/view.ts';
import { newerCheckpoint } from '../support/foreign-files.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, end, folderOf, pidsOf, until, up } from '../support/real-world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** All copies have the entry that opened the region's log. */
const isBegun = ({ copies }: RegionView): boolean => copies.every(({ applied = 0 }) => applied > 0);
const HOLDERS = ['eu', 'asia', 'na-east'];

interface Listed {
  readonly node: string;
  readonly checkpoints: readonly { readonly sequence?: number; readonly condition: string }[];
}

/** All copies of `eu` are healthy, and one of them is its primary. */
function isLevel({ regions }: WorldView): boolean {
  const eu = regions.find(({ region }) => region === 'eu');
  return eu?.isSought === false && eu.copies.every(({ isHealthy }) => isHealthy);
}

function bluemarble(...words: string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [...process.execArgv, MAIN, ...words], { encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

function listed(folder: string): readonly Listed[] {
  return JSON.parse(bluemarble('checkpoints', 'eu', '--json', '--data', folder).out) as Listed[];
}

/** Leaves all as a restore that is cut off before the last copy takes its place; where that copy lies. */
function cutOff(folder: string): string {
  assert.equal(bluemarble('restore', 'eu', '--to', String(endOf(folder)), '--data', folder).code, 0);
  const last = join(folder, 'na-east', 'regions');
  renameSync(join(last, 'eu'), join(last, 'eu.restored'));
  renameSync(join(last, 'eu.aside-2'), join(last, 'eu'));
  const topology = join(folder, 'topology.json');
  const data = join(folder, 'na-east');
  const alone = bluemarble('node', '--topology', topology, '--name', 'na-east', '--data', data);
  assert.equal(alone.code, 2);
  assert.match(alone.err, /A restore of eu was cut off/);
  return last;
}

/** Says so again and again, until it is answered as is wanted. */
async function told(words: readonly string[], wanted: RegExp): Promise<void> {
  let answer = '';
  for (let asked = 0; asked < 50; asked++) {
    const { out, err } = bluemarble(...words);
    answer = out + err;
    if (wanted.test(answer)) return;
    await sleep(200);
  }
  assert.fail(`${words.join(' ')} was never answered with ${String(wanted)}: ${answer}`);
}

/** The entry at which the log of `eu` ends, as a vain restore tells. */
function endOf(folder: string): number {
  const { err } = bluemarble('restore', 'eu', '--to', '99999999', '--data', folder);
  return Number(/ends at entry (\d+)/.exec(err)?.[1]);
}

/** Says it in `eu` until it is done; the place of the log is not told, so checkpoints must tell. */
async function say(client: Client, text: string): Promise<void> {
  const said = await client.call('chat.say', { channel: 'region', text });
  assert.equal(said.kind, 'done', JSON.stringify(said));
}

async function history(client: Client): Promise<readonly string[]> {
  const told = await client.call('chat.history', { channel: 'region' });
  assert.equal(told.kind, 'done', JSON.stringify(told));
  return told.kind === 'done' ? told.value.map(({ text }) => text) : [];
}

/** Has the copies save until all three have done so at the same new place; that place. */
function checkpointed(folder: string, than: number): number {
  for (let asked = 0; asked < 20; asked++) {
    assert.equal(bluemarble('checkpoint', 'eu', '--data', folder).code, 0);
    const newest = listed(folder).map(({ checkpoints }) => checkpoints.at(-1)?.sequence ?? 0);
    if (newest.every((sequence) => sequence > than && sequence === newest[0])) return newest[0] ?? 0;
  }
  return assert.fail('the copies saved no common place');
}

async function player(port: number, name: string): Promise<Client> {
  const client = connect({ urls: [`ws://127.0.0.1:${port + 8}/v1/ws`] });
  assert.equal((await client.register({ name, password: 'long enough' })).kind, 'done');
  return client;
}

test('a region goes back to what it was, all copies alike, and what was there is kept', async (t) => {
  const port = await freeBasePort();
  const folder = folderOf(t);
  const world = up(t, folder, '--port', String(port));
  await until(world, allUp);
  const ada = await player(port, 'ada');
  await say(ada, 'early');
  const early = checkpointed(folder, 0);
  await say(ada, 'late');
  checkpointed(folder, early);
  assert.deepEqual(await history(ada), ['early', 'late']);
  const refused = bluemarble('restore', 'eu', '--to', String(early), '--data', folder);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /runs: stop it first, or add --force, which ends eu, asia, na-east/);
  ada.close();

  const pids = pidsOf(await until(world, allUp));
  for (const place of ['0', '99999999', '2126-01-01']) {
    const vain = bluemarble('restore', 'eu', '--to', place, '--force', '--data', folder);
    assert.equal(vain.code, 1, place);
    assert.match(vain.err, /Nothing of eu is that old|The log of eu ends at entry/);
  }
  assert.deepEqual(pidsOf(await until(world, allUp)), pids, 'nobody was ended in vain');
  const forced = bluemarble('restore', 'eu', '--to', String(early), '--force', '--data', folder);
  assert.equal(forced.code, 0, forced.err);
  await until(world, allUp);
  const bob = await player(port, 'bob');
  assert.deepEqual(await history(bob), ['early']);
  await say(bob, 'again');
  assert.deepEqual(await history(bob), ['early', 'again']);
  bob.close();
  for (const node of HOLDERS) {
    assert.ok(readdirSync(join(folder, node, 'regions')).includes('eu.aside-1'), node);
  }
  assert.equal(await end(world, 'SIGTERM'), 0);

  const last = cutOff(folder);
  const copy = join(folder, 'eu', 'regions', 'eu');
  const file = readdirSync(copy).filter((name) => name.startsWith('checkpoint-')).at(-1) ?? '';
  const bytes = readFileSync(join(copy, file));
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
  writeFileSync(join(copy, file), bytes);
  const damaged = bluemarble('checkpoints', 'eu', '--data', folder);
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /damaged: its checksum is wrong/);
  const second = up(t, folder);
  await until(second, allUp);
  assert.ok(readdirSync(last).includes('eu.aside-2'), 'the restore is finished');
  const cleo = await player(port, 'cleo');
  assert.deepEqual(await history(cleo), ['early', 'again']);
  cleo.close();
  assert.equal(await end(second, 'SIGTERM'), 0);
});

test('a world whose copies a newer version has written does not start, and keeps them', async (t) => {
  const folder = folderOf(t);
  const world = up(t, folder, '--port', String(await freeBasePort()));
  await until(world, allUp);
  const first = checkpointed(folder, 0);
  assert.equal(await end(world, 'SIGTERM'), 0);
  const before = HOLDERS.flatMap((node) => {
    const copy = join(folder, node, 'regions', 'eu');
    const names = readdirSync(copy).filter((name) => name.startsWith('checkpoint-'));
    return names.map((name) => ({ path: join(copy, name), bytes: readFileSync(join(copy, name)) }));
  });
  for (const { path, bytes } of before) writeFileSync(path, newerCheckpoint(bytes));
  const refused = up(t, folder);
  await once(refused.process, 'exit');
  assert.equal(refused.process.exitCode, 2);
  const newest = before.at(-1)?.path ?? '';
  const err = await refused.err;
  assert.match(err, /is whole and not this program's .*format \d+, this program knows/);
  assert.ok(before.some(({ path }) => err.includes(path)), err);
  const vain = bluemarble('restore', 'eu', '--to', '5', '--data', folder);
  assert.equal(vain.code, 1);
  assert.ok(before.some(({ path }) => vain.err.startsWith(path)), vain.err);
  const list = bluemarble('checkpoints', 'eu', '--data', folder);
  assert.equal(list.code, 1);
  assert.match(list.out, /^ {2}foreign: it has format \d+, this program knows \d+ \(\S+, [\d,]+ B\)$/m);
  assert.equal(list.out.split('na-east')[1]?.split(basename(newest)).length, 2, 'a file is named once');
  for (const node of HOLDERS) {
    const beside = readdirSync(join(folder, node, 'regions'));
    assert.ok(!beside.some((name) => name.includes('aside')), beside.join(' '));
  }

  for (const { path, bytes } of before) writeFileSync(path, bytes);
  const again = up(t, folder);
  await until(again, allUp);
  assert.ok(listed(folder).every(({ checkpoints }) => (checkpoints.at(-1)?.sequence ?? 0) >= first));
  assert.equal(await end(again, 'SIGTERM'), 0);
});

test('a region without any copy waits for one, or for an operator who takes the loss', async (t) => {
  const port = await freeBasePort();
  const folder = folderOf(t);
  const world = up(t, folder, '--port', String(port));
  await until(world, allUp);
  const ada = await player(port, 'ada');
  await say(ada, 'kept');
  ada.close();
  await until(world, isLevel);
  assert.equal(await end(world, 'SIGTERM'), 0);
  const moved = (from: string, to: string): void => {
    for (const node of HOLDERS) {
      const regions = join(folder, node, 'regions');
      renameSync(join(regions, from), join(regions, to));
    }
  };

  moved('eu', 'eu.away');
  const without = up(t, folder);
  await until(without, allUp);
  await told(['promote', 'eu', 'asia', '--data', folder], /all of eu is lost.*add --accept-loss/);
  assert.equal(await end(without, 'SIGTERM'), 0);

  moved('eu', 'eu.empty');
  moved('eu.away', 'eu');
  const back = up(t, folder);
  await until(back, isLevel);
  const bob = await player(port, 'bob');
  assert.deepEqual(await history(bob), ['kept']);
  bob.close();
  assert.equal(await end(back, 'SIGTERM'), 0);

  moved('eu', 'eu.away');
  const lost = up(t, folder);
  await until(lost, allUp);
  await told(['promote', 'eu', 'asia', '--accept-loss', '--data', folder], /asia is primary of eu/);
  await until(lost, isLevel);
  const cleo = await player(port, 'cleo');
  assert.deepEqual(await history(cleo), []);
  cleo.close();
  assert.equal(await end(lost, 'SIGTERM'), 0);
});

test('a region that is not there, a place that is too old and a time that is none are refused', async (t) => {
  const folder = folderOf(t);
  const none = bluemarble('restore', 'eu', '--to', '1', '--data', folder);
  assert.equal(none.code, 2);
  assert.match(none.err, /There is no world in/);
  const wrong = bluemarble('restore', 'eu', '--to', 'yesterday', '--data', folder);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /a place such as 1234 or a time such as/);
  const world = up(t, folder, '--port', String(await freeBasePort()));
  // A world that is ended before its regions have primaries has nothing that could be too old.
  await until(world, (view) => allUp(view) && view.regions.every(isBegun));
  assert.equal(await end(world, 'SIGTERM'), 0);
  const nowhere = bluemarble('restore', 'nowhere', '--to', '1', '--data', folder);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.err, /There is no region "nowhere"/);
  const old = bluemarble('restore', 'eu', '--to', '0', '--data', folder);
  assert.equal(old.code, 1);
  assert.match(old.err, /Nothing of eu is that old/);
});
