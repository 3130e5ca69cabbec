// The control socket between real processes' ends: asked, refused, left behind, and taken over.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { askControl, type ControlServer, serveControl } from '../../src/adapters/node/control.ts';
import { makeFolder, readJson } from '../../src/adapters/node/process-files.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { openTerminal, type Terminal } from '../../src/adapters/node/terminal.ts';
import { actOnNetwork, actOnNodes, changeMembers } from '../../src/host/ask.ts';
import { takeCheckpoints } from '../../src/host/checkpoint-commands.ts';
import type { Answer } from '../../src/host/operator.ts';

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bm-control-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const echo = (question: unknown): Promise<unknown> => Promise.resolve({ asked: question });

function serve(folder: string, name: string = 'control'): Promise<ControlServer> {
  return serveControl({ folder, name, inUse: 'It is in use.' }, echo);
}

function socketOf(folder: string): string {
  const pointer = readJson(folder, 'control.json');
  assert.ok(pointer.kind === 'json');
  return (pointer.value as { socket: string }).socket;
}

test('a question is answered, and nobody answers once the server is closed', async (t) => {
  const folder = freshFolder(t);
  const server = await serve(folder);
  assert.deepEqual(await askControl(folder, { kind: 'status' }), {
    kind: 'answered',
    answer: { asked: { kind: 'status' } },
  });
  await server.close();
  assert.deepEqual(await askControl(folder, { kind: 'status' }), { kind: 'nobody' });
});

test('a folder that never had a world has nobody to answer', async (t) => {
  assert.deepEqual(await askControl(freshFolder(t), {}), { kind: 'nobody' });
  assert.deepEqual(await askControl('/no/such/folder', {}), { kind: 'nobody' });
});

test('a command ends with 2 where it names what is not there, with 1 where it can not be done', async (t) => {
  let answer: Answer = { kind: 'refused', sentence: 'There is no region "mars".', isUsage: true };
  const folder = freshFolder(t);
  const answering = (): Promise<Answer> => Promise.resolve(answer);
  const server = await serveControl({ folder, name: 'control', inUse: 'It is in use.' }, answering);
  const notes: string[] = [];
  const terminal: Terminal = { ...openTerminal(), note: (text) => notes.push(text) };
  const wish = { folder, isJson: false };
  const codes = async (): Promise<readonly number[]> => [
    await takeCheckpoints({ ...wish, region: 'mars' }, terminal),
    await changeMembers({ kind: 'promote', region: 'mars', node: 'eu', acceptLoss: false }, wish, terminal),
    await actOnNodes('kill', ['primary:mars'], wish, terminal),
    await actOnNetwork({ kind: 'heal' }, wish, terminal),
  ];
  assert.deepEqual(await codes(), [2, 2, 2, 2]);
  assert.deepEqual(notes, Array.from({ length: 4 }, () => 'There is no region "mars".\n'));
  answer = { kind: 'refused', sentence: 'Nobody leads guild.' };
  assert.deepEqual(await codes(), [1, 1, 1, 1]);
  await server.close();
});

test('only the owner can connect', async (t) => {
  const folder = freshFolder(t);
  const server = await serve(folder);
  assert.equal(statSync(socketOf(folder)).mode & 0o777, 0o600);
  await server.close();
});

test('a second server is refused while the first one lives', async (t) => {
  const folder = freshFolder(t);
  const server = await serve(folder);
  await assert.rejects(serve(folder), new StartError('It is in use.'));
  assert.equal((await askControl(folder, {})).kind, 'answered');
  await server.close();
});

test('sockets of different names do not know each other', async (t) => {
  const folder = freshFolder(t);
  const players = await serve(folder, 'players-1');
  assert.deepEqual(await askControl(folder, {}), { kind: 'nobody' });
  const control = await serve(folder);
  await assert.rejects(serve(folder, 'players-1'), StartError);
  await Promise.all([players.close(), control.close()]);
});

test('a socket that a dead server left behind is taken over', async (t) => {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'control.sock'), '');
  writeFileSync(join(folder, 'control.json'), '{"socket":"/gone","pid":1}');
  const server = await serve(folder);
  assert.equal((await askControl(folder, {})).kind, 'answered');
  await server.close();
});

test('a folder whose path is too long for a socket is served all the same', async (t) => {
  const folder = makeFolder(join(freshFolder(t), 'long'.repeat(30)));
  const server = await serve(folder);
  assert.equal((await askControl(folder, {})).kind, 'answered');
  assert.ok(socketOf(folder).length < 104);
  await server.close();
});

test('a link that says nonsense is closed, and others are served on', async (t) => {
  const folder = freshFolder(t);
  const server = await serve(folder);
  for (const nonsense of ['not json\n', 'x'.repeat(2 * 1024 * 1024)]) {
    const link = createConnection(socketOf(folder));
    link.on('error', () => {});
    const closed = new Promise<void>((resolve) => link.once('close', () => resolve()));
    link.write(nonsense);
    link.resume();
    await closed;
  }
  assert.equal((await askControl(folder, {})).kind, 'answered');
  await server.close();
});
