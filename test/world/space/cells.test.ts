// The grid of cells: who is within sight is in a cell that is seen, wherever on Earth.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../../src/base/errors.ts';
import { ahead } from '../../../src/crowd/great-circle.ts';
import type { Place } from '../../../src/wire/calls.ts';
import { Cells } from '../../../src/world/space/cells.ts';
import { distanceMm, LAT_MAX, normalLon } from '../../../src/base/earth.ts';
import { anywhere, degrees, direction, share } from './earth.ts';

const SIGHT = 200;
const cells = new Cells(SIGHT);
const sees = (from: Place, to: Place): boolean => cells.around(cells.at(from)).includes(cells.at(to));

test('two places within sight see the cells of each other, also at the poles and at 180 degrees', () => {
  const sights = fc.constantFrom(20, 37, SIGHT, 1_000, 10_000);
  fc.assert(
    fc.property(sights, anywhere, direction, share, (sight, a, bearing, part) => {
      const grid = new Cells(sight);
      const b = ahead(a, bearing, part * sight);
      if (distanceMm(a, b) > sight * 1_000) return;
      assert.ok(grid.around(grid.at(a)).includes(grid.at(b)));
      assert.ok(grid.around(grid.at(b)).includes(grid.at(a)));
    }),
    { numRuns: 3_000 },
  );
});

/** The place of the same cell that lies farthest in a direction: bit by bit, as long as the key stays. */
function cornerOf(grid: Cells, place: Place, step: Place): Place {
  let corner = place;
  for (let bit = 2 ** 20; bit >= 1; bit /= 2) {
    const lat = corner.lat + step.lat * bit;
    const next = { lat, lon: normalLon(corner.lon + step.lon * bit) };
    if (Math.abs(lat) <= LAT_MAX && grid.at(next) === grid.at(place)) corner = next;
  }
  return corner;
}

test('from the very corner of a cell one sees as far as sight', () => {
  const side = fc.constantFrom(-1, 1);
  const latitudes = fc.integer({ min: -899_990_000, max: 899_990_000 });
  const skew = fc.integer({ min: -500, max: 500 });
  fc.assert(
    fc.property(latitudes, side, side, skew, (lat, northward, eastward, thousandths) => {
      const corner = cornerOf(
        cells,
        cornerOf(cells, { lat, lon: lat }, { lat: 0, lon: eastward }),
        { lat: northward, lon: 0 },
      );
      const other = ahead(corner, (eastward * Math.PI) / 2 + thousandths / 1_000, SIGHT - 0.02);
      assert.ok(distanceMm(corner, other) <= SIGHT * 1_000);
      assert.ok(sees(corner, other) && sees(other, corner));
    }),
    { numRuns: 3_000 },
  );
});

test('whoever sees a cell is seen from it', () => {
  fc.assert(
    fc.property(anywhere, (place) => {
      const own = cells.at(place);
      for (const key of cells.around(own)) assert.ok(cells.around(key).includes(own));
    }),
    { numRuns: 500 },
  );
});

test('the cells seen are few, different, begin with the own one, and end near by', () => {
  fc.assert(
    fc.property(anywhere, direction, share, (place, bearing, part) => {
      const around = cells.around(cells.at(place));
      assert.equal(around[0], cells.at(place));
      assert.equal(new Set(around).size, around.length);
      assert.ok(around.length >= 7 && around.length <= 16, `${around.length} cells`);
      assert.ok(around.every(Number.isSafeInteger));
      assert.ok(!sees(place, ahead(place, bearing, (5 + part) * SIGHT)));
    }),
    { numRuns: 1_000 },
  );
});

test('a viewer at 180 degrees sees both sides of it', () => {
  const east = { lat: 100, lon: -1_800_000_000 };
  const west = { lat: 100, lon: 1_799_999_999 };
  assert.notEqual(cells.at(east), cells.at(west));
  assert.ok(sees(east, west) && sees(west, east));
  assert.equal(cells.at({ lat: 100, lon: 1_800_000_000 }), cells.at(east));
});

test('a viewer at a pole sees all around it, and over it', () => {
  for (const pole of [90, -90]) {
    for (let lon = -180; lon < 180; lon += 15) {
      const near = degrees(pole - Math.sign(pole) * 0.0015, lon);
      assert.ok(sees(degrees(pole, 77), near) && sees(near, degrees(pole, -3)));
      const over = degrees(pole - Math.sign(pole) * 0.0008, lon);
      assert.ok(sees(over, degrees(over.lat / 1e7, lon + 180)));
    }
  }
});

test('cells are about as wide as they are high, from the equator to the polar circles', () => {
  for (const lat of [0, 30, -45, 60, -66]) {
    const keys = new Set<number>();
    for (let metres = 0; metres < 20_000; metres += 10) {
      keys.add(cells.at(ahead(degrees(lat, 20), Math.PI / 2, metres)));
    }
    assert.ok(keys.size >= 98 && keys.size <= 102, `${keys.size} cells in 20 km at ${lat}`);
  }
});

test('a sight that the grid cannot keep is a mistake of the program', () => {
  for (const sight of [0, 19, 10_001, Number.NaN]) assert.throws(() => new Cells(sight), InvariantError);
});
