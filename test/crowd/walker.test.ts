// Walkers: on land, in their region, near home, never too fast, and always on their way.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadCoasts } from '../../src/adapters/earth/land.ts';
import { playerId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import { ahead, bearingTo } from '../../src/crowd/great-circle.ts';
import {
  ROAM_METRES,
  SPEED_METRES_PER_SECOND_MAX,
  STEP_MS_MAX,
  Walker,
} from '../../src/crowd/walker.ts';
import type { Place } from '../../src/wire/calls.ts';
import { createLand } from '../../src/world/space/land.ts';
import { distanceMm } from '../../src/base/earth.ts';
import { within } from '../../src/world/space/region-map.ts';
import { Region } from '../../src/world/space/region.ts';
import { degrees } from '../world/space/earth.ts';

const isLand = createLand(loadCoasts());

/** On the shore nearest to the north of a place in the water. */
function shoreNorthOf(water: Place): Place {
  let place = water;
  while (!isLand(place)) place = ahead(place, 0, 20);
  return place;
}

test('in 10,000 steps a walker on a shore never leaves the land', () => {
  for (const water of [degrees(43.2, 5.0), degrees(71, -180), degrees(-34.2, 151.3)]) {
    const start = shoreNorthOf(water);
    const walker = new Walker({ random: new Random('shore'), start, mayStand: isLand });
    const been = new Set<string>();
    for (let step = 0; step < 10_000; step++) {
      const place = walker.step(500);
      assert.ok(isLand(place));
      assert.ok(distanceMm(place, start) <= ROAM_METRES * 1_000 + 1_000);
      been.add(`${Math.round(place.lat / 1e3)},${Math.round(place.lon / 1e3)}`);
    }
    assert.ok(been.size > 100, 'he goes about');
  }
});

test('in 10,000 steps a walker at the edge of a region never leaves it', () => {
  const region = { westLon: 20_000_000, eastLon: 900_000_000 };
  const mayStand = (place: Place): boolean => within(region, place.lon);
  const start = { lat: 480_000_000, lon: 20_000_500 };
  const walker = new Walker({ random: new Random('edge'), start, mayStand });
  for (let step = 0; step < 10_000; step++) assert.ok(mayStand(walker.step(500)));
});

test('a region takes every step of a walker, at 180 degrees and near the poles too', () => {
  const everywhere = { name: 'earth', westLon: 0, eastLon: 0, isLand: (): boolean => true };
  for (const start of [degrees(48, 2), degrees(-17, 180), degrees(89.999, 5), degrees(-90, 0)]) {
    const region = new Region(everywhere);
    region.enter(playerId(1), start, 0);
    const walker = new Walker({ random: new Random('pace'), start, mayStand: () => true });
    for (let step = 1; step <= 2_000; step++) {
      const place = walker.step(100);
      const motion = { sequence: step, timeMs: step * 100, ...place, north: 0, east: 0 };
      const verdict = region.move(playerId(1), motion, step * 100);
      assert.equal(verdict, undefined);
    }
  }
});

test('a walker that was asleep for an hour goes on as if for a second', () => {
  const start = degrees(48, 2);
  const walker = new Walker({ random: new Random('sleep'), start, mayStand: () => true });
  for (let step = 0; step < 100; step++) {
    const before = walker.place;
    const longest = (SPEED_METRES_PER_SECOND_MAX * STEP_MS_MAX) / 1_000;
    assert.ok(distanceMm(before, walker.step(3_600_000)) <= longest * 1_000 + 20);
  }
});

test('a walker that is put back goes on from there', () => {
  const start = degrees(48, 2);
  const walker = new Walker({ random: new Random('back'), start, mayStand: () => true });
  for (let step = 0; step < 100; step++) walker.step(1_000);
  walker.putBack(start);
  assert.deepEqual(walker.place, start);
  assert.ok(distanceMm(start, walker.step(1_000)) <= SPEED_METRES_PER_SECOND_MAX * 1_000 + 20);
});

test('a walker that may stand nowhere else stays where he is', () => {
  const start = degrees(48, 2);
  const walker = new Walker({ random: new Random('rock'), start, mayStand: () => false });
  for (let step = 0; step < 100; step++) assert.deepEqual(walker.step(500), start);
});

test('a way leads where its bearing said, over a pole and over 180 degrees', () => {
  const random = new Random('ways');
  for (const from of [degrees(0, 0), degrees(60, 179.9999), degrees(89.9999, 40), degrees(-90, 0)]) {
    for (let i = 0; i < 100; i++) {
      const metres = random.integer(10, 5_000);
      const to = ahead(from, random.integer(0, 6_283) / 1_000, metres);
      assert.ok(Math.abs(distanceMm(from, to) / 1_000 - metres) < 0.05);
      assert.ok(distanceMm(ahead(from, bearingTo(from, to), metres), to) < 100);
    }
  }
});
