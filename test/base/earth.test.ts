// Distances against the textbook's haversine, computed with the engine's own sines.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ahead } from '../../src/crowd/great-circle.ts';
import type { Place } from '../../src/wire/calls.ts';
import {
  cosine,
  distanceMm,
  EARTH_RADIUS_MM,
  normalLon,
  RADIANS_PER_UNIT,
} from '../../src/base/earth.ts';
import { anywhere, degrees, direction, share } from '../world/space/earth.ts';

/** The angle between two places as seen from the middle of the Earth. */
function haversine(a: Place, b: Place): number {
  const half = (units: number): number => Math.sin((units / 2) * RADIANS_PER_UNIT) ** 2;
  const across = Math.cos(a.lat * RADIANS_PER_UNIT) * Math.cos(b.lat * RADIANS_PER_UNIT);
  return 2 * Math.asin(Math.min(1, Math.sqrt(half(a.lat - b.lat) + across * half(a.lon - b.lon))));
}

test('distances up to 10 km are within two millimetres of the way along the ground', () => {
  fc.assert(
    fc.property(anywhere, direction, share, (from, bearing, part) => {
      const to = ahead(from, bearing, part * 10_000);
      const way = haversine(from, to) * EARTH_RADIUS_MM;
      assert.ok(Math.abs(distanceMm(from, to) - way) <= 2, `${distanceMm(from, to)} for ${way}`);
    }),
  );
});

test('any distance is the straight line between the two places', () => {
  fc.assert(
    fc.property(anywhere, anywhere, (a, b) => {
      const line = 2 * EARTH_RADIUS_MM * Math.sin(haversine(a, b) / 2);
      assert.ok(Math.abs(distanceMm(a, b) - line) <= 1 + line * 1e-8);
      assert.equal(distanceMm(a, b), distanceMm(b, a));
      assert.ok(Number.isSafeInteger(distanceMm(a, b)));
    }),
  );
});

test('the antimeridian is no distance', () => {
  assert.equal(distanceMm(degrees(10, 180), degrees(10, -180)), 0);
  assert.equal(distanceMm({ lat: 0, lon: 1_799_999_999 }, { lat: 0, lon: -1_799_999_999 }), 22);
});

test('a pole is one place, whatever its longitude, and the way over it is short', () => {
  assert.equal(distanceMm(degrees(90, 0), degrees(90, 123)), 0);
  assert.equal(distanceMm(degrees(-90, -60), degrees(-90, 60)), 0);
  assert.equal(distanceMm({ lat: 899_999_000, lon: 0 }, { lat: 899_999_000, lon: 1_800_000_000 }), 22_239);
});

test('the antipodes are a diameter apart', () => {
  assert.equal(distanceMm(degrees(90, 0), degrees(-90, 0)), 2 * EARTH_RADIUS_MM);
  assert.equal(distanceMm(degrees(0, 0), degrees(0, 180)), 2 * EARTH_RADIUS_MM);
});

test('every longitude has one normal form, from -180 degrees to just below 180', () => {
  assert.equal(normalLon(1_800_000_000), -1_800_000_000);
  assert.equal(normalLon(-1_800_000_000), -1_800_000_000);
  assert.equal(normalLon(1_799_999_999), 1_799_999_999);
  assert.equal(normalLon(3_600_000_000), 0);
  fc.assert(
    fc.property(fc.integer({ min: -1e11, max: 1e11 }), (lon) => {
      const normal = normalLon(lon);
      assert.ok(normal >= -1_800_000_000 && normal < 1_800_000_000);
      assert.ok((lon - normal) % 3_600_000_000 === 0);
    }),
  );
});

test('cosines of latitudes are right to twelve digits and nothing at the poles', () => {
  for (let tenths = -900; tenths <= 900; tenths++) {
    const lat = tenths * 1_000_000;
    assert.ok(Math.abs(cosine(lat) - Math.cos(lat * RADIANS_PER_UNIT)) < 1e-12);
  }
  assert.equal(cosine(900_000_000), 0);
  assert.equal(cosine(-900_000_000), 0);
});
