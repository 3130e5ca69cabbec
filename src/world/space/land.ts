// Whether a place is on land: counts the coasts between it and the North Pole, which is water.
//
// Regions and the crowd ask it; it is made of the coasts of `adapters/earth/land`. A ray along a
// meridian, rather than along a parallel as is usual, needs no case for coasts across the antimeridian
// or around a pole.
// Invariants: (1) the lines together are closed; then an odd number of crossings is land (even-odd rule,
// Shimrat 1962), lakes and islands in them included; (2) integers only, so every machine agrees.
import { invariant } from '../../base/errors.ts';
import type { Place } from '../../wire/calls.ts';
import { LON_HALF_TURN, LON_TURN, normalLon } from '../../base/earth.ts';

/** Of 0.1 degree each: a question looks at 35 edges (at most 174), about 1.5 us; the index is 0.5 MB. */
const COLUMNS = 3_600;
const COLUMN_UNITS: number = LON_TURN / COLUMNS;

/** A stretch of coast: latitude and longitude alternate; its direction does not matter. */
export type CoastLine = readonly number[] | Int32Array;

/**
 * Answers whether a place is on land. No edge of a coast may be longer than a quarter turn: which way
 * around it leads would else be a guess.
 */
export function createLand(coasts: readonly CoastLine[]): (place: Place) => boolean {
  const land = new Land(coasts);
  return (place) => land.has(place);
}

class Land {
  readonly #lat: Int32Array;
  readonly #lon: Int32Array;
  /** Edges by column: those of column c are `#edges[#starts[c]]` up to `#starts[c + 1]`. */
  readonly #starts: Uint32Array;
  /** An edge is the number of its first point; it leads to the next one. */
  readonly #edges: Uint32Array;

  constructor(lines: readonly CoastLine[]) {
    let points = 0;
    for (const line of lines) points += line.length / 2;
    this.#lat = new Int32Array(points);
    this.#lon = new Int32Array(points);
    const firsts = this.#takePoints(lines);
    this.#starts = new Uint32Array(COLUMNS + 1);
    this.#eachColumn(firsts, (column) => bump(this.#starts, column + 1));
    for (let c = 0; c < COLUMNS; c++) this.#starts[c + 1] = at(this.#starts, c) + at(this.#starts, c + 1);
    this.#edges = new Uint32Array(at(this.#starts, COLUMNS));
    const next = this.#starts.slice();
    this.#eachColumn(firsts, (column, edge) => {
      this.#edges[bump(next, column)] = edge;
    });
  }

  has(place: Place): boolean {
    const lon = normalLon(place.lon);
    const column = columnOf(lon);
    const end = at(this.#starts, column + 1);
    let inside = false;
    for (let i = at(this.#starts, column); i < end; i++) {
      if (this.#crosses(at(this.#edges, i), place.lat, lon)) inside = !inside;
    }
    return inside;
  }

  /** Whether the edge crosses the meridian of `lon` to the north of `lat`. */
  #crosses(edge: number, lat: number, lon: number): boolean {
    const lonA = normalLon(at(this.#lon, edge) - lon);
    const lonB = lonA + normalLon(at(this.#lon, edge + 1) - at(this.#lon, edge));
    // Half open: an end on the meridian itself counts for one of the two edges that meet there.
    if (lonA <= 0 === lonB <= 0) return false;
    const latA = at(this.#lat, edge);
    const latB = at(this.#lat, edge + 1);
    if (latA <= lat && latB <= lat) return false;
    if (latA > lat && latB > lat) return true;
    const side = (latB - latA) * -lonA - (lat - latA) * (lonB - lonA);
    return lonB > lonA ? side > 0 : side < 0;
  }

  /** Copies the points; returns the number of each line's first point, and of the end. */
  #takePoints(lines: readonly CoastLine[]): readonly number[] {
    const firsts: number[] = [];
    let point = 0;
    for (const line of lines) {
      firsts.push(point);
      for (let i = 0; i + 1 < line.length; i += 2) {
        this.#lat[point] = line[i] ?? 0;
        this.#lon[point] = normalLon(line[i + 1] ?? 0);
        point += 1;
      }
    }
    firsts.push(point);
    return firsts;
  }

  #eachColumn(firsts: readonly number[], visit: (column: number, edge: number) => void): void {
    for (let line = 0; line + 1 < firsts.length; line++) {
      const last = (firsts[line + 1] ?? 0) - 1;
      for (let edge = firsts[line] ?? 0; edge < last; edge++) this.#columnsOf(edge, visit);
    }
  }

  #columnsOf(edge: number, visit: (column: number, edge: number) => void): void {
    const from = at(this.#lon, edge);
    const turn = normalLon(at(this.#lon, edge + 1) - from);
    invariant(Math.abs(turn) <= LON_HALF_TURN / 2, 'an edge of a coast is at most a quarter turn');
    const west = turn < 0 ? normalLon(from + turn) : from;
    const last = columnOf(normalLon(west + Math.abs(turn)));
    for (let column = columnOf(west); ; column = (column + 1) % COLUMNS) {
      visit(column, edge);
      if (column === last) return;
    }
  }
}

function columnOf(lon: number): number {
  return Math.floor((lon + LON_HALF_TURN) / COLUMN_UNITS);
}

function at(numbers: Int32Array | Uint32Array, index: number): number {
  return numbers[index] ?? 0;
}

/** Adds one and returns what was there before. */
function bump(numbers: Uint32Array, index: number): number {
  const before = at(numbers, index);
  numbers[index] = before + 1;
  return before;
}
