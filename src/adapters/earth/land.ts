// The coasts of the real Earth: Natural Earth's land at 1:50 million, out of the package `world-atlas`.
//
// Every region node and the crowd load it once at start and hand it to `world/space/land`. Coasts are true to
// some 500 m, and islands below a few square kilometres are missing. The file is TopoJSON: an arc is a
// list of steps on a coarse grid. Land has no inner borders, so each arc bounds land once, and since the
// even-odd rule needs neither rings nor directions, the arcs are all of it.
// Source: Natural Earth 4.1 (public domain); https://github.com/topojson/topojson-specification.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const UNITS_PER_DEGREE = 1e7;
/** The file closes Antarctica by a circle of 111 m around the South Pole: a hole that is not there. */
const POLE_HOLE_LAT = -899_900_000;
const ARCS = '"arcs":';

interface Transform {
  readonly scale: readonly [number, number];
  readonly translate: readonly [number, number];
}

/** Lines of latitude and longitude in turn, in units of 1e-7 degree; about 60,000 points. */
export function loadCoasts(): readonly Int32Array[] {
  const text = readFileSync(fileURLToPath(import.meta.resolve('world-atlas/land-50m.json')), 'latin1');
  const start = text.lastIndexOf(ARCS) + ARCS.length;
  const end = text.indexOf(']]]', start) + 3;
  // Parsed arc by arc: the whole as one value would take 30 MB of every region node for its life.
  const rest: { transform: Transform } = JSON.parse(`${text.slice(0, start)}[]${text.slice(end)}`);
  const coasts: Int32Array[] = [];
  for (let at = start + 1; at < end; ) {
    const arcEnd = text.indexOf(']]', at) + 2;
    const coast = coastOf(JSON.parse(text.slice(at, arcEnd)), rest.transform);
    if (!isPoleHole(coast)) coasts.push(coast);
    at = arcEnd + 1;
  }
  return coasts;
}

function coastOf(steps: readonly (readonly [number, number])[], by: Transform): Int32Array {
  const coast = new Int32Array(steps.length * 2);
  let x = 0;
  let y = 0;
  steps.forEach(([east, north], place) => {
    x += east;
    y += north;
    coast[place * 2] = Math.round((y * by.scale[1] + by.translate[1]) * UNITS_PER_DEGREE);
    coast[place * 2 + 1] = Math.round((x * by.scale[0] + by.translate[0]) * UNITS_PER_DEGREE);
  });
  return coast;
}

function isPoleHole(coast: Int32Array): boolean {
  return coast.every((value, place) => place % 2 === 1 || value < POLE_HOLE_LAT);
}
