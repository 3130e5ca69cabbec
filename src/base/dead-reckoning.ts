// Dead reckoning: where somebody is by now who went that way, so that steady walking needs no messages.
//
// The client decides by it when to send, the region when to tell, and every viewer draws by it. A track
// is a place, a velocity and a time; the prediction is linear in latitude and longitude and made of whole
// numbers, so that every language gets the same unit, and needs neither sine nor cosine.
// Invariant: longitude wraps at the antimeridian and latitude ends at the poles. Near a pole a straight
// way is no line of longitude and the prediction soon breaks: that costs messages, never truth.
// Source: IEEE 1278.1 (DIS), dead reckoning model "constant velocity, world coordinates".
import { cosine, LAT_MAX, type LatLon, MM_PER_UNIT, normalLon } from './earth.ts';

/** A velocity's parts travel in 16 bits: 364 m/s northward, and eastward 12 m/s up to 88 degrees. */
export const VELOCITY_MAX = 32_767;

/**
 * Who claims to be faster is predicted to stand: he catches up after silence, or lies. Above what a
 * region allows for long, for the rounding of velocities.
 */
export const PREDICTED_METRES_PER_SECOND_MAX = 15;

export interface Velocity {
  /** Units of latitude per second. */
  readonly north: number;
  /** Units of longitude per second. */
  readonly east: number;
}

/** Who stood at a place at `atMs` and went on from there; `atMs` is of whatever clock both sides mean. */
export interface Track extends LatLon, Velocity {
  readonly atMs: number;
}

/** Latitude at that time, which may not be before the track's own. */
export function latAt(track: Track, nowMs: number): number {
  if (track.north === 0) return track.lat;
  const lat = track.lat + Math.floor((track.north * (nowMs - track.atMs)) / 1_000);
  return Math.max(-LAT_MAX, Math.min(LAT_MAX, lat));
}

/** Longitude at that time. */
export function lonAt(track: Track, nowMs: number): number {
  if (track.east === 0) return track.lon;
  return normalLon(track.lon + Math.floor((track.east * (nowMs - track.atMs)) / 1_000));
}

/** The velocity that leads from one place to the other in that time, as far as it can be said. */
export function velocityBetween(from: LatLon, to: LatLon, milliseconds: number): Velocity {
  if (milliseconds <= 0) return { north: 0, east: 0 };
  return {
    north: part(to.lat - from.lat, milliseconds),
    east: part(normalLon(to.lon - from.lon), milliseconds),
  };
}

/** The velocity, or none when it is above `PREDICTED_METRES_PER_SECOND_MAX` on the ground there. */
export function believed({ north, east }: Velocity, lat: number): Velocity {
  const onGround = east * cosine(lat);
  const limit = (PREDICTED_METRES_PER_SECOND_MAX * 1_000) / MM_PER_UNIT;
  const isTooFast = north * north + onGround * onGround > limit * limit;
  return isTooFast ? { north: 0, east: 0 } : { north, east };
}

function part(units: number, milliseconds: number): number {
  // Plus zero, since rounding makes a negative zero, which is another value to some.
  const perSecond = Math.round((units * 1_000) / milliseconds) + 0;
  return Math.max(-VELOCITY_MAX, Math.min(VELOCITY_MAX, perSecond));
}
