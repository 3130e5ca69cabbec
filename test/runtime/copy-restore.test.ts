import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../src/base/crc32c.ts';
import { findState, type Restorable, writeRestored } from '../../src/runtime/copy-restore.ts';
import { VirtualDisk } from '../../src/sim/disk.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';

const REGION = { number: 103, name: 'eu', world: 'mine' };

/** A copy of the region as it was at this place. */
function copyOf(world: string, sequence: number): VirtualDisk {
  const disk = new VirtualDisk();
  const timeMs = 1_000 * sequence;
  const mark = { epoch: 2, sequence, timeMs, digest: 0, runs: [{ epoch: 2, first: sequence }] };
  const state = createGroupMachine([]).snapshot();
  writeRestored(disk, { ...REGION, world }, { kind: 'found', sequence, timeMs, state, replies: [], mark });
  return disk;
}

function found(disk: VirtualDisk, sequence: number): Restorable {
  const machine = createGroupMachine([]);
  const target = { kind: 'sequence', sequence } as const;
  return findState(REGION, { copies: [disk], target, machine, afterwards: [] });
}

function refusal(disk: VirtualDisk): string {
  const answer = found(disk, 100);
  return answer.kind === 'refused' ? answer.sentence : assert.fail('it was not refused');
}

test('the newest state that is not after the place is found, and the log goes on behind its end', () => {
  const answer = found(copyOf('mine', 7), 100);
  assert.equal(answer.kind, 'found');
  assert.deepEqual(answer.kind === 'found' && [answer.sequence, answer.mark.sequence], [7, 8]);
});

test('a checkpoint of another world is refused by its name', () => {
  assert.match(refusal(copyOf('theirs', 7)), /it is of the world "theirs", this one is "mine".*move it/);
});

test('a checkpoint of a newer format is refused by its number', () => {
  const disk = copyOf('mine', 7);
  const name = disk.names().find((each) => each.startsWith('checkpoint-')) ?? assert.fail();
  const bytes = disk.read(name);
  bytes[4] = (bytes[4] ?? 0) + 1;
  const end = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes, 0, end), true);
  disk.publish(name, [bytes]);
  assert.match(refusal(disk), /it has format \d+, this program knows \d+.*move it/);
});

test('a place before everything that is there is refused with the oldest one', () => {
  const answer = found(copyOf('mine', 7), 6);
  assert.match(answer.kind === 'refused' ? answer.sentence : '', /the oldest checkpoint is of entry 7/);
});
