// Land on made-up coasts: lakes, the antimeridian, a continent around a pole.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/base/errors.ts';
import { type CoastLine, createLand } from '../../../src/world/space/land.ts';
import { anywhere, degrees } from './earth.ts';

/** Degrees of latitude and longitude in turn, closed by its first point. */
function ring(...corners: readonly (readonly [number, number])[]): CoastLine {
  return [...corners, ...corners.slice(0, 1)].flat().map((value) => Math.round(value * 1e7));
}

const square = ring([0, 0], [0, 10], [10, 10], [10, 0]);

test('inside a coast is land and outside is water', () => {
  const isLand = createLand([square]);
  assert.equal(isLand(degrees(5, 5)), true);
  for (const [lat, lon] of [[5, -1], [5, 11], [-1, 5], [11, 5], [5, -175]] as const) {
    assert.equal(isLand(degrees(lat, lon)), false, `${lat} ${lon}`);
  }
});

test('a lake in the land is water, and an island in the lake is land', () => {
  const lake = ring([2, 2], [8, 2], [8, 8], [2, 8]);
  const island = ring([4, 4], [4, 6], [6, 6], [6, 4]);
  const isLand = createLand([square, lake, island]);
  assert.deepEqual([1, 3, 5].map((lat) => isLand(degrees(lat, 5))), [true, false, true]);
});

test('a coast may be given in pieces, in any order and direction', () => {
  const isLand = createLand([
    [0, 0, 0, 100_000_000],
    [0, 0, 100_000_000, 0, 100_000_000, 100_000_000],
    [100_000_000, 100_000_000, 0, 100_000_000],
  ]);
  assert.equal(isLand(degrees(5, 5)), true);
  assert.equal(isLand(degrees(-5, 5)), false);
});

test('an island across the antimeridian is land on both sides and on it', () => {
  const isLand = createLand([ring([-5, 175], [5, 175], [5, -175], [-5, -175])]);
  for (const lon of [176, 179.9999999, 180, -180, -179.9999999, -176]) {
    assert.equal(isLand(degrees(0, lon)), true, `${lon}`);
  }
  for (const lon of [174, -174, 0]) assert.equal(isLand(degrees(0, lon)), false, `${lon}`);
});

test('two islands that are cut along the antimeridian are one piece of land', () => {
  const isLand = createLand([
    ring([-5, 175], [5, 175], [5, 180], [-5, 180]),
    ring([-5, -180], [5, -180], [5, -175], [-5, -175]),
  ]);
  for (const lon of [176, 180, -180, -176]) assert.equal(isLand(degrees(0, lon)), true, `${lon}`);
});

test('a continent around the South Pole is land up to the pole itself', () => {
  const coast = Array.from({ length: 36 }, (_, place) => [-70, place * 10 - 180] as const);
  const isLand = createLand([ring(...coast)]);
  for (const lon of [-180, -90.5, 0, 45, 179.9]) {
    assert.equal(isLand(degrees(-71, lon)), true);
    assert.equal(isLand(degrees(-90, lon)), true);
    assert.equal(isLand(degrees(-69, lon)), false);
    assert.equal(isLand(degrees(90, lon)), false);
  }
});

test('a meridian through the corners of a coast is no exception', () => {
  const isLand = createLand([ring([0, 0], [5, 5], [0, 10], [-5, 5])]);
  assert.deepEqual([6, 4, 0, -4, -6].map((lat) => isLand(degrees(lat, 5))), [false, true, true, true, false]);
  assert.equal(isLand(degrees(-3, 0)), false);
  assert.equal(isLand(degrees(-3, 10)), false);
});

test('turned by any longitude, an island is the same island', () => {
  fc.assert(
    fc.property(anywhere, fc.integer({ min: -1_800_000_000, max: 1_799_999_999 }), (place, turn) => {
      const turned = square.map((value, at) => (at % 2 === 0 ? value : value + turn));
      const isThere = createLand([turned])({ lat: place.lat, lon: place.lon + turn });
      assert.equal(isThere, createLand([square])(place));
    }),
    { numRuns: 30 },
  );
});

test('an edge that could lead either way around the Earth is a mistake of the program', () => {
  assert.throws(() => createLand([ring([0, 0], [0, 100], [50, 50])]), InvariantError);
});
