// What led to a verdict, drawn: one lane for the world and one for each node, time from left to right.
//
// `cli/sim.ts` prints the text and writes the picture for a failing seed. SVG by hand: no library, no
// fonts, and it opens anywhere.
import { describePlan, type Plan } from './plan/plan.ts';
import type { Verdict } from './run.ts';

/** `lane` is a node's id; 0 is the whole world. */
export interface Mark {
  readonly atMs: number;
  readonly lane: number;
  readonly what: string;
}

const MARKS_MAX = 400;
const WIDTH = 1_200;
const LEFT = 90;
const LANE_HEIGHT = 46;
const TOP = 60;

/** The last marks, one on a line. */
export function drawText(plan: Plan, verdict: Verdict, marks: readonly Mark[]): string {
  const lines = marks.slice(-MARKS_MAX).map(({ atMs, lane, what }) => {
    const who = lane === 0 ? 'world ' : `node ${lane}`;
    return `${atMs.toFixed(1).padStart(9)} ms  ${who}  ${what}`;
  });
  return [describePlan(plan), ...lines, `${verdict.result}: ${verdict.what}`, ''].join('\n');
}

export function drawSvg(plan: Plan, verdict: Verdict, marks: readonly Mark[]): string {
  const shown = marks.slice(-MARKS_MAX);
  const lanes = [...new Set([0, ...shown.map(({ lane }) => lane)])].sort((a, b) => a - b);
  const fromMs = shown[0]?.atMs ?? 0;
  const spanMs = Math.max(1, (shown.at(-1)?.atMs ?? 1) - fromMs);
  const x = (atMs: number): number =>
    Math.round(LEFT + ((atMs - fromMs) / spanMs) * (WIDTH - LEFT - 20));
  const y = (lane: number): number => TOP + lanes.indexOf(lane) * LANE_HEIGHT;
  const height = TOP + lanes.length * LANE_HEIGHT;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
      'font-family="monospace">',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(10, 20, `seed ${plan.seed}: ${verdict.result} ${verdict.invariant ?? ''}`, 14),
    text(10, 38, verdict.what.slice(0, 150), 11),
    ...lanes.flatMap((lane) => [
      `<line x1="${LEFT}" y1="${y(lane)}" x2="${WIDTH}" y2="${y(lane)}" stroke="#ccc"/>`,
      text(10, y(lane) + 4, lane === 0 ? 'world' : `node ${lane}`, 12),
    ]),
    ...shown.map((mark, i) => drawMark(mark, { x: x(mark.atMs), y: y(mark.lane), step: i % 3 })),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function drawMark(
  { atMs, what }: Mark,
  place: { readonly x: number; readonly y: number; readonly step: number },
): string {
  const title = `<title>${escape(`${atMs.toFixed(1)} ms: ${what}`)}</title>`;
  const dot = `<circle cx="${place.x}" cy="${place.y}" r="4" fill="${colourOf(what)}">${title}</circle>`;
  return dot + text(place.x + 5, place.y - 4 + place.step * 10, what.slice(0, 28), 8);
}

function colourOf(what: string): string {
  if (what.startsWith('leads')) return '#2a7';
  if (/^(?:killed|loses power|ends)/.test(what)) return '#c33';
  return what.startsWith('starts') ? '#47c' : '#a60';
}

function text(x: number, y: number, words: string, size: number): string {
  return `<text x="${x}" y="${y}" font-size="${size}">${escape(words)}</text>`;
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
