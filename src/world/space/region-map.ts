// Which region a place belongs to: stretches between two meridians, from pole to pole.
//
// Regions refuse what lies outside their own stretch; the crowd asks whom to connect to. A stretch holds
// its western meridian and not its eastern one, so that a row of stretches leaves no place to two.
// Source: seed, "Recommended Topology" (NA-East, NA-West, EU, Asia).
import type { Place } from '../../wire/calls.ts';
import { normalLon } from '../../base/earth.ts';

/** West may be greater than east: it then crosses the antimeridian. Both equal: the whole Earth. */
export interface Meridians {
  readonly westLon: number;
  readonly eastLon: number;
}

/** Whether the longitude (units of 1e-7 degree) lies from west (included) to east (excluded). */
export function within(meridians: Meridians, lon: number): boolean {
  const west = normalLon(meridians.westLon);
  const east = normalLon(meridians.eastLon);
  const here = normalLon(lon);
  if (west === east) return true;
  return west < east ? here >= west && here < east : here >= west || here < east;
}

/** Whether the two stretches have a meridian in common. */
export function overlaps(one: Meridians, other: Meridians): boolean {
  return within(one, other.westLon) || within(other, one.westLon);
}

/** The first of `regions` that holds the place; `undefined` when none does. */
export function regionAt<Region extends Meridians>(
  regions: readonly Region[],
  place: Place,
): Region | undefined {
  return regions.find((region) => within(region, place.lon));
}
