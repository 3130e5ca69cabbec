import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { claimDataFolder } from '../../src/adapters/node/data-folder.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';

const root: string = fs.mkdtempSync(join(tmpdir(), 'bluemarble-folder-'));
after(() => fs.rmSync(root, { recursive: true }));
let folders = 0;

function newFolder(): string {
  return join(root, String(++folders), 'data');
}

function claim(folder: string, world = 'earth', node: NodeId = nodeId(3)): { release(): void } {
  return claimDataFolder({ folder, world, node });
}

function refused(attempt: () => unknown, sentence: RegExp): void {
  assert.throws(attempt, (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, sentence);
    assert.match(error.message, /^[^\n]+\.$/, 'one sentence');
    return true;
  });
}

/** Another process that holds the folder until it is killed. */
async function holder(folder: string): Promise<{ pid: number; kill(): Promise<void> }> {
  const module = import.meta.resolve('../../src/adapters/node/data-folder.ts');
  const script = `
    import { claimDataFolder } from ${JSON.stringify(module)};
    claimDataFolder({ folder: ${JSON.stringify(folder)}, world: 'earth', node: 3 });
    process.stdout.write('held');
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(
    process.execPath,
    ['--conditions=bm-source', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise((held) => child.stdout.once('data', held));
  return {
    pid: child.pid ?? 0,
    kill: () => {
      child.kill('SIGKILL');
      return closed;
    },
  };
}

test('a new folder is made, claimed, released and claimed again by the same node', () => {
  const folder = newFolder();
  claim(folder).release();
  claim(folder).release();
  assert.deepEqual(fs.readdirSync(folder), ['node.json']);
});

test('a folder in use by a living process is refused with its number, in one process too', () => {
  const folder = newFolder();
  const { release } = claim(folder);
  refused(() => claim(folder), new RegExp(`in use by process ${process.pid}: stop`));
  release();
  claim(folder).release();
});

test('the lock of a killed process is taken over', async () => {
  const folder = newFolder();
  const { pid, kill } = await holder(folder);
  refused(() => claim(folder), new RegExp(`in use by process ${pid}`));
  assert.equal(fs.readdirSync(folder).filter((name) => name.startsWith('lock-')).length, 1);
  await kill();
  claim(folder).release();
  assert.deepEqual(fs.readdirSync(folder), ['node.json']);
});

test('a process that only has the number of a dead owner does not hold the folder', () => {
  const folder = newFolder();
  claim(folder).release();
  fs.writeFileSync(join(folder, `lock-${process.ppid}-0000000012345`), '');
  claim(folder).release();
});

test('a folder with other things in it is refused', () => {
  const folder = newFolder();
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, 'thesis.txt'), 'mine');
  refused(() => claim(folder), /holds thesis\.txt and is not a BlueMarble node's: choose/);
  assert.deepEqual(fs.readdirSync(folder), ['thesis.txt'], 'nothing was left there');
});

test('a folder of another world, another node or a newer version is refused', () => {
  const folder = newFolder();
  claim(folder).release();
  refused(() => claim(folder, 'mars'), /to node 3 of the world "earth", not to node 3 of "mars"/);
  refused(() => claim(folder, 'earth', nodeId(4)), /not to node 4 of "earth": choose/);
  const marker = join(folder, 'node.json');
  fs.writeFileSync(marker, '{"format":2,"world":"earth","node":3}');
  refused(() => claim(folder), /newer BlueMarble \(format 2, this one knows 1\): start the newer/);
  for (const broken of ['', '{"for', 'null', '7', '[]', '{}']) {
    fs.writeFileSync(marker, broken);
    refused(() => claim(folder), /marker .*node\.json can not be read: restore/);
  }
  assert.deepEqual(fs.readdirSync(folder), ['node.json'], 'no lock was left');
});

test('a folder that can not be made or written is refused with the cause', () => {
  const file = join(root, 'file');
  fs.writeFileSync(file, '');
  refused(() => claim(file), /can not be used \(E\w+.*\): let this user write there/);
  refused(() => claim(join(file, 'data')), /can not be used \(ENOTDIR/);
});
