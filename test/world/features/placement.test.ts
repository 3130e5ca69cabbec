import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reasonOf } from '../../support/asked-group.ts';
import {
  ASIA,
  at,
  EU,
  headed,
  Placed,
  REGIONS,
  WITNESSES,
  type Word,
} from '../../support/asked-placement.ts';

describe('a new region', () => {
  const founded = (): Placed => {
    const placed = new Placed();
    const regions = [{ number: 105, copies: [7, 8, 9] }];
    placed.ask('found', { version: 0, witnesses: WITNESSES, regions });
    return placed;
  };
  const empty = { region: 105, epoch: 2, isBlank: true };

  test('is led by its first copy, as soon as a majority of the copies are there', () => {
    const placed = founded();
    placed.promise(7, at(0, 0), empty);
    assert.equal(placed.region(105).fence?.epoch, 2);
    placed.promise(9, at(0, 0), empty);
    const { primary, epoch, fence } = placed.region(105);
    assert.deepEqual({ primary, epoch, fence }, { primary: 7, epoch: 2, fence: null });
  });

  test('is led by another one when the first does not come for long', () => {
    const placed = founded();
    placed.promise(8, at(0, 0), empty);
    placed.promise(9, at(0, 0), empty);
    assert.equal(placed.region(105).epoch, 1);
    placed.group.timeMs += 3_000;
    placed.promise(9, at(0, 0), empty);
    assert.equal(placed.region(105).primary, 8);
  });
});

describe('a region', () => {
  test('seeks another primary when this one has lost its disk', () => {
    const placed = new Placed();
    assert.equal(placed.ask('wiped', { region: EU, epoch: 2, node: 9 }), 'not-primary');
    assert.equal(placed.ask('wiped', { region: EU, epoch: 1, node: 8 }), 'not-primary');
    assert.equal(placed.ask('wiped', { region: EU, epoch: 2, node: 8 }), 'done');
    placed.promise(8, at(0, 0), { isBlank: true });
    placed.promise(9, at(4));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(6, at(4));
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('that never held anything begins anew when all its copies are blank', () => {
    const placed = new Placed();
    placed.ask('wiped', { region: EU, epoch: 2, node: 8 });
    for (const node of [8, 9]) placed.promise(node, at(0, 0), { isBlank: true });
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(6, at(0, 0), { isBlank: true });
    assert.deepEqual(placed.eu, headed(8, 3));
  });

  test('that held something is lost when all its copies are blank, and waits for an operator', () => {
    const placed = new Placed();
    assert.equal(placed.ask('begun', { region: EU, epoch: 2, node: 9 }), 'not-primary');
    assert.equal(placed.ask('begun', { region: EU, epoch: 2, node: 8 }), 'done');
    placed.ask('wiped', { region: EU, epoch: 2, node: 8 });
    for (const node of [6, 8, 9]) placed.promise(node, at(0, 0), { isBlank: true });
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    assert.equal(placed.ask('move', { region: EU, to: 9, acceptLoss: true }), 'done');
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('whose log a promotion has found is known to have held something, and how much of it', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    for (const node of [6, 9]) placed.promise(node, at(70));
    assert.deepEqual(placed.eu, headed(6, 3));
    placed.ask('wiped', { region: EU, epoch: 3, node: 6 });
    for (const node of [6, 8, 9]) placed.promise(node, at(0, 0), { isBlank: true, epoch: 4 });
    assert.deepEqual(placed.eu, headed(6, 3, 4));
    placed.ask('move', { region: EU, to: 9, acceptLoss: true });
    assert.deepEqual(placed.eu, headed(9, 4));
    assert.equal(placed.region().appointments.at(-1)?.mayLose, 70);
  });

  test('all of whose copies were blank finds a primary by itself when their disks are back', () => {
    const placed = new Placed();
    placed.ask('begun', { region: EU, epoch: 2, node: 8 });
    placed.ask('wiped', { region: EU, epoch: 2, node: 8 });
    for (const node of [6, 8, 9]) placed.promise(node, at(0, 0), { isBlank: true });
    placed.promise(9, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 4));
    for (const node of [9, 8]) placed.promise(node, at(70), { epoch: 4 });
    assert.deepEqual(placed.eu, headed(8, 4));
  });

  test('is founded once, however often its topology is told', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(5));
    placed.promise(6, at(5));
    placed.ask('found', { version: 0, witnesses: WITNESSES, regions: REGIONS });
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('keeps its primary while witnesses only suspect it, all of them, for ever', () => {
    const placed = new Placed();
    placed.say(WITNESSES, 8, 'suspected');
    assert.deepEqual(placed.eu, headed(8, 2));
  });

  test('keeps its primary while only two of five witnesses call it failed', () => {
    const placed = new Placed();
    placed.say([1, 2], 8, 'failed');
    placed.say([1, 2], 8, 'failed');
    placed.say([3, 4, 5], 8, 'suspected');
    assert.deepEqual(placed.eu, headed(8, 2));
  });

  test('seeks a successor when three of five call its primary failed, and no other region does', () => {
    const placed = new Placed();
    placed.say([1, 3, 5], 8, 'failed');
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    assert.equal(placed.region(ASIA).fence, null);
  });

  test('does not mind the failure of a copy that is not its primary', () => {
    const placed = new Placed();
    placed.say(WITNESSES, 9, 'failed');
    assert.deepEqual(placed.eu, headed(8, 2));
    assert.equal(placed.region(ASIA).fence?.epoch, 3);
  });
});

describe('a successor', () => {
  test('is appointed when a majority of the copies have promised, and not before', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(6, at(60));
    assert.deepEqual(placed.eu, headed(9, 3));
    assert.deepEqual(placed.region().start, at(70));
  });

  test('is the copy with the farthest log: by epoch first, then by sequence', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(900, 1));
    placed.promise(6, at(2, 2));
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('is the lower node where two are level', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(60));
    placed.promise(6, at(60));
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('is never a blank copy, nor appointed by the promise of one', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(0, 0), { isBlank: true });
    placed.promise(6, at(60));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.say([1, 2, 3], 8, 'trusted', 2);
    placed.promise(8, at(61));
    assert.deepEqual(placed.eu, headed(8, 3));
  });

  test('is never one that has failed itself, though it promised before', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.say([1, 2, 3], 9, 'failed');
    placed.promise(6, at(60));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.say([1], 9, 'trusted', 2);
    placed.say([2, 3], 8, 'failed');
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('tells how many entries may be lost, by what anyone heard of', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70), { heard: at(73) });
    placed.promise(6, at(60), { heard: at(71) });
    const { start, mayLose, cause, former } = placed.region().appointments.at(-1) ?? assert.fail();
    assert.deepEqual([start, mayLose, cause, former], [at(70), 3, 'failed', 8]);
  });

  test('fails in its turn, and the next epoch is higher again', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.promise(6, at(60));
    placed.say([1, 2, 3], 9, 'failed');
    assert.deepEqual(placed.eu, headed(9, 3, 4));
    placed.say([1, 2, 3], 8, 'trusted', 2);
    placed.promise(8, at(80), { epoch: 4 });
    placed.promise(6, at(65, 2), { epoch: 4 });
    assert.deepEqual(placed.eu, headed(6, 4));
  });
});

describe('a former primary', () => {
  test('that took its failure back is waited for, since it may serve again until it has promised', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.say([1], 8, 'suspected');
    placed.promise(9, at(70));
    placed.promise(6, at(60));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(8, at(65));
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('that never answers is waited for only until it failed', () => {
    const placed = new Placed();
    placed.ask('move', { region: EU, to: 6, acceptLoss: false });
    placed.promise(9, at(70));
    placed.promise(6, at(70));
    placed.group.timeMs += 60_000;
    placed.promise(6, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.say([1, 2, 3], 8, 'failed');
    assert.deepEqual(placed.eu, headed(6, 3));
  });
});

describe('a process that died and came back', () => {
  test('is not failed by words about the one before', () => {
    const placed = new Placed();
    placed.say([1, 2], 8, 'failed', 1);
    placed.say([3], 8, 'trusted', 2);
    placed.say([4], 8, 'failed', 1);
    assert.deepEqual(placed.eu, headed(8, 2));
  });

  test('does not get its region back by itself', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed', 1);
    placed.promise(9, at(70));
    placed.promise(6, at(60));
    placed.say(WITNESSES, 8, 'trusted', 2);
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('is failed by witnesses that never heard it, with those that did', () => {
    const placed = new Placed();
    placed.say([1], 8, 'failed', 1);
    placed.say([2, 3], 8, 'failed', 0);
    assert.deepEqual(placed.eu, headed(8, 2, 3));
  });
});

describe('commands that come late, twice, or from nobody', () => {
  test('an older statement does not undo a later one', () => {
    const placed = new Placed();
    const opinions = (opinion: Word): unknown => [{ node: 8, incarnation: 1, opinion }];
    for (const witness of [1, 2, 3]) {
      placed.ask('observe', { witness, number: 9, opinions: opinions('trusted') });
      placed.ask('observe', { witness, number: 8, opinions: opinions('failed') });
      placed.ask('observe', { witness, number: 9, opinions: opinions('failed') });
    }
    assert.deepEqual(placed.eu, headed(8, 2));
    const late = placed.group.serve('placement.observe', { witness: 1, number: 3, opinions: [] });
    assert.deepEqual(late.kind === 'done' && late.value, { latest: 9 });
  });

  test('one witness is one witness, however often it speaks', () => {
    const placed = new Placed();
    for (let i = 0; i < 5; i++) placed.say([1], 8, 'failed');
    assert.deepEqual(placed.eu, headed(8, 2));
  });

  test('who is no witness is not heard', () => {
    const placed = new Placed();
    for (const witness of [6, 7, 9]) {
      const opinions = [{ node: 8, incarnation: 1, opinion: 'failed' }];
      assert.equal(placed.ask('observe', { witness, number: 1, opinions }), 'no-such-witness');
    }
    assert.deepEqual(placed.eu, headed(8, 2));
  });

  test('a promise counts for the epoch and the region that are being fenced', () => {
    const placed = new Placed();
    assert.equal(placed.promise(9, at(5)), 'not-being-fenced');
    placed.say([1, 2, 3], 8, 'failed');
    assert.equal(placed.promise(9, at(5), { epoch: 2 }), 'not-being-fenced');
    assert.equal(placed.promise(9, at(5), { epoch: 4 }), 'not-being-fenced');
    assert.equal(placed.promise(7, at(5)), 'not-a-copy');
    assert.equal(placed.promise(9, at(5), { region: 7 }), 'no-such-region');
    assert.deepEqual(placed.eu, headed(8, 2, 3));
  });

  test('a copy that promises twice counts once, and its first word stands', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.promise(9, at(900));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(6, at(100));
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('a copy that lost its disk after it promised is not counted by what comes late', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.promise(9, at(0, 0), { isBlank: true });
    placed.promise(9, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 4));
    placed.promise(9, at(0, 0), { isBlank: true, epoch: 4 });
    placed.promise(6, at(60), { epoch: 4 });
    assert.deepEqual(placed.eu, headed(8, 2, 4));
  });

  test('a promise that comes after the appointment changes nothing', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.promise(6, at(60));
    assert.equal(placed.promise(8, at(99)), 'not-being-fenced');
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('players may ask nothing of it', () => {
    const { group } = new Placed();
    const move = { region: EU, to: 9, acceptLoss: false };
    assert.equal(reasonOf(group.ask(5, 'placement.move', move)), 'not-allowed');
    assert.equal(reasonOf(group.query(5, 'placement.map')), 'not-allowed');
  });
});

describe('a tail that a returning copy had', () => {
  test('is recorded once with the appointment that cost it', () => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(70));
    placed.promise(6, at(60));
    const tail = { region: EU, epoch: 3, node: 8, from: at(71), to: at(74) };
    assert.equal(placed.ask('lost', tail), 'done');
    assert.equal(placed.ask('lost', { ...tail, to: at(99) }), 'done');
    const { node, from, to } = tail;
    assert.deepEqual(placed.region().appointments.at(-1)?.lost, [{ node, from, to }]);
  });

  test('of an epoch that never was is refused', () => {
    const placed = new Placed();
    const tail = { region: EU, epoch: 9, node: 8, from: at(71), to: at(74) };
    assert.equal(placed.ask('lost', tail), 'no-such-epoch');
    assert.equal(placed.ask('lost', { ...tail, region: 9 }), 'no-such-region');
  });
});

describe('an operator', () => {
  const move = (placed: Placed, to: number, acceptLoss: boolean = false): string =>
    placed.ask('move', { region: EU, to, acceptLoss });

  test('moves a primary: both sides promise, and the heir is as far as the old one', () => {
    const placed = new Placed();
    assert.equal(move(placed, 6), 'done');
    placed.promise(9, at(70));
    placed.promise(6, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(8, at(70));
    assert.deepEqual(placed.eu, headed(6, 3));
    assert.equal(placed.region().appointments.at(-1)?.mayLose, 0);
  });

  test('never loses an entry by it: an heir that is behind is not appointed', () => {
    const placed = new Placed();
    move(placed, 6);
    placed.promise(6, at(69));
    placed.promise(8, at(70));
    assert.deepEqual(placed.eu, headed(8, 3));
  });

  test('does not stop a region for long by naming one that does not answer', () => {
    const placed = new Placed();
    move(placed, 6);
    placed.promise(8, at(70));
    placed.promise(9, at(70));
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.group.timeMs += 3_000;
    placed.promise(8, at(70));
    assert.deepEqual(placed.eu, headed(8, 3));
  });

  test('is refused what makes no sense', () => {
    const placed = new Placed();
    assert.equal(move(placed, 8), 'is-primary');
    assert.equal(move(placed, 7), 'not-a-copy');
    assert.equal(placed.ask('move', { region: 9, to: 8, acceptLoss: false }), 'no-such-region');
    placed.say([1, 2, 3], 9, 'failed');
    assert.equal(move(placed, 9), 'has-failed');
    placed.say([1, 2, 3], 8, 'failed');
    assert.equal(move(placed, 6), 'being-fenced');
  });

  test('may accept a loss only where the majority of the copies is gone', () => {
    const placed = new Placed();
    assert.equal(move(placed, 6, true), 'majority-lives');
    placed.say([1, 2, 3], 8, 'failed');
    assert.equal(move(placed, 6, true), 'majority-lives');
    placed.promise(6, at(60), { heard: at(64) });
    for (const witness of [1, 2, 3]) {
      const opinions = [8, 9].map((node) => ({ node, incarnation: 1, opinion: 'failed' }));
      placed.ask('observe', { witness, number: 1_000, opinions });
    }
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    assert.equal(move(placed, 6, true), 'done');
    assert.deepEqual(placed.eu, headed(6, 3));
    const { cause, mayLose } = placed.region().appointments.at(-1) ?? assert.fail();
    assert.deepEqual({ cause, mayLose }, { cause: 'forced', mayLose: 4 });
  });
});

test('an operator may accept a loss where the copies that live are blank', () => {
  const placed = new Placed();
  placed.say([1, 2, 3], 8, 'failed');
  placed.promise(9, at(4));
  placed.promise(6, at(0, 0), { isBlank: true });
  assert.deepEqual(placed.eu, headed(8, 2, 3));
  assert.equal(placed.ask('move', { region: EU, to: 9, acceptLoss: true }), 'done');
  assert.deepEqual(placed.eu, headed(9, 3));
});

describe('a replaced node', () => {
  test('leaves its place in every region to the new one, and its regions seek a successor', () => {
    const placed = new Placed();
    const regions = [{ number: EU, copies: [10, 9, 6] }];
    placed.ask('found', { version: 1, witnesses: WITNESSES, regions });
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.promise(10, at(0, 0), { isBlank: true });
    placed.promise(9, at(70));
    placed.promise(6, at(70));
    assert.deepEqual(placed.eu, headed(6, 3));
  });

  test('is not brought back by a node that still has the old topology', () => {
    const placed = new Placed();
    const regions = [{ number: EU, copies: [8, 9, 10] }];
    placed.ask('found', { version: 1, witnesses: [1, 2, 3, 4, 11], regions });
    placed.ask('found', { version: 0, witnesses: WITNESSES, regions: REGIONS });
    assert.deepEqual(placed.region().copies, [8, 9, 10]);
    placed.say([5], 8, 'failed');
    placed.say([1, 2], 8, 'failed');
    assert.deepEqual(placed.eu, headed(8, 2));
  });
});

test('all that placement knows outlives a restart, and tells the copies alike', () => {
  const placed = new Placed();
  placed.say([1, 2, 3], 8, 'failed');
  placed.promise(9, at(70), { heard: at(80) });
  placed.group.restart();
  placed.promise(6, at(60));
  assert.deepEqual(placed.eu, headed(9, 3));
  placed.ask('lost', { region: EU, epoch: 3, node: 8, from: at(71), to: at(74) });
  const before = placed.region();
  placed.group.restart();
  assert.deepEqual(placed.region(), before);
});
