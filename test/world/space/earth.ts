// Places for the tests of space: anywhere, and where seams would be.
import fc from 'fast-check';
import type { Place } from '../../../src/wire/calls.ts';
import { LAT_MAX, LON_HALF_TURN } from '../../../src/base/earth.ts';

const lat = fc.oneof(
  fc.integer({ min: -LAT_MAX, max: LAT_MAX }),
  fc.integer({ min: 0, max: 200_000 }).map((below) => LAT_MAX - below),
  fc.integer({ min: 0, max: 200_000 }).map((above) => above - LAT_MAX),
  fc.constantFrom(-LAT_MAX, 0, LAT_MAX),
);
const lon = fc.oneof(
  fc.integer({ min: -LON_HALF_TURN, max: LON_HALF_TURN - 1 }),
  fc.integer({ min: 0, max: 40_000 }).map((west) => LON_HALF_TURN - 1 - west),
  fc.integer({ min: 0, max: 40_000 }).map((east) => east - LON_HALF_TURN),
  fc.constantFrom(-LON_HALF_TURN, 0, LON_HALF_TURN - 1),
);

export const anywhere: fc.Arbitrary<Place> = fc.record({ lat, lon }, { noNullPrototype: true });

/** A bearing in radians and a share from 0 to 1, to go somewhere from a place. */
export const direction: fc.Arbitrary<number> = fc
  .integer({ min: 0, max: 3_599 })
  .map((tenths) => (tenths / 1_800) * Math.PI);
export const share: fc.Arbitrary<number> = fc
  .integer({ min: 0, max: 1_000_000 })
  .map((millionths) => millionths / 1_000_000);

export function degrees(latitude: number, longitude: number): Place {
  return { lat: Math.round(latitude * 1e7), lon: Math.round(longitude * 1e7) };
}
