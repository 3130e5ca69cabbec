// The control socket between real processes' ends: asked, refused, left behind, and taken over.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { askControl, serveControl } from '../../src/adapters/node/control.ts';
import { makeFolder, readJson } from '../../src/adapters/node/process-files.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bm-control-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const echo = (question: unknown): Promise<unknown> => Promise.resolve({ asked: question });

function socketOf(folder: string): string {
  const pointer = readJson(folder, 'control.json');
  assert.ok(pointer.kind === 'json');
  return (pointer.value as { socket: string }).socket;
}

test('a question is answered, and nobody answers once the server is closed', async (t) => {
  const folder = freshFolder(t);
  const server = await serveControl(folder, echo);
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

test('only the owner can connect', async (t) => {
  const folder = freshFolder(t);
  const server = await serveControl(folder, echo);
  assert.equal(statSync(socketOf(folder)).mode & 0o777, 0o600);
  await server.close();
});

test('a second server is refused while the first one lives', async (t) => {
  const folder = freshFolder(t);
  const server = await serveControl(folder, echo);
  await assert.rejects(serveControl(folder, echo), StartError);
  assert.equal((await askControl(folder, {})).kind, 'answered');
  await server.close();
});

test('a socket that a dead server left behind is taken over', async (t) => {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'control.sock'), '');
  writeFileSync(join(folder, 'control.json'), '{"socket":"/gone","pid":1}');
  const server = await serveControl(folder, echo);
  assert.equal((await askControl(folder, {})).kind, 'answered');
  await server.close();
});

test('a folder whose path is too long for a socket is served all the same', async (t) => {
  const folder = makeFolder(join(freshFolder(t), 'long'.repeat(30)));
  const server = await serveControl(folder, echo);
  assert.equal((await askControl(folder, {})).kind, 'answered');
  assert.ok(socketOf(folder).length < 104);
  await server.close();
});

test('a link that says nonsense is closed, and others are served on', async (t) => {
  const folder = freshFolder(t);
  const server = await serveControl(folder, echo);
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
