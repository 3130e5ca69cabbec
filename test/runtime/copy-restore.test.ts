import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts';
import { Random } from '../../src/base/random.ts';
import { findState, type Restorable, writeRestored } from '../../src/runtime/copy-restore.ts';
import type { Journal } from '../../src/runtime/journal.ts';
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import { stateHead } from '../../src/runtime/copy-journal.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { openCopyStorage } from '../support/copy-storage.ts';
import { summing } from '../support/copies.ts';
import { newerCheckpoint, newerJournal } from '../support/foreign-files.ts';

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

function refusal(disk: VirtualDisk, sequence: number = 7): string {
  const answer = found(disk, sequence);
  return answer.kind === 'refused' ? answer.sentence : assert.fail('it was not refused');
}

test('the newest state that is not after the place is found, and the log goes on behind its end', () => {
  const answer = found(copyOf('mine', 7), 7);
  assert.equal(answer.kind, 'found');
  assert.deepEqual(answer.kind === 'found' && [answer.sequence, answer.mark.sequence], [7, 8]);
});

test('a place behind the end of the log is refused with that end, and so is a time', () => {
  assert.match(refusal(copyOf('mine', 7), 8), /The log of eu ends at entry 7, and nothing of it is later/);
  const late = { kind: 'time', ms: 7_001 } as const;
  const machine = createGroupMachine([]);
  const answer = findState(REGION, { copies: [copyOf('mine', 7)], target: late, machine, afterwards: [] });
  assert.match(answer.kind === 'refused' ? answer.sentence : '', /ends at entry 7/);
});

test('a checkpoint of another world is refused by its name', () => {
  assert.match(refusal(copyOf('theirs', 7)), /it is of the world "theirs", this one is "mine".*move it/);
});

test('a checkpoint of a newer format is refused by its number', () => {
  const disk = copyOf('mine', 7);
  const name = disk.names().find((each) => each.startsWith('checkpoint-')) ?? assert.fail();
  disk.publish(name, [newerCheckpoint(disk.read(name))]);
  assert.match(refusal(disk), /it has format \d+, this program knows \d+.*move it/);
});

test('a journal of a newer format is refused by its number', () => {
  const disk = copyOf('mine', 7);
  const name = disk.names().find((each) => each.startsWith('journal-')) ?? assert.fail();
  disk.publish(name, [newerJournal(disk.read(name))]);
  assert.match(refusal(disk), /journal format \d+, this program knows \d+.*move it/);
});

test('a place before everything that is there is refused with the oldest one', () => {
  const answer = found(copyOf('mine', 7), 6);
  assert.match(answer.kind === 'refused' ? answer.sentence : '', /the oldest checkpoint is of entry 7/);
});

/** A log as the epochs that it is of. An entry adds 2 to the power of its epoch: sums tell logs apart. */
type Parts = readonly (readonly [epoch: number, first: number, last: number])[];

function epochAt(log: Parts, sequence: number): number {
  return log.find(([, first, last]) => first <= sequence && sequence <= last)?.[0] ?? 0;
}

function sumUpTo(log: Parts, sequence: number): number {
  let sum = 0;
  for (let n = 1; n <= sequence; n++) sum += 2 ** epochAt(log, n);
  return sum;
}

function number(value: number): Uint8Array {
  return new ByteWriter().varint(value).finish();
}

function markAt(log: Parts, index: number): Parameters<Journal['compact']>[1] {
  const membership = { incoming: [], outgoing: [], learners: [], retiring: [] };
  return { index, term: epochAt(log, index), timeMs: index, digest: 0, membership };
}

function checkpointOf(log: Parts, sequence: number, disk: VirtualDisk): void {
  const runs = log
    .filter(([, first]) => first <= sequence)
    .map(([epoch, first]) => ({ epoch, first }));
  const [head, sum] = [stateHead(runs), number(sumUpTo(log, sequence))];
  const state = Uint8Array.of(...head, ...sum);
  new Checkpoints(disk, { keep: 10, world: 'mine' }).save('eu', { ...markAt(log, sequence), state });
}

/** A copy with this log, of which it holds checkpoints, and the entries behind `from`. */
function holding(log: Parts, o: { checkpoints: readonly number[]; from: number }): VirtualDisk {
  const disk = new VirtualDisk();
  const { journal } = openCopyStorage(disk);
  const last = log.at(-1)?.[2] ?? 0;
  if (o.from > 0) journal.stage(REGION.number, { reset: markAt(log, o.from), entries: [] });
  const entries = Array.from({ length: last - o.from }, (_, i) => {
    const index = o.from + 1 + i;
    const data = number(2 ** epochAt(log, index));
    return { index, term: epochAt(log, index), kind: 'command' as const, timeMs: index, data };
  });
  journal.stage(REGION.number, { entries });
  journal.flush(() => journal.close());
  for (const sequence of o.checkpoints) checkpointOf(log, sequence, disk);
  return disk;
}

/** The sum of the state that is found, and of which entry it is. */
function restored(copies: readonly VirtualDisk[], sequence: number): readonly [sum: number, of: number] {
  const target = { kind: 'sequence', sequence } as const;
  const answer = findState(REGION, { copies, target, machine: summing(), afterwards: [] });
  if (answer.kind === 'refused') assert.fail(answer.sentence);
  return [new ByteReader(answer.state).varint(), answer.sequence];
}

const DEPOSED: Parts = [[2, 1, 20]];
const HEIR: Parts = [
  [2, 1, 10],
  [3, 11, 14],
];

test('a tail that was lost stays lost, however long it is', () => {
  const copies = [
    holding(DEPOSED, { checkpoints: [10], from: 10 }),
    holding(HEIR, { checkpoints: [10], from: 10 }),
    holding(HEIR, { checkpoints: [10], from: 10 }),
  ];
  for (const order of [copies, [...copies].reverse()]) {
    assert.deepEqual(restored(order, 14), [sumUpTo(HEIR, 14), 14]);
    assert.deepEqual(restored(order, 12), [sumUpTo(HEIR, 12), 12]);
  }
});

test('a checkpoint of a tail that was lost is not gone back to', () => {
  const copies = [
    holding(DEPOSED, { checkpoints: [10, 13], from: 10 }),
    holding(HEIR, { checkpoints: [10], from: 10 }),
    holding(HEIR, { checkpoints: [10, 14], from: 14 }),
  ];
  assert.deepEqual(restored(copies, 13), [sumUpTo(HEIR, 13), 13]);
});

test('what another copy still holds of the same log is gone back to', () => {
  const longer: Parts = [...HEIR, [5, 15, 30]];
  const copies = [
    holding(HEIR, { checkpoints: [5, 10], from: 5 }),
    holding(longer, { checkpoints: [25, 30], from: 25 }),
  ];
  assert.deepEqual(restored(copies, 12), [sumUpTo(HEIR, 12), 12]);
  assert.deepEqual(restored(copies, 20), [sumUpTo(HEIR, 14), 14]);
});

test('with a damaged newest checkpoint, that of another copy and the own entries are enough', () => {
  const [one, other] = [
    holding(HEIR, { checkpoints: [10], from: 10 }),
    holding([[2, 1, 10]], { checkpoints: [10], from: 10 }),
  ];
  const name = one.names().find((each) => each.startsWith('checkpoint-')) ?? assert.fail();
  one.flipBit(name, 99);
  assert.deepEqual(restored([one, other], 14), [sumUpTo(HEIR, 14), 14]);
});

test('whatever copies were left with, only the log of the newest epoch is gone back to', () => {
  let found = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const logs = branches(random);
    const newest = logs.at(-1) ?? assert.fail();
    const last = newest.at(-1)?.[2] ?? 0;
    const copies = [newest, random.pick(logs) ?? newest, random.pick(logs) ?? newest].map((log) => {
      const end = log.at(-1)?.[2] ?? 0;
      const from = random.integer(0, end);
      const checkpoints = [from, random.integer(0, end), random.integer(from, end)];
      return holding(log, { checkpoints: checkpoints.filter((each) => each > 0), from });
    });
    const target = { kind: 'sequence', sequence: random.integer(1, last) } as const;
    const answer = findState(REGION, { copies, target, machine: summing(), afterwards: [] });
    if (answer.kind === 'refused') continue;
    const sum = new ByteReader(answer.state).varint();
    assert.equal(sum, sumUpTo(newest, answer.sequence), `seed ${seed}, entry ${answer.sequence}`);
    found += 1;
  }
  assert.ok(found > 150, `${found} of 300 found a state`);
});

/** Logs as promotions leave them: each one goes on somewhere in one before, in a later epoch. */
function branches(random: Random): readonly Parts[] {
  const logs: Parts[] = [[[2, 1, random.integer(1, 12)]]];
  for (let epoch = 3; epoch <= 6; epoch++) {
    const before = random.pick(logs) ?? assert.fail();
    const start = random.integer(0, before.at(-1)?.[2] ?? 0);
    const kept = before
      .filter(([, first]) => first <= start)
      .map(([of, first, last]): Parts[number] => [of, first, Math.min(last, start)]);
    logs.push([...kept, [epoch, start + 1, start + random.integer(1, 12)]]);
  }
  return logs;
}
