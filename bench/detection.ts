// How soon a dead node is noticed, and how often a living one is blamed: the whole of it, in virtual time.
//
// Twenty nodes and five witnesses in four regions of the planet, for hours of virtual time per line.
// Beside the shipped rule stand twins of it from which one part was taken: they show what the part is for,
// and that this measurement can come out badly.
import { BEAT_MS, DETECTOR_LIMITS } from '../src/protocols/liveness/detector.ts';
import {
  nothingObserved,
  type Observed,
  observeRun,
  type Rule,
  SHIPPED,
  type Weather,
} from './detection-model.ts';
import { type Row, spread, table } from './spread.ts';

const NODES = 20;
const MINUTES = 3;

const CALM: Weather = { name: 'calm', lost: 0, stallsPerHour: 0, stallMs: [0, 0] };
const WEATHERS: readonly Weather[] = [
  CALM,
  { name: '5 % lost', lost: 50, stallsPerHour: 0, stallMs: [0, 0] },
  { name: 'stalls of 0.5-2.5 s, 30 an hour', lost: 0, stallsPerHour: 30, stallMs: [500, 2_500] },
  { name: 'stalls of 2-8 s, 10 an hour, 1 % lost', lost: 10, stallsPerHour: 10, stallMs: [2_000, 8_000] },
];
const RULES: readonly Rule[] = [
  SHIPPED,
  { name: 'without stall credit', limits: { ...DETECTOR_LIMITS, stallMs: 1e9 }, votes: 3 },
  { name: 'one word is enough', limits: DETECTOR_LIMITS, votes: 1 },
  {
    name: 'impatient: failed after three beats',
    limits: { ...DETECTOR_LIMITS, suspectMs: 3 * BEAT_MS, failMs: 3 * BEAT_MS },
    votes: 3,
  },
];

/** So many runs of three minutes, each with a crash at its end, for each weather and rule. */
export function benchDetection(runs: number): Promise<void> {
  const rows: Row[] = [];
  for (const weather of WEATHERS) {
    for (const rule of RULES) rows.push(row(weather, rule, runs, false));
  }
  rows.push(row(CALM, { ...SHIPPED, name: 'as shipped, the process ends and its links break' }, runs, true));
  process.stdout.write(table(rows));
  return Promise.resolve();
}

function row(weather: Weather, rule: Rule, runs: number, breaks: boolean): Row {
  const into = nothingObserved();
  for (let seed = 1; seed <= runs; seed++) {
    observeRun({ seed, nodes: NODES, minutes: MINUTES, weather, rule, breaks, into });
  }
  process.stderr.write(`${weather.name}, ${rule.name}\n`);
  return {
    weather: weather.name,
    rule: rule.name,
    'crash to suspected, s': seconds(into.suspectedMs),
    'crash to failed, s': seconds(into.failedMs),
    'false suspicions an hour': perHour(into, into.suspicions),
    'of running nodes (suspicions)': perHour(into, into.suspicionsOfRunning),
    'false failures an hour': perHour(into, into.failures),
    'of running nodes (failures)': perHour(into, into.failuresOfRunning),
  };
}

function seconds(times: readonly number[]): string {
  return times.length === 0 ? 'never' : spread(times.map((ms) => ms / 1_000));
}

function perHour({ hours }: Observed, count: number): string {
  return (count / hours).toFixed(1);
}
