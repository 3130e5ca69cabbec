// Password hashes, signatures, the world's key and the log file, against real crypto and a real disk.
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { openLogger } from '../../src/adapters/node/log.ts';
import { openSecrets } from '../../src/adapters/node/secrets.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { loadOrCreateWorldKey } from '../../src/adapters/node/world-key.ts';
import { BusyError } from '../../src/base/errors.ts';

const key: Uint8Array = new Uint8Array(32).fill(7);
const secrets = openSecrets(key);

test('a password fits its own hash and no other does', async () => {
  const hash = await secrets.hashPassword('correct horse');
  assert.equal(await secrets.verifyPassword('correct horse', hash), true);
  assert.equal(await secrets.verifyPassword('correct horsf', hash), false);
});

test('two hashes of one password differ, and other keys can verify them', async () => {
  const first = await secrets.hashPassword('correct horse');
  const second = await secrets.hashPassword('correct horse');
  assert.notDeepEqual(first, second);
  const others = openSecrets(new Uint8Array(32));
  assert.equal(await others.verifyPassword('correct horse', first), true);
});

test('a password is the same however a device composes its accents', async () => {
  const hash = await secrets.hashPassword('caf\u00e9 caf\u00e9');
  assert.equal(await secrets.verifyPassword('cafe\u0301 cafe\u0301', hash), true);
});

test('bytes that are no hash of ours fit no password', async () => {
  const hash = await secrets.hashPassword('correct horse');
  const otherFormat = Uint8Array.from(hash);
  otherFormat[0] = 2;
  const greedy = Uint8Array.from(hash);
  new DataView(greedy.buffer).setUint32(1, 0xffff_ffff, true);
  const free = Uint8Array.from(hash);
  new DataView(free.buffer).setUint32(5, 0, true);
  for (const bytes of [new Uint8Array(0), hash.subarray(1), otherFormat, greedy, free]) {
    assert.equal(await secrets.verifyPassword('correct horse', bytes), false);
  }
});

test('too many passwords at once are turned away as busy, and the others are served', async () => {
  const busySecrets = openSecrets(key);
  const cheap = await busySecrets.hashPassword('x');
  new DataView(cheap.buffer, cheap.byteOffset).setUint32(1, 8, true);
  const checks = Array.from({ length: 200 }, () => busySecrets.verifyPassword('x', cheap));
  const ends = await Promise.allSettled(checks);
  const refused = ends.filter((end) => end.status === 'rejected');
  assert.equal(refused.length, 200 - 2 - 128);
  for (const end of refused) assert.ok(end.reason instanceof BusyError);
  assert.equal(await busySecrets.verifyPassword('x', cheap), false);
});

test('a signature holds for its bytes and its key only', () => {
  const bytes = new TextEncoder().encode('player 7 until noon');
  const tag = secrets.sign(bytes);
  assert.equal(secrets.verify(bytes, tag), true);
  assert.equal(secrets.verify(bytes.subarray(1), tag), false);
  assert.equal(secrets.verify(bytes, tag.subarray(1)), false);
  assert.equal(secrets.verify(bytes, new Uint8Array(tag.length)), false);
  assert.equal(openSecrets(new Uint8Array(32)).verify(bytes, tag), false);
});

test('the world key is made once, for its owner only, and is then always the same', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'world.key');
  const made = loadOrCreateWorldKey(file);
  assert.equal(made.length, 32);
  assert.deepEqual(loadOrCreateWorldKey(file), made);
  assert.deepEqual(readdirSync(folder), ['world.key']);
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a world key of another size stops the start', (t) => {
  const file = join(temporaryFolder(t), 'world.key');
  writeFileSync(file, new Uint8Array(31), { mode: 0o600 });
  assert.throws(() => loadOrCreateWorldKey(file), StartError);
  assert.equal(readFileSync(file).length, 31);
});

const windows = process.platform === 'win32';
test('a world key that others can read stops the start', { skip: windows }, (t) => {
  const file = join(temporaryFolder(t), 'world.key');
  loadOrCreateWorldKey(file);
  chmodSync(file, 0o644);
  assert.throws(() => loadOrCreateWorldKey(file), /chmod 600/);
});

test('a world key in a folder that is not there stops the start', (t) => {
  const file = join(temporaryFolder(t), 'absent', 'world.key');
  assert.throws(() => loadOrCreateWorldKey(file), StartError);
});

test('a log line is JSON with its facts apart, and long texts in it are cut', async (t) => {
  const file = join(temporaryFolder(t), 'log.jsonl');
  const logger = openLogger({ file, name: 'global-1' });
  logger.log('debug', 'too-fine');
  logger.log('warn', 'odd', { name: 'x'.repeat(10_000), list: [1], cause: new Error('broken') });
  await logger.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '');
  assert.equal(line.level, 'warn');
  assert.equal(line.name, 'global-1');
  assert.equal(line.event, 'odd');
  assert.equal(line.facts.name.length, 2_003);
  assert.deepEqual(line.facts.list, [1]);
  assert.match(line.facts.cause.stack, /broken/);
});

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
