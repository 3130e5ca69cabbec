// The gazetteer and the grid: towns with people, ashore, and grouped into conurbations.
import assert from 'node:assert/strict';
import test from 'node:test';
import { cellOf } from '../../src/adapters/earth/grid.ts';
import { loadCoasts } from '../../src/adapters/earth/land.ts';
import { loadTowns, type Town, TOWN_POPULATION_MIN } from '../../src/adapters/earth/towns.ts';
import { distanceMm } from '../../src/base/earth.ts';
import { createLand } from '../../src/world/space/land.ts';
import { degrees } from '../world/space/earth.ts';

const isLand = createLand(loadCoasts());
const towns = loadTowns(isLand);

function town(name: string, country: string): Town {
  const largest = towns
    .filter((each) => each.name === name && each.country === country)
    .sort((a, b) => b.population - a.population)[0];
  assert.ok(largest !== undefined, name);
  return largest;
}

test('there are a hundred thousand towns, each with its people and on land', () => {
  assert.ok(towns.length > 100_000 && towns.length < 135_233);
  for (const each of towns) {
    assert.ok(each.population >= TOWN_POPULATION_MIN);
    assert.ok(isLand(each), each.name);
  }
});

test('towns are where they are', () => {
  assert.ok(distanceMm(town('Paris', 'FR'), degrees(48.8534, 2.3488)) < 2_000_000);
  assert.ok(distanceMm(town('Shanghai', 'CN'), degrees(31.2222, 121.4581)) < 2_000_000);
});

test('a city on a coast that ours is too coarse for is brought ashore near by', () => {
  assert.equal(isLand(degrees(40.71427, -74.00597)), false);
  const newYork = town('New York City', 'US');
  const metres = distanceMm(newYork, degrees(40.71427, -74.00597)) / 1_000;
  assert.ok(metres > 0 && metres <= 5_001, `${metres} m`);
});

test('neighbouring towns share a cell of the grid, and distant ones do not', () => {
  assert.equal(cellOf(degrees(48.8566, 2.3522)), cellOf(degrees(48.8924, 2.2153)));
  assert.notEqual(cellOf(degrees(48.8566, 2.3522)), cellOf(degrees(45.764, 4.8357)));
});

test('the grid knows no seam at 180 degrees', () => {
  assert.equal(cellOf(degrees(-16.8, 180)), cellOf(degrees(-16.8, -180)));
});
