import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { DISK_FAILURE_EXIT, openDisk } from '../../src/adapters/node/disk.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { testDiskContract } from '../support/disk-contract.ts';
import { entryOf, SEGMENT_BYTES } from '../support/journal-entries.ts';

const WRITER: string = join(import.meta.dirname, '../support/journal-writer.ts');
const folders: string[] = [];
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true })));

function newFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bluemarble-disk-'));
  folders.push(folder);
  return folder;
}

testDiskContract('real disk', () => {
  const folder = newFolder();
  return { disk: openDisk(folder), reopen: () => openDisk(folder) };
});

test('what a crash left half published is removed when the disk is opened', () => {
  const folder = newFolder();
  fs.writeFileSync(join(folder, 'a.bin.tmp'), 'half');
  fs.mkdirSync(join(folder, 'not-ours'));
  assert.deepEqual(openDisk(folder).names(), []);
  assert.deepEqual(fs.readdirSync(folder), ['not-ours']);
});

test('a failure is told in one sentence with the file and the cause, and nothing goes on', () => {
  const folder = newFolder();
  fs.mkdirSync(join(folder, 'a.bin'));
  const sentences: string[] = [];
  const disk = openDisk(folder, (sentence) => {
    sentences.push(sentence);
    throw new Error('ended');
  });
  assert.throws(() => disk.publish('a.bin', [Uint8Array.of(1)]), /ended/);
  assert.equal(sentences.length, 1);
  assert.match(sentences[0] ?? '', /^can not publish .*a\.bin \(EISDIR.*\): the node ends/);
});

test('a process whose disk is full says so and exits with the code for it', {
  skip: !fs.existsSync('/dev/full') && 'this machine has no disk that is always full',
}, () => {
  const folder = newFolder();
  fs.symlinkSync('/dev/full', join(folder, 'full.log'));
  const script = `
    import { openDisk } from ${JSON.stringify(import.meta.resolve('../../src/adapters/node/disk.ts'))};
    openDisk(${JSON.stringify(folder)}).open('full.log', 1).write(new Uint8Array(9), 0);
    process.stdout.write('still alive');
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(child.status, DISK_FAILURE_EXIT);
  assert.equal(child.stdout, '');
  assert.match(child.stderr, /^can not write .*full\.log \(ENOSPC.*make room on the disk/);
});

/** Runs the writer until it has called `lines` flushes durable, kills it, and gives the last one. */
async function writeUntilKilled(folder: string, lines: number): Promise<number> {
  const child = spawn(process.execPath, ['--conditions=bm-source', WRITER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > lines) child.kill('SIGKILL');
  });
  await new Promise((closed) => child.once('close', closed));
  assert.equal(child.signalCode, 'SIGKILL', 'the writer ended by the kill only');
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1));
}

test('a process killed in the middle of writing finds everything it called durable', async () => {
  const folder = newFolder();
  for (const [life, lines] of [200, 1, 150].entries()) {
    const durable = await writeUntilKilled(folder, lines);
    const { journal, recovered } = Journal.open(openDisk(folder), { segmentBytes: SEGMENT_BYTES });
    journal.close();
    const group = recovered.get(1) ?? assert.fail('the group is there');
    assert.equal(group.hardState.term, life + 1);
    const first = group.snapshot.index + 1;
    const last = group.entries.at(-1)?.index ?? group.snapshot.index;
    assert.ok(last >= durable, `${last} found, ${durable} durable`);
    const expected = Array.from({ length: last - first + 1 }, (_, i) => entryOf(first + i));
    assert.deepEqual(group.entries, expected);
  }
  const names = fs.readdirSync(folder).filter((name) => name.startsWith('journal-'));
  assert.ok(!names.includes('journal-0000000000000001.log'), 'old segments were removed');
});
