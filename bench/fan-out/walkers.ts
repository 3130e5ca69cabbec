// Where the benchmark's players start and how they walk: the public workload "position fan-out v1".
//
// Everybody walks 5 m/s, the heading changes a little with each step, and at the edge of his ground he
// turns back. Grounds are a square that all share, or the surroundings of towns.
import { loadCoasts } from '../../src/adapters/earth/land.ts';
import { cellOf } from '../../src/adapters/earth/grid.ts';
import { loadTowns } from '../../src/adapters/earth/towns.ts';
import { cosine, MM_PER_UNIT } from '../../src/base/earth.ts';
import { Random } from '../../src/base/random.ts';
import { birth, largestCities } from '../../src/crowd/birth.ts';
import type { Place } from '../../src/wire/calls.ts';
import { createLand } from '../../src/world/space/land.ts';

export const METRES_PER_SECOND = 5;
/** A step's heading is at most so many radians off the one before. */
const TURN_MAX = 0.1;
/** Around a birth in a town, as the crowd's walkers. */
const ROAM_METRES = 300;
const TOWNS = 500;
const TOWN_POPULATION_MIN = 20_000;

/** Metres east and north of a place, on a plane: grounds are small. */
export class Walk {
  readonly #origin: Place;
  readonly #unitsPerMetre: { readonly lat: number; readonly lon: number };
  readonly #random: Random;
  readonly #half: number;
  #x: number;
  #y: number;
  #heading: number;
  #atMs = 0;

  constructor(o: { random: Random; origin: Place; halfMetres: number }) {
    this.#random = o.random;
    this.#origin = o.origin;
    const lat = 1_000 / MM_PER_UNIT;
    this.#unitsPerMetre = { lat, lon: lat / cosine(o.origin.lat) };
    this.#half = o.halfMetres;
    this.#x = this.#between(-o.halfMetres, o.halfMetres);
    this.#y = this.#between(-o.halfMetres, o.halfMetres);
    this.#heading = this.#between(0, 2 * Math.PI);
  }

  /** Walks on to that time. */
  step(nowMs: number): void {
    const metres = (METRES_PER_SECOND * (nowMs - this.#atMs)) / 1_000;
    this.#atMs = nowMs;
    this.#heading += this.#between(-TURN_MAX, TURN_MAX);
    this.#x += Math.sin(this.#heading) * metres;
    this.#y += Math.cos(this.#heading) * metres;
    if (Math.abs(this.#x) > this.#half) {
      this.#x = Math.sign(this.#x) * this.#half;
      this.#heading = -this.#heading;
    }
    if (Math.abs(this.#y) > this.#half) {
      this.#y = Math.sign(this.#y) * this.#half;
      this.#heading = Math.PI - this.#heading;
    }
  }

  begin(nowMs: number): void {
    this.#atMs = nowMs;
  }

  /** Where he is at that time, at most a step later than he last stepped. */
  at(nowMs: number): Place {
    const metres = (METRES_PER_SECOND * (nowMs - this.#atMs)) / 1_000;
    const east = this.#x + Math.sin(this.#heading) * metres;
    const north = this.#y + Math.cos(this.#heading) * metres;
    return {
      lat: this.#origin.lat + Math.round(north * this.#unitsPerMetre.lat),
      lon: this.#origin.lon + Math.round(east * this.#unitsPerMetre.lon),
    };
  }

  #between(min: number, max: number): number {
    return min + (this.#random.uint32() / 2 ** 32) * (max - min);
  }
}

/** Everybody somewhere in one square of that side. */
export function inSquare(players: number, sideMetres: number): readonly Walk[] {
  const random = new Random('fan-out square');
  const origin = { lat: 10_000_000, lon: 100_000_000 };
  return Array.from({ length: players }, (_, index) => {
    const own = random.split(`${index}`);
    return new Walk({ random: own, origin, halfMetres: sideMetres / 2 });
  });
}

/** Everybody near his birth in one of the world's largest cities, in proportion to their people. */
export function inTowns(players: number): readonly Walk[] {
  const random = new Random('fan-out towns');
  const isLand = createLand(loadCoasts());
  const towns = loadTowns(isLand).filter(({ population }) => population >= TOWN_POPULATION_MIN);
  const regions = [{ name: 'earth', westLon: -1_800_000_000, eastLon: 1_800_000_000 }];
  const cities = largestCities({ towns, regions, citiesMax: TOWNS, cellOf });
  return Array.from({ length: players }, (_, index) => {
    const own = random.split(`${index}`);
    const born = birth(own, { cities, regions, isLand });
    if (born === undefined) throw new Error('there are no cities');
    return new Walk({ random: own, origin: born.place, halfMetres: ROAM_METRES });
  });
}
