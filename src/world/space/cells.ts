// A grid of cells over the whole Earth, about as wide as high everywhere, for finding who is near.
//
// `interest` keeps players by cell. Rows run along the parallels and are equally high; each row has its
// own number of columns, as many as fit at its edge nearer to the pole, down to one around the pole.
// Invariants: (1) two places within sight of each other lie in cells that see each other, also across
// the antimeridian and over a pole; (2) seeing is mutual; (3) a cell's key is one safe integer.
import { invariant } from '../../base/errors.ts';
import type { Place } from '../../wire/calls.ts';
import {
  cosine,
  distanceMm,
  EARTH_RADIUS_MM,
  LAT_MAX,
  LON_HALF_TURN,
  LON_TURN,
  MM_PER_UNIT,
  normalLon,
  RADIANS_PER_UNIT,
} from '../../base/earth.ts';

/** Below, columns times a turn of longitude would leave the safe integers. */
export const SIGHT_METRES_MIN = 20;
/** Above, the straight lines that are measured would differ from the ground by more than a cell's slack. */
export const SIGHT_METRES_MAX = 10_000;

const COLUMNS_MAX = 2 ** 21;
/** So many cells of a row, in so many rows, share a phase. */
const BLOCK_CELLS = 16;
/** Rows are a little higher than sight: rounding and the Earth's curve stay within (1e-7 at 10 km). */
const SLACK = 1.000_001;

export class Cells {
  /** Height of a row in units; the northernmost takes the rest and is up to twice as high. */
  readonly #rowUnits: number;
  readonly #rows: number;

  constructor(sightMetres: number) {
    invariant(
      sightMetres >= SIGHT_METRES_MIN && sightMetres <= SIGHT_METRES_MAX,
      `sight is from ${SIGHT_METRES_MIN} to ${SIGHT_METRES_MAX} metres`,
    );
    this.#rowUnits = Math.ceil((sightMetres * 1_000 * SLACK) / MM_PER_UNIT) + 1;
    this.#rows = Math.floor((2 * LAT_MAX) / this.#rowUnits);
  }

  /** The key of the cell that holds the place. */
  at(place: Place): number {
    const row = Math.min(Math.floor((place.lat + LAT_MAX) / this.#rowUnits), this.#rows - 1);
    return row * COLUMNS_MAX + columnOf(fromAntimeridian(place.lon), this.#columns(row));
  }

  /**
   * The cells that a viewer anywhere in this one must see, itself first, then by the distance of their
   * centres: 7 to 16 of them, and no place in them is farther than five times sight from the viewer.
   */
  around(key: number): readonly number[] {
    const keys: number[] = [];
    const row = Math.floor(key / COLUMNS_MAX);
    for (let other = row - 1; other <= row + 1; other++) {
      if (other >= 0 && other < this.#rows) this.#collectRow(key, other, keys);
    }
    const centre = this.centre(key);
    const far = new Map(keys.map((near) => [near, distanceMm(centre, this.centre(near))]));
    return keys.sort((a, b) => (far.get(a) ?? 0) - (far.get(b) ?? 0) || a - b);
  }

  /**
   * Which of `count` phases a cell belongs to: the same one for a block of neighbours, several times as
   * wide as sight, so that those who see each other mostly share theirs; the next block's is next to it.
   */
  phase(key: number, count: number): number {
    const row = Math.floor(key / COLUMNS_MAX);
    const blockRow = Math.floor(row / BLOCK_CELLS);
    // All rows of a block agree on its columns, so that its sides are straight.
    const blocks = Math.ceil(this.#columns(blockRow * BLOCK_CELLS) / BLOCK_CELLS);
    const blockColumn = Math.floor((((key % COLUMNS_MAX) + 0.5) * blocks) / this.#columns(row));
    return (blockRow + blockColumn) % count;
  }

  /** From which meridian (included) to which (excluded) a cell reaches; equal: around the Earth. */
  meridians(key: number): { readonly westLon: number; readonly eastLon: number } {
    const columns = this.#columns(Math.floor(key / COLUMNS_MAX));
    const column = key % COLUMNS_MAX;
    const lon = (units: number): number => normalLon(units - LON_HALF_TURN);
    return {
      westLon: lon(firstUnit(column, columns)),
      eastLon: lon(firstUnit(column + 1, columns)),
    };
  }

  /** The middle of a cell; of the one cell around a pole it is on its middle parallel all the same. */
  centre(key: number): Place {
    const row = Math.floor(key / COLUMNS_MAX);
    const columns = this.#columns(row);
    const middle = Math.floor((((key % COLUMNS_MAX) + 0.5) * LON_TURN) / columns);
    const lat = Math.floor((this.#south(row) + this.#south(row + 1)) / 2);
    return { lat, lon: middle - LON_HALF_TURN };
  }

  /** Adds the columns of `row` that some place in the cell `key` can see. */
  #collectRow(key: number, row: number, keys: number[]): void {
    const ownRow = Math.floor(key / COLUMNS_MAX);
    const column = key % COLUMNS_MAX;
    const ownColumns = this.#columns(ownRow);
    const columns = this.#columns(row);
    const reach = this.#reachUnits(ownRow, row);
    const west = firstUnit(column, ownColumns) - reach;
    const east = firstUnit(column + 1, ownColumns) - 1 + reach;
    // Only the cell around a pole reaches everywhere: its neighbours' windows are below 200 degrees.
    const first = reach === LON_TURN ? 0 : columnOf(wrapped(west), columns);
    const last = reach === LON_TURN ? columns - 1 : columnOf(wrapped(east), columns);
    for (let seen = first; ; seen = (seen + 1) % columns) {
      keys.push(row * COLUMNS_MAX + seen);
      if (seen === last) return;
    }
  }

  /**
   * How far apart in longitude two places in these rows can be and still be within sight. From the
   * haversine, sin(d / 2) <= sight / (2 R cos), and an angle is never more than its tangent.
   */
  #reachUnits(row: number, other: number): number {
    const narrow = Math.min(this.#cosine(row), this.#cosine(other));
    if (narrow === 0) return LON_TURN;
    const sine = (this.#rowUnits * MM_PER_UNIT) / (2 * EARTH_RADIUS_MM * narrow);
    const radians = (2 * sine) / Math.sqrt(1 - sine * sine);
    return Math.ceil(radians / RADIANS_PER_UNIT) + 1;
  }

  #columns(row: number): number {
    const aroundMm = 2 * Math.PI * EARTH_RADIUS_MM * this.#cosine(row);
    return Math.max(1, Math.floor(aroundMm / (this.#rowUnits * MM_PER_UNIT)));
  }

  /** Of the row's edge nearer to a pole, where its columns are narrowest. */
  #cosine(row: number): number {
    return Math.min(cosine(this.#south(row)), cosine(this.#south(row + 1)));
  }

  #south(row: number): number {
    return row === this.#rows ? LAT_MAX : row * this.#rowUnits - LAT_MAX;
  }
}

function fromAntimeridian(lon: number): number {
  return normalLon(lon) + LON_HALF_TURN;
}

function wrapped(units: number): number {
  return fromAntimeridian(units - LON_HALF_TURN);
}

function columnOf(units: number, columns: number): number {
  return Math.floor((units * columns) / LON_TURN);
}

/** The westernmost unit of a column: the least one that `columnOf` puts there. */
function firstUnit(column: number, columns: number): number {
  return Math.ceil((column * LON_TURN) / columns);
}
