import assert from 'node:assert/strict';
import test from 'node:test';
import { PLACES_AT_ONE_MAX, ToldAtOne } from '../../src/base/told-at-one.ts';

test('of each region and epoch the highest place is remembered', () => {
  const told = new ToldAtOne();
  for (const [region, epoch, order] of [
    ['eu', 2, 70],
    ['eu', 2, 74],
    ['eu', 2, 73],
    ['asia', 2, 5],
    ['eu', 3, 72],
  ] as const) {
    told.note({ region, epoch, order });
  }
  assert.deepEqual(told.places, [
    { region: 'eu', epoch: 2, order: 74 },
    { region: 'asia', epoch: 2, order: 5 },
    { region: 'eu', epoch: 3, order: 72 },
  ]);
});

test('what is forgotten is of one epoch, and nothing that came later', () => {
  const told = new ToldAtOne([
    { region: 'eu', epoch: 2, order: 74 },
    { region: 'eu', epoch: 3, order: 72 },
  ]);
  told.forget({ region: 'eu', epoch: 2, order: 73 });
  assert.equal(told.places.length, 2);
  told.forget({ region: 'eu', epoch: 2, order: 74 });
  assert.deepEqual(told.places, [{ region: 'eu', epoch: 3, order: 72 }]);
});

test('there is room for so many places, and the one noted first goes', () => {
  const told = new ToldAtOne();
  for (let epoch = 1; epoch <= PLACES_AT_ONE_MAX + 1; epoch++) told.note({ region: 'eu', epoch, order: 1 });
  assert.equal(told.places.length, PLACES_AT_ONE_MAX);
  assert.equal(told.places[0]?.epoch, 2);
});
