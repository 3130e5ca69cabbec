// What nodes write down for a drill, on a real disk.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openTap, readTaps } from '../../src/adapters/node/tap-file.ts';
import { encodeTapped, type Tapped } from '../../src/wire/tap.ts';

function entry(index: number): Tapped {
  return { epoch: 1, index, timeMs: 7, applied: { command: Uint8Array.of(index), reply: Uint8Array.of(9) } };
}

test('entries are read back by node and log, as soon as they are written, without what was cut off', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bm-tap-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'applied');
  assert.deepEqual([...readTaps(folder)], []);
  const [one, two] = [openTap(folder, 'global-1'), openTap(folder, 'eu')];
  one?.('economy', entry(1));
  two?.('eu', entry(5));
  one?.('economy', entry(2));
  const read = (): unknown => [...readTaps(folder)].map((file) => ({ ...file, entries: [...file.entries] }));
  const [eu, economy] = [
    { node: 'eu', log: 'eu', entries: [entry(5)] },
    { node: 'global-1', log: 'economy', entries: [entry(1), entry(2)] },
  ];
  assert.deepEqual(read(), [eu, economy]);
  const [file = ''] = readdirSync(folder).sort();
  appendFileSync(join(folder, file), encodeTapped(entry(6)).subarray(0, 7));
  assert.deepEqual(read(), [eu, economy]);
});

test('a node that is told no folder writes nothing down', () => {
  assert.equal(openTap(undefined, 'eu'), undefined);
});
