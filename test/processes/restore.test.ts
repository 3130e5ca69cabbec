// Checkpoints of a region with real processes: taken, listed, damaged, gone back to.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '../../src/client/index.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, end, folderOf, until, up } from '../support/real-world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const HOLDERS = ['eu', 'asia', 'na-east'];

interface Listed {
  readonly node: string;
  readonly checkpoints: readonly { readonly sequence?: number; readonly condition: string }[];
}

function bluemarble(...words: string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [...process.execArgv, MAIN, ...words], { encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

function listed(folder: string): readonly Listed[] {
  return JSON.parse(bluemarble('checkpoints', 'eu', '--json', '--data', folder).out) as Listed[];
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

/** Waits until all three copies have a whole checkpoint of the same new place; that place. */
async function checkpointed(folder: string, than: number): Promise<number> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 200) {
    assert.equal(bluemarble('checkpoint', 'eu', '--data', folder).code, 0);
    await sleep(200);
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
  const early = await checkpointed(folder, 0);
  await say(ada, 'late');
  await checkpointed(folder, early);
  assert.deepEqual(await history(ada), ['early', 'late']);
  const refused = bluemarble('restore', 'eu', '--to', String(early), '--data', folder);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /runs: stop it first, or add --force, which ends eu, asia, na-east/);
  ada.close();

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
  const cleo = await player(port, 'cleo');
  assert.deepEqual(await history(cleo), ['early', 'again']);
  cleo.close();
  assert.equal(await end(second, 'SIGTERM'), 0);
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
  await until(world, allUp);
  assert.equal(await end(world, 'SIGTERM'), 0);
  const nowhere = bluemarble('restore', 'nowhere', '--to', '1', '--data', folder);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.err, /There is no region "nowhere"/);
  const old = bluemarble('restore', 'eu', '--to', '0', '--data', folder);
  assert.equal(old.code, 1);
  assert.match(old.err, /Nothing of eu is that old|There is no whole checkpoint of eu/);
});
