import assert from 'node:assert/strict';
import test from 'node:test';
import { lostPlaces } from '../../../src/services/gateway/lost-places.ts';

/** Each epoch goes on from the last place of its log, of an epoch before. */
const log = (...behind: readonly (readonly [epoch: number, from: number, sequence: number])[]) =>
  behind.map(([epoch, from, sequence]) => ({ epoch, start: { epoch: from, sequence } }));
const lost = (epoch: number, order: number, appointments: ReturnType<typeof log>) =>
  lostPlaces({ epoch, order }, appointments);

test('a place beyond the one that the next epoch goes on from is lost, and one up to it is not', () => {
  const appointments = log([2, 0, 0], [3, 2, 70]);
  assert.equal(lost(2, 70, appointments), undefined);
  assert.deepEqual(lost(2, 74, appointments), { from: 71, to: 74 });
  assert.equal(lost(3, 74, appointments), undefined, 'its own epoch lost nothing');
  assert.equal(lost(4, 74, appointments), undefined, 'of a later one nothing is known yet');
});

test('a loss is not hidden by what a later epoch has at the same places', () => {
  const appointments = log([2, 0, 0], [3, 2, 70], [4, 3, 90]);
  assert.deepEqual(lost(2, 74, appointments), { from: 71, to: 74 });
  assert.equal(lost(2, 70, appointments), undefined);
  assert.equal(lost(3, 90, appointments), undefined);
  assert.deepEqual(lost(3, 91, appointments), { from: 91, to: 91 });
});

test('what one epoch did not have, and the next one goes on from, is not lost', () => {
  assert.equal(lost(2, 80, log([2, 0, 0], [3, 2, 70], [4, 2, 80])), undefined);
});

test('an epoch that nobody went on from is lost from where it began, whatever its numbers', () => {
  const appointments = log([2, 0, 0], [3, 2, 70], [4, 2, 80]);
  assert.deepEqual(lost(3, 75, appointments), { from: 71, to: 75 });
  assert.deepEqual(lost(3, 85, appointments), { from: 71, to: 85 });
});

test('nothing is said of a time that nobody remembers', () => {
  assert.equal(lost(2, 74, []), undefined);
  assert.equal(lost(2, 74, log([8, 7, 300], [9, 8, 400])), undefined);
});
