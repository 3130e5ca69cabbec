// Where the crowd's players are born: in the world's largest cities, in proportion to their people.
//
// The crowd makes the list once and draws every player's birth from it. Towns are taken together by grid
// cell, since a gazetteer counts a conurbation in many pieces; only the largest are taken, so that a few
// hundred players on a whole planet still meet each other. The same seed gives the same births.
import type { Town } from '../adapters/earth/towns.ts';
import type { Random } from '../base/random.ts';
import type { Place } from '../wire/calls.ts';
import { type Meridians, regionAt } from '../world/space/region-map.ts';
import { ahead } from './great-circle.ts';

/** Births lie this near to the centre of the city, well within sight of each other. */
export const BIRTH_METRES_MAX = 100;

const TRIES_MAX = 16;

export interface NamedRegion extends Meridians {
  readonly name: string;
}

/** A conurbation: its largest town, and the people of all its towns. */
export interface City {
  readonly town: Town;
  readonly population: number;
}

export interface Birth {
  readonly place: Place;
  /** Name of the region whose gateway the player must use. */
  readonly region: string;
  readonly city: City;
}

/**
 * The `citiesMax` largest cities that lie in one of the regions, the largest first. `cellOf` says which
 * towns belong together.
 */
export function largestCities(o: {
  readonly towns: readonly Town[];
  readonly regions: readonly NamedRegion[];
  readonly citiesMax: number;
  cellOf(place: Place): string;
}): readonly City[] {
  const cities = new Map<string, City>();
  for (const town of o.towns) {
    if (regionAt(o.regions, town) === undefined) continue;
    const cell = o.cellOf(town);
    const before = cities.get(cell);
    const largest = before !== undefined && before.town.population >= town.population;
    const population = (before?.population ?? 0) + town.population;
    cities.set(cell, { town: largest ? before.town : town, population });
  }
  return [...cities.values()].sort((a, b) => b.population - a.population).slice(0, o.citiesMax);
}

/** Draws a birth on land near a city's centre; `undefined` only when there are no cities. */
export function birth(
  random: Random,
  world: {
    readonly cities: readonly City[];
    readonly regions: readonly NamedRegion[];
    isLand(place: Place): boolean;
  },
): Birth | undefined {
  const city = drawCity(random, world.cities);
  if (city === undefined) return undefined;
  const region = regionAt(world.regions, city.town);
  if (region === undefined) return undefined;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // The root spreads births evenly over the circle instead of crowding its middle.
    const metres = Math.sqrt(fraction(random)) * BIRTH_METRES_MAX;
    const place = ahead(city.town, fraction(random) * 2 * Math.PI, metres);
    if (!world.isLand(place) || regionAt(world.regions, place) !== region) continue;
    return { place, region: region.name, city };
  }
  const { lat, lon } = city.town;
  return { place: { lat, lon }, region: region.name, city };
}

function drawCity(random: Random, cities: readonly City[]): City | undefined {
  let people = 0;
  for (const city of cities) people += city.population;
  let rest = fraction(random) * people;
  for (const city of cities) {
    rest -= city.population;
    if (rest < 0) return city;
  }
  return cities[cities.length - 1];
}

/** From 0 (included) to 1 (excluded). */
function fraction(random: Random): number {
  return random.uint32() / 2 ** 32;
}
