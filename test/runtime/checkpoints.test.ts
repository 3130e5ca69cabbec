import assert from 'node:assert/strict';
import test from 'node:test';
import { ForeignDataError } from '../../src/base/errors.ts';
import { nodeId } from '../../src/base/id.ts';
import type { Snapshot } from '../../src/protocols/raft/messages.ts';
import { Checkpoints, listCheckpoints } from '../../src/runtime/checkpoints.ts';
import { DiskFailure, VirtualDisk } from '../../src/sim/machine/disk.ts';
import { newerCheckpoint } from '../support/foreign-files.ts';

function snapshot(index: number, state: Uint8Array = Uint8Array.of(index, 2, 3)): Snapshot {
  const incoming = [nodeId(1), nodeId(4)];
  const membership = { incoming, outgoing: [nodeId(2)], learners: [], retiring: [] };
  return { index, term: 3, timeMs: 1_790_000_000_000, membership, digest: 7, state };
}

/** In the term of all of these snapshots. */
function at(index: number): { readonly term: number; readonly index: number } {
  return { term: 3, index };
}

function indexes(disk: VirtualDisk, group: string): readonly (number | undefined)[] {
  return listCheckpoints(disk, group, '').map(({ mark }) => mark?.index);
}

test('what was saved is found by the next process, with every field', () => {
  const disk = new VirtualDisk();
  new Checkpoints(disk).save('economy', snapshot(10));
  assert.deepEqual(new Checkpoints(disk).usable('economy', at(10)), snapshot(10));
  assert.deepEqual(indexes(disk, 'economy'), [10]);
});

test('nothing is usable where nothing is recent enough', () => {
  const checkpoints = new Checkpoints(new VirtualDisk());
  assert.equal(checkpoints.usable('economy', at(0)), undefined);
  checkpoints.save('economy', snapshot(10));
  assert.equal(checkpoints.usable('economy', at(11)), undefined);
  assert.equal(checkpoints.usable('auth', at(0)), undefined);
});

test('an empty state is a state', () => {
  const checkpoints = new Checkpoints(new VirtualDisk());
  checkpoints.save('auth', snapshot(1, new Uint8Array()));
  assert.equal(checkpoints.usable('auth', at(1))?.state.length, 0);
});

test('the newest of each group stay, ascending, and the older ones go', () => {
  const disk = new VirtualDisk();
  const checkpoints = new Checkpoints(disk, { keep: 2 });
  for (const index of [5, 16, 300]) checkpoints.save('economy', snapshot(index));
  checkpoints.save('guild', snapshot(4));
  assert.deepEqual(indexes(disk, 'economy'), [16, 300]);
  assert.deepEqual(indexes(disk, 'guild'), [4]);
  assert.equal(disk.names().length, 3);
});

test('saving the same index again replaces the file', () => {
  const checkpoints = new Checkpoints(new VirtualDisk());
  checkpoints.save('auth', snapshot(5));
  checkpoints.save('auth', snapshot(5, Uint8Array.of(9)));
  assert.deepEqual(checkpoints.usable('auth', at(5))?.state, Uint8Array.of(9));
});

test('a damaged checkpoint is reported and passed over, whichever bit it is', () => {
  const disk = new VirtualDisk();
  const reports: string[] = [];
  const damaged = (text: string): number => reports.push(text);
  const saved = new Checkpoints(disk);
  saved.save('auth', snapshot(5));
  saved.save('auth', snapshot(6));
  const name = 'checkpoint-auth-0000000000000003-0000000000000006.bin';
  const bits = disk.read(name).length * 8;
  for (let bit = 0; bit < bits; bit++) {
    disk.flipBit(name, bit);
    assert.deepEqual(new Checkpoints(disk, { damaged }).usable('auth', at(0)), snapshot(5));
    disk.flipBit(name, bit);
  }
  assert.equal(reports.length, bits);
  assert.match(reports[0] ?? '', /^checkpoint-auth-0000000000000003-0000000000000006\.bin is damaged/);
});

test('a cut-off file is damaged at any length', () => {
  const disk = new VirtualDisk();
  new Checkpoints(disk).save('auth', snapshot(5));
  const name = 'checkpoint-auth-0000000000000003-0000000000000005.bin';
  const whole = disk.read(name);
  for (let length = 0; length < whole.length; length++) {
    disk.publish(name, [whole.subarray(0, length)]);
    assert.equal(new Checkpoints(disk).usable('auth', at(0)), undefined);
  }
});

test('a file that was found damaged does not count among those that stay, and goes with the next one', () => {
  const disk = new VirtualDisk();
  const saved = new Checkpoints(disk, { keep: 2 });
  saved.save('auth', snapshot(5));
  saved.save('auth', snapshot(6));
  disk.flipBit('checkpoint-auth-0000000000000003-0000000000000006.bin', 99);
  const checkpoints = new Checkpoints(disk, { keep: 2 });
  assert.deepEqual(checkpoints.usable('auth', at(0)), snapshot(5));
  checkpoints.save('auth', snapshot(7));
  assert.deepEqual(indexes(disk, 'auth'), [5, 7]);
});

test('a crash at any moment of a save leaves a usable checkpoint', () => {
  for (let failAt = 1; failAt <= 3; failAt++) {
    const disk = new VirtualDisk();
    const checkpoints = new Checkpoints(disk, { keep: 1 });
    checkpoints.save('auth', snapshot(5));
    disk.failAt = disk.operations + failAt;
    if (failAt < 3) assert.throws(() => checkpoints.save('auth', snapshot(6)), DiskFailure);
    else checkpoints.save('auth', snapshot(6));
    const index = new Checkpoints(disk.killed()).usable('auth', at(5))?.index;
    assert.equal(index, failAt === 1 ? 5 : 6);
  }
});

test('a checkpoint of a newer format is refused by its number, not passed over', () => {
  const disk = new VirtualDisk();
  new Checkpoints(disk).save('auth', snapshot(5));
  const name = 'checkpoint-auth-0000000000000003-0000000000000005.bin';
  disk.publish(name, [newerCheckpoint(disk.read(name))]);
  assert.throws(
    () => new Checkpoints(disk).usable('auth', at(0)),
    (error) => error instanceof ForeignDataError && /format 4, this program knows 3/.test(error.message),
  );
});
