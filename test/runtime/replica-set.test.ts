// A region's copies as they run in processes: driver, journal, checkpoints and links, in virtual time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError, ForeignDataError } from '../../src/base/errors.ts';
import { nodeId } from '../../src/base/id.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { Copies, sumIn, summing } from '../support/copies.ts';

const A = nodeId(6);
const B = nodeId(7);
const C = nodeId(8);

test('a world begins with the first copy as primary, and the others are brought level', () => {
  const copies = new Copies();
  assert.deepEqual(
    [A, B, C].map((id) => copies.set(id).status().role),
    ['primary', 'replica', 'replica'],
  );
  copies.healthy();
});

test('a command is answered when a majority has it on disk, and all copies become the same', () => {
  const copies = new Copies();
  const answers = copies.propose(A, 5);
  copies.clock.settle();
  assert.deepEqual(answers, []);
  copies.clock.advance(1_200);
  assert.equal(sumIn(answers), 5);
  const inspected = [A, B, C].map((id) => copies.set(id).inspect());
  assert.deepEqual(inspected[1], inspected[0]);
  assert.deepEqual(inspected[2], inspected[0]);
  assert.deepEqual(copies.told, [5]);
});

test('one copy, a quorum or all copies: a command is answered at its own level', () => {
  const copies = new Copies();
  copies.kill(C);
  const [one, quorum, all] = [
    copies.propose(A, 1, 'one'),
    copies.propose(A, 1, 'quorum'),
    copies.propose(A, 1, 'all'),
  ];
  copies.clock.settle();
  assert.equal(sumIn(one), 1);
  assert.deepEqual(quorum, []);
  copies.clock.advance(500);
  assert.equal(sumIn(quorum), 2);
  assert.deepEqual(all, []);
  copies.restart(C);
  copies.clock.advance(500);
  assert.equal(sumIn(all), 3);
});

test('a quorum that can not be had is uncertain and never done', () => {
  const copies = new Copies();
  copies.kill(B);
  copies.kill(C);
  const answers = copies.propose(A, 5);
  copies.clock.advance(9_000);
  assert.deepEqual(answers, []);
  copies.clock.advance(2_000);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
  assert.deepEqual(copies.told, [], 'nobody is told what no majority has');
});

test('a replica tells writers who the primary is, and nothing happens', () => {
  const copies = new Copies();
  assert.deepEqual(copies.propose(B, 5), [{ kind: 'moved', leader: A, term: 1 }]);
  assert.deepEqual(copies.ask(B), [{ kind: 'moved', leader: A, term: 1 }]);
});

test('what was answered survives the death of all nodes at once', () => {
  const copies = new Copies();
  for (const value of [3, 4]) {
    copies.propose(A, value);
    copies.clock.advance(20);
  }
  for (const id of [A, B, C]) copies.kill(id);
  for (const id of [A, B, C]) copies.restart(id);
  copies.clock.advance(1_000);
  const answers = copies.propose(A, 5);
  copies.clock.advance(20);
  assert.equal(sumIn(answers), 12);
  copies.healthy();
});

test('after a promotion nothing acknowledged at a quorum is missing, and the rest is counted as lost', () => {
  const copies = new Copies();
  const acknowledged = copies.propose(A, 5);
  copies.clock.advance(50);
  assert.equal(sumIn(acknowledged), 5);
  copies.network.cut(A, B);
  copies.network.cut(A, C);
  const lost = [copies.propose(A, 100, 'one'), copies.propose(A, 100, 'one')];
  copies.clock.advance(50);
  assert.deepEqual(lost.map(sumIn), [105, 205]);
  copies.kill(A);
  const primary = copies.promote(2);
  assert.equal(primary, B);
  copies.clock.advance(50);
  const answers = copies.propose(B, 1);
  copies.clock.advance(50);
  assert.equal(sumIn(answers), 6);
  copies.restart(A);
  copies.clock.advance(1_000);
  const { lostTails, role } = copies.set(A).status();
  assert.equal(role, 'replica');
  assert.deepEqual(lostTails, [
    { fromEpoch: 1, fromSequence: 3, toEpoch: 1, toSequence: 4 },
  ]);
  assert.ok([...(copies.disks.get(A) as VirtualDisk).names()].includes('lost-1-3-1-4.bin'));
  assert.deepEqual(copies.set(A).inspect(), copies.set(B).inspect());
  copies.healthy();
});

test('a primary that was fenced answers nothing any more, and what waits there is uncertain', () => {
  const copies = new Copies();
  copies.network.cut(A, B);
  copies.network.cut(A, C);
  const waiting = copies.propose(A, 7);
  copies.set(A).promise(2, () => {});
  copies.clock.advance(10);
  assert.deepEqual(waiting, [{ kind: 'uncertain' }]);
  assert.deepEqual(copies.ask(A), [{ kind: 'moved', leader: undefined, term: 2 }]);
  assert.deepEqual(copies.propose(A, 7), [{ kind: 'moved', leader: undefined, term: 2 }]);
});

test('without its lease a primary answers nothing', () => {
  const copies = new Copies();
  copies.set(A).lease(1, copies.clock.monotonicMs() + 100);
  assert.equal(sumIn(copies.ask(A)), 0);
  copies.clock.advance(101);
  assert.deepEqual(copies.ask(A), [{ kind: 'moved', leader: undefined, term: 1 }]);
  assert.deepEqual(copies.propose(A, 7), [{ kind: 'moved', leader: undefined, term: 1 }]);
});

test('a replica serves what it has of a known place, or waits for it, and else sends on', () => {
  const copies = new Copies();
  const [answer] = copies.propose(A, 5);
  assert.equal(answer, undefined);
  copies.clock.advance(20);
  const place = { kind: 'atLeast', epoch: 1, sequence: 2 } as const;
  assert.equal(sumIn(copies.ask(B, place)), 5);
  const later = copies.ask(B, { ...place, sequence: 3 });
  copies.propose(A, 6);
  copies.clock.advance(20);
  assert.equal(sumIn(later), 11);
  const never = copies.ask(B, { ...place, sequence: 9 });
  copies.clock.advance(300);
  assert.deepEqual(never, [{ kind: 'moved', leader: A, term: 1 }]);
});

test('a replica serves a state of a bounded age by its own clock, and never an older one', () => {
  const copies = new Copies();
  copies.propose(A, 5);
  copies.clock.advance(1_000);
  const bound = { kind: 'atMostMsOld', ms: 500 } as const;
  assert.equal(sumIn(copies.ask(B, bound)), 5);
  const fresh = copies.ask(B, { ...bound, ms: 0 });
  copies.clock.advance(20);
  assert.equal(sumIn(fresh), 5, 'it asks the primary how new it is');
  copies.network.cut(A, B);
  copies.clock.advance(1_000);
  const old = copies.ask(B, bound);
  copies.clock.advance(300);
  assert.deepEqual(old, [{ kind: 'moved', leader: A, term: 1 }]);
});

test('a copy that trails further than the log reaches is sent the state', () => {
  const copies = new Copies({ checkpointBytesMin: 4_096, trailingEntries: 10 });
  copies.kill(C);
  for (let i = 0; i < 400; i++) {
    copies.propose(A, 1);
    copies.clock.advance(2);
  }
  copies.restart(C);
  copies.clock.advance(2_000);
  assert.ok(copies.set(C).status().checkpoint > 100);
  assert.deepEqual(copies.set(C).inspect(), copies.set(A).inspect());
  copies.healthy();
});

/** C was away, and now takes the state over, one step each 8 ms; its log said that it was at 0. */
function catchingUp(): Copies {
  const copies = new Copies({ checkpointBytesMin: 4_096, trailingEntries: 10, pieceMs: 0 });
  copies.kill(C);
  for (let i = 0; i < 400; i++) {
    copies.propose(A, 1);
    copies.clock.advance(2);
  }
  copies.restart(C);
  const isPublished = (): boolean =>
    (copies.disks.get(C) as VirtualDisk).names().some((name) => name.startsWith('checkpoint-'));
  for (let ms = 0; ms < 2_000 && !isPublished(); ms++) copies.clock.advance(1);
  assert.ok(isPublished());
  assert.ok(copies.set(C).inspect().applied < 10, 'the state is durable, and not yet the machine\'s');
  return copies;
}

test('a state that is sent is taken over piece by piece, and until then the old one stands', () => {
  const copies = catchingUp();
  const before = copies.set(C).inspect();
  let waitedMs = 0;
  for (; copies.set(C).inspect().applied === before.applied; waitedMs++) {
    assert.deepEqual(copies.set(C).inspect(), before);
    assert.equal(copies.set(C).status().role, 'catching-up');
    assert.equal(copies.set(C).takeCheckpoint(), false, 'what is about to go is not saved');
    copies.clock.advance(1);
  }
  assert.ok(waitedMs > 30, `${waitedMs} ms`);
  copies.clock.advance(1_000);
  assert.deepEqual(copies.set(C).inspect(), copies.set(A).inspect());
  copies.healthy();
});

test('a node that dies while it takes a state over has it when it is back', () => {
  const copies = catchingUp();
  copies.kill(C);
  copies.kill(A);
  copies.kill(B);
  copies.start(C);
  assert.ok(copies.set(C).inspect().applied > 100);
  copies.restart(A);
  copies.restart(B);
  copies.clock.advance(1_000);
  assert.deepEqual(copies.set(C).inspect(), copies.set(A).inspect());
  copies.healthy();
});

test('a primary that dies while its state is taken over is followed by whom a majority holds', () => {
  const copies = catchingUp();
  copies.kill(A);
  const promised: number[] = [];
  copies.set(C).promise(2, ({ lastSequence }) => promised.push(lastSequence));
  copies.clock.advance(20);
  assert.deepEqual(promised, [], 'where its log ends is not known yet');
  copies.clock.advance(200);
  assert.ok((promised[0] ?? 0) > 100, `${promised}`);
  assert.equal(copies.promote(3), B);
  copies.clock.advance(500);
  const answers = copies.propose(B, 1);
  copies.clock.advance(500);
  assert.equal(sumIn(answers), 401);
  assert.deepEqual(copies.set(C).inspect(), copies.set(B).inspect());
  copies.healthy();
});

test('checkpoints stay, ten of them, and a damaged newest one costs only replay', () => {
  const copies = new Copies({ checkpointBytesMin: 2_048, trailingEntries: 10 });
  for (let i = 0; i < 600; i++) {
    copies.propose(A, 1);
    copies.clock.advance(2);
  }
  copies.clock.advance(1_000);
  copies.kill(B);
  const disk = copies.disks.get(B) as VirtualDisk;
  const names = disk.names().filter((name) => name.startsWith('checkpoint-')).sort();
  assert.equal(names.length, 10);
  disk.flipBit(names.at(-1) as string, 400);
  copies.restart(B);
  copies.clock.advance(1_000);
  assert.deepEqual(copies.set(B).inspect(), copies.set(A).inspect());
  copies.healthy();
});

test('a whole checkpoint whose state can not be read is of another program, not damaged', () => {
  const copies = new Copies();
  copies.propose(A, 5);
  copies.clock.advance(50);
  assert.ok(copies.set(B).takeCheckpoint());
  copies.clock.advance(50);
  copies.kill(B);
  const restore = (): never => {
    throw new CorruptionError('chat version 2 is saved where 1 must be');
  };
  assert.throws(
    () => copies.start(B, { ...summing(), restore }),
    (error) => error instanceof ForeignDataError && /eu at entry \d+ .* version 2/.test(error.message),
  );
});

test('a copy whose disk is new counts for nothing until it has been brought level', () => {
  const copies = new Copies();
  copies.propose(A, 5);
  copies.clock.advance(50);
  copies.kill(B);
  copies.disks.set(B, new VirtualDisk());
  copies.start(B);
  const blanks: boolean[] = [];
  copies.set(B).promise(1, ({ isBlank }) => blanks.push(isBlank));
  copies.clock.advance(5);
  copies.network.mend(A, B);
  copies.network.mend(B, C);
  copies.clock.advance(1_000);
  copies.set(B).promise(1, ({ isBlank }) => blanks.push(isBlank));
  copies.clock.advance(5);
  assert.deepEqual(blanks, [true, false]);
  assert.deepEqual(copies.set(B).inspect(), copies.set(A).inspect());
});

test('the first copy does not begin the world anew when its disk is new and the others are not', () => {
  const copies = new Copies();
  copies.propose(A, 5);
  copies.clock.advance(50);
  copies.kill(A);
  copies.disks.set(A, new VirtualDisk());
  copies.restart(A);
  copies.clock.advance(2_000);
  assert.equal(copies.set(A).status().role, 'blank');
  assert.deepEqual(copies.propose(A, 1), [{ kind: 'moved', leader: undefined, term: 0 }]);
  assert.equal(copies.promote(2), B);
  copies.clock.advance(1_000);
  assert.equal(copies.set(A).status().role, 'replica');
  assert.deepEqual(copies.set(A).inspect(), copies.set(B).inspect());
});
