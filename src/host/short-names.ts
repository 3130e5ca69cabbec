// Names in tables of the live screen: as long as there is room for them, else with a gap in the middle.
//
// `screen.ts` and `region-lines.ts` use it. Names may have 32 characters, and what one looks at are the
// figures behind them. The middle goes, since names of one world mostly differ at their ends. Pure.

const NAME_MAX = 32;
/** Fewer tell nothing: beyond it the line is cut at its end. */
const NAME_MIN = 4;

/** The longest that names may be shown so that `widthOf` them is within `columns`. */
export function roomForNames(columns: number, widthOf: (max: number) => number): number {
  let max = NAME_MAX;
  while (max > NAME_MIN && widthOf(max) > columns) max -= 1;
  return max;
}

/** What is longer than `max` loses its middle. */
export function shortened(name: string, max: number): string {
  if (name.length <= max) return name;
  const end = Math.floor((max - 1) / 2);
  return `${name.slice(0, max - 1 - end)}…${name.slice(name.length - end)}`;
}

/**
 * Of a row with all of these names but the one that stands elsewhere in it (the leader, the primary), each
 * with so much behind it; the longest count, so that it is no matter which one that is.
 */
export function rowWidth(names: readonly string[], max: number, behind: number): number {
  const widths = names.map(({ length }) => Math.min(length, max) + behind).sort((a, b) => b - a);
  return widths.slice(0, -1).reduce((sum, width) => sum + width, 0);
}

/** Of a column with these names and its head, and a blank behind them. */
export function columnWidth(head: string, names: readonly string[], max: number): number {
  return 1 + Math.max(head.length, ...names.map(({ length }) => Math.min(length, max)));
}
