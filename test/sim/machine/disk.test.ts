import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../../src/base/random.ts';
import { testDiskContract } from '../../support/disk-contract.ts';
import { VirtualDisk } from '../../../src/sim/machine/disk.ts';

testDiskContract('virtual disk', () => {
  const disk = new VirtualDisk();
  return { disk, reopen: () => disk.killed() };
});

test('a crash of the virtual disk loses, tears and scatters only what was not synced', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = new VirtualDisk();
    const file = disk.open('a.log', 2048);
    file.write(new Uint8Array(512).fill(1), 0);
    file.sync(() => undefined);
    file.write(new Uint8Array(1536).fill(2), 512);
    const after = disk.crashed(new Random(seed)).read('a.log');
    assert.ok(after.subarray(0, 512).every((byte) => byte === 1));
    const sectors = [1, 2, 3].map((n) => after.subarray(n * 512, n * 512 + 512));
    const whole = sectors.map((sector) => sector.every((byte) => byte === 2));
    const empty = sectors.map((sector) => sector.every((byte) => byte === 0));
    if (whole.every(Boolean)) seen.add('whole');
    else if (empty.every(Boolean)) seen.add('lost');
    else if (empty[0] && whole[2]) seen.add('scattered');
    else if (sectors.some((_, n) => !whole[n] && !empty[n])) seen.add('torn');
  }
  assert.deepEqual([...seen].sort(), ['lost', 'scattered', 'torn', 'whole']);
});
