// Lines for a terminal: pieces of text with a tone, and figures as people read them.
//
// `screen.ts` and `report-text.ts` make them, the terminal colours them. Pure, and written
// without `Intl`, so that output is the same everywhere.
import type { Tone } from '../adapters/node/terminal.ts';

export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Piece[];

export function piece(text: string, tone: Tone = 'plain'): Piece {
  return { text, tone };
}

/** The line cut to `columns`; what is longer ends in an ellipsis. Blanks at its end count for nothing. */
export function fit(line: Line, columns: number): Line {
  const text = line.map((each) => each.text).join('');
  if (text.length <= columns) return line;
  const isCut = text.trimEnd().length > columns;
  const kept: Piece[] = [];
  let left = Math.max(0, isCut ? columns - 1 : columns);
  for (const { text: part, tone } of line) {
    if (left === 0) break;
    kept.push({ text: part.slice(0, left), tone });
    left -= Math.min(left, part.length);
  }
  return isCut ? [...kept, piece('…')] : kept;
}

/** The line as text, each piece painted by `paint`. */
export function paintLine(line: Line, paint: (tone: Tone, text: string) => string): string {
  return line.map(({ tone, text }) => paint(tone, text)).join('');
}

/** `12,345`; fractions are rounded. */
export function grouped(value: number): string {
  const digits = String(Math.round(value));
  return digits.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Milliseconds with as many digits as tell something: `0.42`, `3.1`, `128`. */
export function milliseconds(value: number): string {
  if (value === 0) return '-';
  if (value < 1) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : grouped(value);
}

/** Bytes in the unit that keeps them short: `640 B`, `12 kB`, `3.4 MB`, `128 MB`. */
export function byteCount(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1_000_000) return `${grouped(value / 1_000)} kB`;
  const megabytes = value / 1_000_000;
  return `${megabytes < 100 ? megabytes.toFixed(1) : grouped(megabytes)} MB`;
}
