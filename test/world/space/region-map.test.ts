// Regions between meridians: every place belongs to one, also where the world's edges would meet.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { regionAt, within } from '../../../src/world/space/region-map.ts';
import { anywhere, degrees } from './earth.ts';

const regions = [
  { name: 'west', westLon: -1_700_000_000, eastLon: -300_000_000 },
  { name: 'middle', westLon: -300_000_000, eastLon: 600_000_000 },
  { name: 'east', westLon: 600_000_000, eastLon: -1_700_000_000 },
];

test('regions side by side around the Earth give every place to exactly one of them', () => {
  fc.assert(
    fc.property(anywhere, (place) => {
      assert.equal(regions.filter((region) => within(region, place.lon)).length, 1);
    }),
  );
});

test('a region holds its western meridian and not its eastern one', () => {
  assert.equal(regionAt(regions, { lat: 0, lon: -300_000_000 })?.name, 'middle');
  assert.equal(regionAt(regions, { lat: 0, lon: 599_999_999 })?.name, 'middle');
  assert.equal(regionAt(regions, { lat: 0, lon: 600_000_000 })?.name, 'east');
});

test('a region whose west is greater than its east crosses the antimeridian', () => {
  for (const lon of [60, 179.9999999, 180, -180, -175]) {
    assert.equal(regionAt(regions, degrees(1, lon))?.name, 'east');
  }
  assert.equal(regionAt(regions, degrees(1, -170))?.name, 'west');
});

test('a region from a meridian around to the same one is the whole Earth', () => {
  const whole = { westLon: -1_800_000_000, eastLon: 1_800_000_000 };
  fc.assert(fc.property(anywhere, (place) => assert.ok(within(whole, place.lon))));
});

test('a place that no region holds belongs to none', () => {
  assert.equal(regionAt(regions.slice(0, 2), degrees(1, 100)), undefined);
});
