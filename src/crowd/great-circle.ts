// Walking straight on over a globe: where a way leads, and which way leads somewhere.
//
// Births and walkers use it. By vectors, so that nothing special happens at the poles or at 180 degrees.
// Angles are bearings in radians, clockwise from north; floats are allowed here, the crowd is no replica.
import type { Place } from '../wire/calls.ts';
import { EARTH_RADIUS_MM, normalLon, RADIANS_PER_UNIT } from '../base/earth.ts';

type Vector = readonly [number, number, number];

const EARTH_RADIUS_METRES: number = EARTH_RADIUS_MM / 1_000;

/** The place `metres` ahead on the great circle that leaves `from` at the bearing. */
export function ahead(from: Place, bearing: number, metres: number): Place {
  const { up, north, east } = compass(from);
  const angle = metres / EARTH_RADIUS_METRES;
  const on = (axis: 0 | 1 | 2): number =>
    up[axis] * Math.cos(angle) +
    (north[axis] * Math.cos(bearing) + east[axis] * Math.sin(bearing)) * Math.sin(angle);
  const [x, y, z] = [on(0), on(1), on(2)];
  return {
    // Plus zero, since rounding makes a negative zero, which is another value to some.
    lat: Math.round(Math.atan2(z, Math.hypot(x, y)) / RADIANS_PER_UNIT) + 0,
    lon: normalLon(Math.round(Math.atan2(y, x) / RADIANS_PER_UNIT)),
  };
}

/** The bearing at which the shortest way from one place to another begins. */
export function bearingTo(from: Place, to: Place): number {
  const { north, east } = compass(from);
  const target = compass(to).up;
  return Math.atan2(product(target, east), product(target, north));
}

function compass(place: Place): { up: Vector; north: Vector; east: Vector } {
  const lat = place.lat * RADIANS_PER_UNIT;
  const lon = place.lon * RADIANS_PER_UNIT;
  const [sinLat, cosLat] = [Math.sin(lat), Math.cos(lat)];
  const [sinLon, cosLon] = [Math.sin(lon), Math.cos(lon)];
  return {
    up: [cosLat * cosLon, cosLat * sinLon, sinLat],
    north: [-sinLat * cosLon, -sinLat * sinLon, cosLat],
    east: [-sinLon, cosLon, 0],
  };
}

function product(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
