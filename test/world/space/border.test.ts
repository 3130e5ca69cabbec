import assert from 'node:assert/strict';
import test from 'node:test';
import { lookersInto } from '../../../src/world/space/border.ts';
import { Cells } from '../../../src/world/space/cells.ts';
import { overlaps } from '../../../src/world/space/region-map.ts';

const DEGREE = 10_000_000;
const cells = new Cells(200);
const region = (number: number, west: number, east: number) => ({
  number,
  westLon: west * DEGREE,
  eastLon: east * DEGREE,
});
const eu = region(103, -30, 60);
const others = [region(101, -180, -90), region(102, -90, -30), eu, region(104, 60, 180)];

function lookers(lat: number, lon: number): readonly number[] {
  const key = cells.at({ lat: Math.round(lat * DEGREE), lon: Math.round(lon * DEGREE) });
  return lookersInto(key, cells, others);
}

test('a cell in the middle of a region is seen by that region alone', () => {
  assert.deepEqual(lookers(50, 10), [103]);
});

test('within sight of an edge the region beyond looks in too', () => {
  assert.deepEqual(lookers(50, 59.9995), [103, 104]);
  assert.deepEqual(lookers(50, 60.0005), [103, 104]);
  assert.deepEqual(lookers(50, 59.9), [103]);
});

test('the antimeridian is an edge like others', () => {
  assert.deepEqual(lookers(10, 179.9995), [101, 104]);
  assert.deepEqual(lookers(10, -179.9995), [101, 104]);
});

test('around a pole every region looks in, and a little farther away only those near by', () => {
  assert.deepEqual(lookers(90, 0), [101, 102, 103, 104]);
  assert.deepEqual(lookers(-90, 0), [101, 102, 103, 104]);
  assert.deepEqual(lookers(89.9995, 123), [101, 102, 103, 104]);
  assert.deepEqual(lookers(89.9, 0), [103]);
});

test('whoever is within sight across an edge is in a cell that the other region looks into', () => {
  for (let lat = -89; lat <= 89; lat += 0.5) {
    for (const edge of [-180, -90, -30, 60]) {
      const degrees = 0.0017 / Math.cos((lat * Math.PI) / 180);
      for (const lon of [edge - degrees, edge + degrees]) {
        const seenBy = lookers(lat, lon > 180 ? lon - 360 : lon);
        assert.ok(seenBy.length >= 2, `at ${lat}, ${lon} only ${seenBy} look in`);
      }
    }
  }
});

test('stretches overlap when they share a meridian, also around the antimeridian', () => {
  assert.equal(overlaps(eu, region(1, 59, 61)), true);
  assert.equal(overlaps(eu, region(1, 60, 61)), false);
  assert.equal(overlaps(region(1, 179, -179), region(2, -180, -90)), true);
  assert.equal(overlaps(region(1, 0, 0), eu), true);
});
