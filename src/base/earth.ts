// Places on Earth and the distance between them, in numbers that are the same on every machine.
//
// Cells, regions, land, the speed check and dead reckoning stand on it. A place is WGS84 latitude and
// longitude in units of 1e-7 degree; distances are whole millimetres on a sphere of the mean radius. Only
// operations that IEEE 754 rounds exactly (+ - * / and the square root) are used, since `Math.sin` may
// differ between engines. Invariant: longitude is a circle; +180 degrees is the meridian of -180 degrees.
// Source: the haversine (Sinnott, 1984), which stays exact for small distances and at the poles.

/** A place; `wire/calls` describes it as `Place`. */
export interface LatLon {
  readonly lat: number;
  readonly lon: number;
}

export const LAT_MAX = 900_000_000;
/** A half turn: longitudes run from minus this one (included) to this one (excluded). */
export const LON_HALF_TURN = 1_800_000_000;
export const LON_TURN = 3_600_000_000;
export const RADIANS_PER_UNIT: number = Math.PI / LON_HALF_TURN;
/** Mean radius of the Earth (IUGG R1). */
export const EARTH_RADIUS_MM = 6_371_008_771;
/** One unit of latitude on the ground: 11.1 mm. */
export const MM_PER_UNIT: number = EARTH_RADIUS_MM * RADIANS_PER_UNIT;

/** Any longitude in units as the one from -180 degrees (included) to +180 (excluded). */
export function normalLon(lon: number): number {
  const turned = (lon + LON_HALF_TURN) % LON_TURN;
  return (turned < 0 ? turned + LON_TURN : turned) - LON_HALF_TURN;
}

export function normalPlace(place: LatLon): LatLon {
  return { lat: place.lat, lon: normalLon(place.lon) };
}

/**
 * The straight line between two places in millimetres: within 2 mm of the way along the ground up to
 * 10 km, then ever shorter than it, at the antipodes by a factor of 0.64. Both in turn stray from the
 * WGS84 ellipsoid by less than 0.6 %. Good for what is near; not for planning a journey.
 */
export function distanceMm(from: LatLon, to: LatLon): number {
  const ofLat = sine((to.lat - from.lat) / 2);
  const ofLon = sine(normalLon(to.lon - from.lon) / 2);
  const haversine = ofLat * ofLat + cosine(from.lat) * cosine(to.lat) * ofLon * ofLon;
  return Math.round(2 * EARTH_RADIUS_MM * Math.sqrt(haversine));
}

/** The cosine of a latitude in units: exactly zero at the poles. */
export function cosine(lat: number): number {
  return sine(LAT_MAX - Math.abs(lat));
}

/** Taylor's series up to x^17 by Horner's rule: off by less than 1e-13 within a quarter turn. */
function sine(units: number): number {
  const x = units * RADIANS_PER_UNIT;
  const s = x * x;
  const high = 1 - (s / 110) * (1 - (s / 156) * (1 - (s / 210) * (1 - s / 272)));
  return x * (1 - (s / 6) * (1 - (s / 20) * (1 - (s / 42) * (1 - (s / 72) * high))));
}
