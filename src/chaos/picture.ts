// The picture of a drill: latency and outcomes over time, with the faults drawn in. SVG, by hand.
//
// `run.ts` writes it beside the histories. Pure: spans and faults in, text out. Above, the faults, each a bar
// in a lane; below it latency on a logarithmic scale, and the outcomes of each span stacked.
import type { Struck } from './nemesis.ts';
import { SPAN_MS, type Span } from './timeline.ts';

export interface PictureOptions {
  readonly title: string;
  readonly spans: readonly Span[];
  readonly struck: readonly Struck[];
  /** When the faults were over and everything was healed. */
  readonly healedMs: number;
}

const WIDTH = 1_400;
const LEFT = 70;
const RIGHT = 20;
const LANE = 17;
const LATENCY_HEIGHT = 240;
const OUTCOME_HEIGHT = 160;
const GAP = 34;
const TOP = 48;
/** From a tenth of a millisecond to ten seconds. */
const DECADES: readonly number[] = [0.1, 1, 10, 100, 1_000, 10_000];
const TICKS_MAX = 24;
const HEALED = '#2a8f4f';

const OUTCOMES = [
  ['done', '#4caf6d'],
  ['rejected', '#5b8def'],
  ['unavailable', '#f0a63a'],
  ['uncertain', '#d9463e'],
] as const;
const LATENCIES = [
  ['maxMs', '#c9b6d8', 'max'],
  ['p99Ms', '#8e5fb0', 'p99'],
  ['p50Ms', '#2d2d5f', 'p50'],
] as const;

export function drawPicture(options: PictureOptions): string {
  const { title, spans, struck, healedMs } = options;
  const endMs = Math.max(SPAN_MS, spans.length * SPAN_MS, ...struck.map(({ toMs }) => toMs));
  const lanes = lanesOf(struck);
  const x = (atMs: number): number => LEFT + (atMs / endMs) * (WIDTH - LEFT - RIGHT);
  const faultsHeight = LANE * Math.max(1, Math.max(0, ...lanes) + 1);
  const latencyTop = TOP + faultsHeight + GAP;
  const outcomeTop = latencyTop + LATENCY_HEIGHT + GAP;
  const height = outcomeTop + OUTCOME_HEIGHT + 40;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="ui-sans-serif, system-ui, sans-serif" font-size="11">',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(LEFT, 22, escape(title), 'font-size="15" font-weight="600"'),
    ...bands(struck, lanes, { x, bottom: outcomeTop + OUTCOME_HEIGHT }),
    ...latencyLines(spans, { x, top: latencyTop }),
    ...outcomeBars(spans, { x, top: outcomeTop }),
    ...timeAxis(endMs, { x, top: outcomeTop + OUTCOME_HEIGHT }),
    line(x(healedMs), TOP - 8, x(healedMs), outcomeTop + OUTCOME_HEIGHT, HEALED),
    text(x(healedMs) - 4, TOP - 10, 'healed', `fill="${HEALED}" text-anchor="end"`),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

type Across = (atMs: number) => number;

/** The lowest lane for each fault in which no other one is drawn at its time. */
function lanesOf(struck: readonly Struck[]): readonly number[] {
  const freeFromMs: number[] = [];
  return struck.map(({ fromMs, toMs }) => {
    const free = freeFromMs.findIndex((untilMs) => untilMs <= fromMs);
    const lane = free < 0 ? freeFromMs.length : free;
    freeFromMs[lane] = toMs;
    return lane;
  });
}

function bands(
  struck: readonly Struck[],
  lanes: readonly number[],
  { x, bottom }: { readonly x: Across; readonly bottom: number },
): readonly string[] {
  return struck.flatMap(({ nemesis, fromMs, toMs, words, nodes }, place) => {
    const width = Math.max(1.5, x(toMs) - x(fromMs));
    const top = TOP + LANE * (lanes[place] ?? 0);
    const told = escape(`${nemesis} ${words}${nodes.length === 0 ? ' (hit nobody)' : ''}`);
    const shade = `<rect x="${n(x(fromMs))}" y="${TOP}" width="${n(width)}" height="${bottom - TOP}" `;
    return [
      `${shade}fill="#d9463e" opacity="0.07"/>`,
      `<rect x="${n(x(fromMs))}" y="${top}" width="${n(width)}" height="${LANE - 3}" rx="2" ` +
        `fill="#d9463e" opacity="0.55"><title>${told}</title></rect>`,
      text(x(fromMs) + 3, top + LANE - 7, escape(nemesis), 'font-size="10"'),
    ];
  });
}

function latencyLines(
  spans: readonly Span[],
  { x, top }: { readonly x: Across; readonly top: number },
): readonly string[] {
  const [least = 0.1] = DECADES;
  const decades = DECADES.length - 1;
  const y = (ms: number): number => {
    const share = Math.log10(Math.max(ms, least) / least) / decades;
    return top + LATENCY_HEIGHT * (1 - Math.min(1, share));
  };
  const grid = DECADES.flatMap((ms) => [
    line(LEFT, y(ms), WIDTH - RIGHT, y(ms), '#ddd'),
    text(LEFT - 6, y(ms) + 4, ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`, 'text-anchor="end"'),
  ]);
  const lines = LATENCIES.map(([field, colour]) => {
    let isDrawing = false;
    const path = spans.map(({ atMs, latency }) => {
      const word = isDrawing ? 'L' : 'M';
      isDrawing = latency !== undefined;
      if (latency === undefined) return '';
      return `${word}${n(x(atMs + SPAN_MS / 2))} ${n(y(latency[field]))}`;
    });
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.4"/>`;
  });
  const legend = LATENCIES.map(([, colour, name], place) =>
    legendWord({ x: WIDTH - RIGHT - 40 * (LATENCIES.length - place), y: top - 6 }, name, colour),
  );
  return [text(LEFT, top - 6, 'latency of calls that ended'), ...grid, ...lines, ...legend];
}

function outcomeBars(
  spans: readonly Span[],
  { x, top }: { readonly x: Across; readonly top: number },
): readonly string[] {
  const sums = spans.map(({ counts }) => OUTCOMES.reduce((sum, [kind]) => sum + counts[kind], 0));
  const most = Math.max(1, ...sums);
  const perSecond = Math.round((most * 1_000) / SPAN_MS);
  const bars = spans.flatMap(({ atMs, counts }) => {
    let bottom = top + OUTCOME_HEIGHT;
    return OUTCOMES.flatMap(([kind, colour]) => {
      if (counts[kind] === 0) return [];
      // Rare outcomes are what one looks for: none is too few to be seen.
      const size = Math.max(1.5, (counts[kind] / most) * OUTCOME_HEIGHT);
      bottom -= size;
      const width = Math.max(0.5, x(atMs + SPAN_MS) - x(atMs) - 0.4);
      const place = `x="${n(x(atMs))}" y="${n(bottom)}" width="${n(width)}" height="${n(size)}"`;
      return [`<rect ${place} fill="${colour}"/>`];
    });
  });
  const legend = OUTCOMES.map(([kind, colour], place) =>
    legendWord({ x: WIDTH - RIGHT - 80 * (OUTCOMES.length - place), y: top - 6 }, kind, colour),
  );
  return [
    text(LEFT, top - 6, 'outcomes each second'),
    line(LEFT, top, WIDTH - RIGHT, top, '#ddd'),
    text(LEFT - 6, top + 4, String(perSecond), 'text-anchor="end"'),
    text(LEFT - 6, top + OUTCOME_HEIGHT + 4, '0', 'text-anchor="end"'),
    ...bars,
    ...legend,
  ];
}

function timeAxis(
  endMs: number,
  { x, top }: { readonly x: Across; readonly top: number },
): readonly string[] {
  const seconds = endMs / 1_000;
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
  const step = steps.find((each) => seconds / each <= TICKS_MAX) ?? seconds;
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, place) => place * step);
  return [
    line(LEFT, top, WIDTH - RIGHT, top, '#888'),
    ...ticks.map((at) => text(x(at * 1_000), top + 16, `${at} s`, 'text-anchor="middle"')),
  ];
}

function legendWord(at: { readonly x: number; readonly y: number }, word: string, colour: string): string {
  return text(at.x, at.y, word, `fill="${colour}" font-weight="600"`);
}

function text(x: number, y: number, words: string, attributes: string = ''): string {
  return `<text x="${n(x)}" y="${n(y)}" ${attributes}>${words}</text>`;
}

/** From one point to another: x, y, x, y, colour. */
function line(...of: readonly [number, number, number, number, string]): string {
  const [x1, y1, x2, y2, colour] = of;
  return `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" stroke="${colour}"/>`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
