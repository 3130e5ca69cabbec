// Births: in proportion to people, near the centre, on land, in a region, the same for the same seed.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Town } from '../../src/adapters/earth/towns.ts';
import { Random } from '../../src/base/random.ts';
import { birth, BIRTH_METRES_MAX, type City, largestCities } from '../../src/crowd/birth.ts';
import type { Place } from '../../src/wire/calls.ts';
import { distanceMm } from '../../src/base/earth.ts';
import { within } from '../../src/world/space/region-map.ts';
import { degrees } from '../world/space/earth.ts';

const west = { name: 'west', westLon: -1_800_000_000, eastLon: 0 };
const east = { name: 'east', westLon: 0, eastLon: 1_000_000_000 };
const regions = [west, east];
const onePerDegree = ({ lat, lon }: Place): string => `${Math.floor(lat / 1e7)},${Math.floor(lon / 1e7)}`;

function town(name: string, population: number, place: Place): Town {
  return { name, country: 'XX', population, ...place };
}

const towns = [
  town('Bigton', 600, degrees(10.5, 10.5)),
  town('Biggest Suburb', 100, degrees(10.6, 10.6)),
  town('Otherton', 200, degrees(-20.5, -30.5)),
  town('Edgeville', 100, degrees(5.5, 0.0000001)),
  town('Nowhere', 9_000, degrees(5.5, 150.5)),
];

test('towns of one cell are one city, called after the largest and as large as all', () => {
  const cities = largestCities({ towns, regions, citiesMax: 10, cellOf: onePerDegree });
  const found = cities.map((city) => [city.town.name, city.population]);
  assert.deepEqual(found, [['Bigton', 700], ['Otherton', 200], ['Edgeville', 100]]);
});

test('only the largest cities are taken, and none outside of all regions', () => {
  const cities = largestCities({ towns, regions, citiesMax: 2, cellOf: onePerDegree });
  assert.deepEqual(cities.map((city) => city.town.name), ['Bigton', 'Otherton']);
});

const cities = largestCities({ towns, regions, citiesMax: 10, cellOf: onePerDegree });
const anywhere = { cities, regions, isLand: (): boolean => true };

test('births follow population', () => {
  const random = new Random('births');
  const counts = new Map<City, number>();
  for (let i = 0; i < 10_000; i++) {
    const born = birth(random, anywhere);
    assert.ok(born !== undefined);
    counts.set(born.city, (counts.get(born.city) ?? 0) + 1);
  }
  for (const city of cities) {
    const expected = (city.population / 1_000) * 10_000;
    // Five standard deviations of a binomial distribution.
    const slack = 5 * Math.sqrt(expected * (1 - expected / 10_000));
    assert.ok(Math.abs((counts.get(city) ?? 0) - expected) < slack, city.town.name);
  }
});

test('births are near the centre and in the region that they name', () => {
  const random = new Random('near');
  for (let i = 0; i < 1_000; i++) {
    const born = birth(random, anywhere);
    assert.ok(born !== undefined);
    assert.ok(distanceMm(born.place, born.city.town) <= BIRTH_METRES_MAX * 1_000 + 20);
    const region = regions.find(({ name }) => name === born.region);
    assert.ok(region !== undefined && within(region, born.place.lon));
  }
});

test('births are on land, at the centre itself where there is hardly any', () => {
  const random = new Random('island');
  const centres = new Set(towns.map(({ lat, lon }) => `${lat},${lon}`));
  const isLand = ({ lat, lon }: Place): boolean => centres.has(`${lat},${lon}`);
  for (let i = 0; i < 50; i++) {
    const born = birth(random, { cities, regions, isLand });
    assert.ok(born !== undefined && isLand(born.place));
  }
});

test('the same seed gives the same births, another one others', () => {
  const births = (seed: string): readonly unknown[] => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => birth(random, anywhere));
  };
  assert.deepEqual(births('a'), births('a'));
  assert.notDeepEqual(births('a'), births('b'));
});

test('nobody is born where there are no cities', () => {
  assert.equal(birth(new Random(1), { ...anywhere, cities: [] }), undefined);
});
