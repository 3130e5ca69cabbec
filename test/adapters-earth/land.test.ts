// The real Earth's land: known places, and the same answer as the TopoJSON library's polygons.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import { loadCoasts } from '../../src/adapters/earth/land.ts';
import { Random } from '../../src/base/random.ts';
import { createLand } from '../../src/world/space/land.ts';
import { degrees } from '../world/space/earth.ts';

const isLand = createLand(loadCoasts());

function assertAll(expected: boolean, places: Record<string, readonly [number, number]>): void {
  for (const [name, [lat, lon]] of Object.entries(places)) {
    assert.equal(isLand(degrees(lat, lon)), expected, name);
  }
}

test('cities, islands and mountains are on land', () => {
  assertAll(true, {
    Paris: [48.8566, 2.3522],
    Wellington: [-41.2865, 174.7762],
    Tokyo: [35.68, 139.76],
    Kilimanjaro: [-3.0674, 37.3556],
    Honolulu: [21.32, -157.85],
    'Isla Grande de Tierra del Fuego': [-54.2, -68.2],
    Greenland: [72, -40],
  });
});

test('oceans and the Caspian Sea are not land', () => {
  assertAll(false, {
    'mid-Atlantic': [30, -40],
    'Pacific at 180 degrees': [0, 180],
    'Bering Sea at 180 degrees': [60, -180],
    'Southern Ocean': [-60, 100],
    'Caspian Sea': [42, 50.5],
    'Bass Strait': [-39.8, 145.5],
  });
});

test('land around 180 degrees is land on both sides of it and on it', () => {
  assertAll(true, {
    'Chukotka, east': [66.5, -179.5],
    'Chukotka, west': [67, 179.5],
    'Chukotka on the antimeridian': [67, 180],
    'Wrangel Island, east': [71.2, -179.8],
    'Wrangel Island on the antimeridian': [71.2, -180],
    'Taveuni, Fiji': [-16.8, -179.98],
    'Viti Levu, Fiji': [-17.8, 178],
  });
});

test('Antarctica is land up to the pole, and the Arctic is not', () => {
  assertAll(true, {
    'the South Pole': [-90, 0],
    'a step from the South Pole': [-89.9995, 33],
    'Vostok Station': [-78.46, 106.84],
    'Antarctica at 180 degrees': [-86, 180],
  });
  assertAll(false, { 'the North Pole': [90, 0], 'the Arctic Ocean': [85, -170] });
});

/** The library's rings in degrees, each unrolled from its first point: no leap at 180 degrees. */
function unrolledRings(): readonly Float64Array[] {
  const file = fileURLToPath(import.meta.resolve('world-atlas/land-50m.json'));
  const topology: Topology<{ land: GeometryCollection }> = JSON.parse(readFileSync(file, 'utf8'));
  const { features } = feature(topology, topology.objects.land);
  const rings: Float64Array[] = [];
  for (const { geometry } of features) {
    assert.ok(geometry.type === 'MultiPolygon');
    for (const ring of geometry.coordinates.flat()) {
      let x = ring[0]?.[0] ?? 0;
      const points = ring.map(([lon = 0, lat = 0]) => {
        x += ((((lon - x) % 360) + 540) % 360) - 180;
        return [lat, x];
      });
      rings.push(Float64Array.from(points.flat()));
    }
  }
  return rings;
}

/** The usual test in the flat map: a ray to the east. */
function inRing(ring: Float64Array, lat: number, lon: number): boolean {
  let inside = false;
  for (let i = 0; i + 3 < ring.length; i += 2) {
    const [latA = 0, lonA = 0, latB = 0, lonB = 0] = [ring[i], ring[i + 1], ring[i + 2], ring[i + 3]];
    if (latA > lat === latB > lat) continue;
    if (lon < lonA + ((lat - latA) / (latB - latA)) * (lonB - lonA)) inside = !inside;
  }
  return inside;
}

test('north of Antarctica, land is where the polygons of the TopoJSON library are', () => {
  const rings = unrolledRings();
  const random = new Random('land');
  let land = 0;
  for (let i = 0; i < 500; i++) {
    const lat = random.integer(-59_000, 84_000) / 1_000;
    const lon = random.integer(-180_000, 179_999) / 1_000;
    // An unrolled ring may lie a turn to the east or west of where the place is written.
    const around = [lon - 360, lon, lon + 360];
    const inside = rings.filter((ring) => around.some((east) => inRing(ring, lat, east)));
    const expected = inside.length % 2 === 1;
    assert.equal(isLand(degrees(lat, lon)), expected, `${lat} ${lon}`);
    if (expected) land += 1;
  }
  assert.ok(land > 100 && land < 250);
});
