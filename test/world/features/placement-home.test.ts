import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ASIA, at, EU, headed, Placed, REGIONS, WITNESSES } from '../../support/asked-placement.ts';

describe('the acting primary of a region away from home', () => {
  /** `eu` has gone from node 8 to node 6, and 8 is back. */
  const away = (): Placed => {
    const placed = new Placed();
    placed.say([1, 2, 3], 8, 'failed');
    placed.promise(9, at(5));
    placed.promise(6, at(5));
    placed.say([1, 2, 3], 8, 'trusted', 2);
    return placed;
  };
  const goes = { region: EU, epoch: 3, node: 6 };

  test('hands it back to the first copy, as an operator would', () => {
    const placed = away();
    assert.equal(placed.ask('return', goes), 'done');
    assert.deepEqual(placed.eu, headed(6, 3, 4));
    placed.promise(6, at(9), { epoch: 4 });
    placed.promise(8, at(9), { epoch: 4 });
    assert.deepEqual(placed.eu, headed(8, 4));
    const { cause, mayLose } = placed.region().appointments.at(-1) ?? assert.fail();
    assert.deepEqual([cause, mayLose], ['returned', 0]);
  });

  test('keeps it when the first copy turns out to be behind, or does not answer', () => {
    const behind = away();
    behind.ask('return', goes);
    behind.promise(8, at(8), { epoch: 4 });
    behind.promise(6, at(9), { epoch: 4 });
    assert.deepEqual(behind.eu, headed(6, 4));
    const silent = away();
    silent.ask('return', goes);
    silent.promise(9, at(9), { epoch: 4 });
    silent.promise(6, at(9), { epoch: 4 });
    silent.group.timeMs += 3_000;
    silent.ask('found', { version: 0, witnesses: WITNESSES, regions: REGIONS });
    assert.deepEqual(silent.eu, headed(6, 4));
  });

  test('is refused what is out of date, or not for now', () => {
    const placed = away();
    assert.equal(placed.ask('return', { ...goes, region: 1 }), 'no-such-region');
    assert.equal(placed.ask('return', { ...goes, epoch: 2 }), 'not-primary');
    assert.equal(placed.ask('return', { ...goes, node: 9 }), 'not-primary');
    assert.equal(placed.ask('return', { region: ASIA, epoch: 2, node: 9 }), 'is-primary');
    placed.say([1, 2, 3], 8, 'failed', 2);
    assert.equal(placed.ask('return', goes), 'has-failed');
    placed.say([1, 2, 3], 8, 'trusted', 3);
    placed.ask('move', { region: ASIA, to: 6, acceptLoss: false });
    assert.equal(placed.ask('return', goes), 'being-fenced');
    assert.deepEqual(placed.eu, headed(6, 3));
  });
});

describe('a primary that most copies do not hear, and witnesses do', () => {
  const deserted = { region: EU, epoch: 2, node: 6 };

  test('has a successor among them, and what it alone had is known to be lost', () => {
    const placed = new Placed();
    assert.equal(placed.ask('deserted', deserted), 'done');
    placed.promise(6, at(5));
    placed.promise(9, at(5));
    assert.deepEqual(placed.eu, headed(8, 2, 3), 'it may still serve');
    placed.promise(8, at(9));
    assert.deepEqual(placed.eu, headed(6, 3));
    const { cause, mayLose } = placed.region().appointments.at(-1) ?? assert.fail();
    assert.deepEqual([cause, mayLose], ['deserted', 4]);
  });

  test('is succeeded by whoever of them holds most', () => {
    const placed = new Placed();
    placed.ask('deserted', deserted);
    placed.promise(8, at(9));
    placed.promise(6, at(5));
    placed.promise(9, at(6));
    assert.deepEqual(placed.eu, headed(9, 3));
  });

  test('keeps its region where they turn out to be no majority that can vouch for its log', () => {
    const placed = new Placed();
    placed.ask('deserted', deserted);
    placed.promise(8, at(9));
    placed.promise(6, at(5));
    placed.promise(9, at(0), { isBlank: true });
    assert.deepEqual(placed.eu, headed(8, 2, 3));
    placed.group.timeMs += 3_000;
    placed.ask('found', { version: 0, witnesses: WITNESSES, regions: REGIONS });
    assert.deepEqual(placed.eu, headed(8, 3));
  });

  test('is not deposed by what is out of date, or makes no sense', () => {
    const placed = new Placed();
    assert.equal(placed.ask('deserted', { ...deserted, region: 1 }), 'no-such-region');
    assert.equal(placed.ask('deserted', { ...deserted, epoch: 1 }), 'not-primary');
    assert.equal(placed.ask('deserted', { ...deserted, node: 7 }), 'not-a-copy');
    assert.equal(placed.ask('deserted', { ...deserted, node: 8 }), 'is-primary');
    placed.say([1, 2, 3], 6, 'failed');
    assert.equal(placed.ask('deserted', deserted), 'has-failed');
    placed.ask('deserted', { ...deserted, node: 9 });
    assert.equal(placed.ask('deserted', { ...deserted, node: 9 }), 'being-fenced');
  });
});

describe('a primary that ends in order', () => {
  const leaves = { region: EU, epoch: 2, node: 8, to: 6 };

  test('hands its region over to whom it names', () => {
    const placed = new Placed();
    assert.equal(placed.ask('leave', leaves), 'done');
    placed.promise(8, at(9), { epoch: 3 });
    placed.promise(6, at(9), { epoch: 3 });
    assert.deepEqual(placed.eu, headed(6, 3));
    assert.equal(placed.region().appointments.at(-1)?.cause, 'left');
  });

  test('is refused what is out of date, or can not be', () => {
    const placed = new Placed();
    assert.equal(placed.ask('leave', { ...leaves, region: 1 }), 'no-such-region');
    assert.equal(placed.ask('leave', { ...leaves, epoch: 1 }), 'not-primary');
    assert.equal(placed.ask('leave', { ...leaves, node: 9 }), 'not-primary');
    assert.equal(placed.ask('leave', { ...leaves, to: 7 }), 'not-a-copy');
    assert.equal(placed.ask('leave', { ...leaves, to: 8 }), 'is-primary');
    placed.say([1, 2, 3], 6, 'failed');
    assert.equal(placed.ask('leave', leaves), 'has-failed');
    assert.equal(placed.ask('leave', { ...leaves, to: 9 }), 'done');
    assert.equal(placed.ask('leave', { ...leaves, to: 9 }), 'being-fenced');
  });
});
