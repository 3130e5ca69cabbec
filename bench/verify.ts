// Operations of a recorded history that are judged per second, from the text of its lines to the verdict.
//
// `npm run bench -- verify`. The histories are sound and drawn from a seed, each operation of a client
// under way together with those of all others: a checker must accept them, which takes at least as many
// steps as there are operations.
import { Random } from '../src/base/random.ts';
import { HistoryReader } from '../src/verify/history.ts';
import { type Report, reportOf } from '../src/verify/report.ts';
import { type Event, play } from '../test/support/histories.ts';
import { bankTruth } from '../test/support/truths.ts';
import { type Row, spread, table } from './spread.ts';

interface Scene {
  readonly what: string;
  readonly groups: number;
  readonly accounts: number;
  readonly clients: number;
  /** In each group. */
  readonly operations: number;
  readonly isOrdered: boolean;
  readonly uncertainPercent: number;
}

const GOLD = 1_000;
const READ_PERCENT = 20;
/** A reading of a whole group is as long as the group: of large ones there are few. */
const WHOLE_PERCENT_SMALL = 50;
const WHOLE_PERCENT_LARGE = 1;
const SCENES: readonly Scene[] = [
  ...[0, 1].map((uncertainPercent) => ({
    what: 'one group of 1,000 accounts, 32 clients, with order',
    groups: 1,
    accounts: 1_000,
    clients: 32,
    operations: 200_000,
    isOrdered: true,
    uncertainPercent,
  })),
  ...[0, 1].map((uncertainPercent) => ({
    what: '200 groups of 8 accounts, 10 clients each, without order',
    groups: 200,
    accounts: 8,
    clients: 10,
    operations: 1_000,
    isOrdered: false,
    uncertainPercent,
  })),
  {
    what: '50 groups of 32 accounts, 32 clients each, without order',
    groups: 50,
    accounts: 32,
    clients: 32,
    operations: 2_000,
    isOrdered: false,
    uncertainPercent: 0,
  },
];

export async function benchVerify(rounds: number): Promise<void> {
  const rows: Row[] = [];
  for (const scene of SCENES) {
    process.stderr.write(`${scene.what}, ${scene.uncertainPercent} % uncertain\n`);
    const lines = linesOf(scene);
    const runs = Array.from({ length: rounds }, () => judge(lines));
    const total = scene.groups * scene.operations;
    rows.push({
      what: scene.what,
      'uncertain %': String(scene.uncertainPercent),
      verdict: [...new Set(runs.map(({ report }) => report.verdict))].join(', '),
      'operations/s': spread(runs.map(({ wallMs }) => (1_000 * total) / wallMs)),
      'operations/s of processor time': spread(runs.map(({ cpuMs }) => (1_000 * total) / cpuMs)),
      'states per operation': (Number(runs[0]?.report.explored) / total).toFixed(2),
    });
  }
  process.stdout.write(table(rows));
}

interface Run {
  readonly report: Report;
  readonly wallMs: number;
  /** Of all threads, so that others on the machine count less. */
  readonly cpuMs: number;
}

function judge(lines: readonly string[]): Run {
  const begin = { wallMs: performance.now(), cpu: process.cpuUsage() };
  const reader = new HistoryReader();
  for (const line of lines) reader.line(line);
  const report = reportOf(reader.finish(), 'bank');
  const { user, system } = process.cpuUsage(begin.cpu);
  return { report, wallMs: performance.now() - begin.wallMs, cpuMs: (user + system) / 1_000 };
}

/** The events of one group after those of the other: between groups time does not count. */
function linesOf(scene: Scene): readonly string[] {
  const accounts = Array.from({ length: scene.accounts }, (_, i) => [`a${i}`, GOLD]);
  const init = { type: 'init', model: 'bank', value: Object.fromEntries(accounts) };
  const lines: string[] = [JSON.stringify(init)];
  const random = new Random(scene.what);
  let time = 0;
  for (let group = 0; group < scene.groups; group++) {
    const wholePercent = scene.accounts > 100 ? WHOLE_PERCENT_LARGE : WHOLE_PERCENT_SMALL;
    const truth = bankTruth(scene.accounts, GOLD, { readPercent: READ_PERCENT, wholePercent });
    for (const event of play(truth, random, scene)) {
      lines.push(JSON.stringify(inGroup(event, group, time++)));
    }
  }
  return lines;
}

function inGroup(event: Event, group: number, time: number): object {
  return { ...event, process: `g${group}c${event.process}`, key: `g${group}`, time };
}
