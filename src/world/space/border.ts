// Which other regions look into a cell: those whose players may see who stands there.
//
// A region's tick shows its neighbours the avatars of such cells as ghosts, and nobody else's. Edges are
// meridians, so the antimeridian is an edge like others, and around a pole every region is a neighbour
// of every other one. The answer for a cell never changes and is kept while the cell is occupied.
import { type Cells } from './cells.ts';
import { type Meridians, overlaps } from './region-map.ts';

export interface Neighbour extends Meridians {
  /** The region's number. */
  readonly number: number;
}

/** The numbers of those `others` that reach into a cell which is seen from this one. */
export function lookersInto(
  key: number,
  cells: Cells,
  others: readonly Neighbour[],
): readonly number[] {
  const seen = cells.around(key).map((near) => cells.meridians(near));
  return others
    .filter((other) => seen.some((stretch) => overlaps(stretch, other)))
    .map(({ number }) => number);
}
