import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openFolder } from '../../src/adapters/node/disk.ts';
import { endsIn } from '../../src/chaos/gone-disks.ts';
import type { Entry } from '../../src/protocols/raft/messages.ts';
import { COPIES_FOLDER } from '../../src/runtime/copy-journal.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { topology } from '../support/world-views.ts';

test('where the log of a copy ends is read out of its folder, and nothing out of an empty one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-gone-'));
  try {
    const disk = openFolder(join(folder, COPIES_FOLDER, 'eu'));
    const { journal } = Journal.open(disk, { segmentBytes: 64 * 1024 });
    const entry = (index: number, term: number): Entry => {
      return { index, term, kind: 'command', timeMs: 1, data: Uint8Array.of(index) };
    };
    const entries = [entry(1, 1), entry(2, 1), entry(3, 2)];
    const { number = 0 } = topology.regions.find(({ name }) => name === 'eu') ?? {};
    journal.stage(number, { hardState: { term: 2, votedFor: undefined }, entries });
    await new Promise<void>((durable) => journal.flush(durable));
    journal.close();
    const gone = [folder, join(folder, 'nobody')];
    assert.deepEqual(endsIn(gone, topology), [{ region: 'eu', end: { epoch: 2, sequence: 3 } }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
