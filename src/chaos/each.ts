// `bluemarble chaos --each`: a drill with each nemesis alone, one with all together, and a table of them.
//
// The CLI calls it. Each drill has a world, a seed and a folder of its own, so that any of them can be run
// again alone by the line that it prints. It goes on after a broken promise and after a drill that can not
// start, and ends with the worst code.
import { StartError } from '../adapters/node/start-error.ts';
import type { RunDoors } from '../host/run.ts';
import type { NemesisName } from './schedule.ts';
import { type ChaosOptions, type Drilled, reportOf, runDrill } from './run.ts';

const EXIT_UNUSABLE = 2;
/** The worst first: violated, not started, unknown, ok. */
const EXIT_CODES: readonly number[] = [1, EXIT_UNUSABLE, 3, 0];
const COLUMNS =
  'Nemesis,Seed,Faults,Done,Rejected,Unavailable,Uncertain,p50 / p99 / longest ms,Leader changes,Verdict';
const HEAD = `| ${COLUMNS.replaceAll(',', ' | ')} |`;

/** One of many drills. */
export interface Row {
  /** The nemesis, or `all`. */
  readonly name: string;
  readonly seed: number;
  readonly code: number;
  /** What it came to; a sentence where it could not start; `undefined` where it was stopped before. */
  readonly came: Drilled | string | undefined;
}

/** Runs all drills, one after the other; the worst of their exit codes. */
export async function runEach(options: ChaosOptions, doors: RunDoors): Promise<number> {
  const { nemeses, seed, out, isJson } = options;
  const { terminal } = doors;
  const rows: Row[] = [];
  const alone = nemeses.map((nemesis) => [nemesis]);
  const drills = nemeses.length > 1 ? [...alone, nemeses] : alone;
  for (const [place, chosen] of drills.entries()) {
    const name = nameOf(chosen);
    const folder = folderOf(options, name);
    const own = { ...options, folder, nemeses: chosen, seed: seed + place, out: `${out}/${name}` };
    const row = await drillOnce(name, own, doors);
    rows.push(row);
    if (typeof row.came === 'string') terminal.note(`${name}: ${row.came}\n`);
    // The operator has seen enough.
    else if (row.came?.isStopped !== false) break;
  }
  const code = worstOf(rows);
  const table = describeRows(rows).map((line) => `${line}\n`).join('');
  if (!isJson) terminal.print(table);
  else {
    terminal.note(table);
    terminal.print(`${JSON.stringify(eachReportOf(rows))}\n`);
  }
  return code;
}

/** A studio's features have a new world each time: their logs must be known from the first entry on. */
function folderOf({ folder, world }: ChaosOptions, name: string): string | undefined {
  return folder === undefined || world === undefined ? folder : `${folder}/${name}`;
}

/** The table of all drills. */
export function describeRows(rows: readonly Row[]): readonly string[] {
  return [HEAD, HEAD.replace(/[^|]+/g, '---'), ...rows.map(lineOf)];
}

/** For scripts: the worst verdict of all, and every drill. */
export function eachReportOf(rows: readonly Row[]): object {
  const code = worstOf(rows);
  const verdict = { 0: 'ok', 1: 'violated' }[code] ?? 'unknown';
  const drills = rows.map(({ name, seed, came }) => {
    if (came === undefined || typeof came === 'string') return { name, seed, notRun: came ?? 'stopped' };
    return { name, ...reportOf(came) };
  });
  return { verdict, drills };
}

/** The worst of their exit codes. */
export function worstOf(rows: readonly Row[]): number {
  const place = (code: number): number => (EXIT_CODES.includes(code) ? EXIT_CODES.indexOf(code) : 0);
  const [worst] = rows.map(({ code }) => code).toSorted((a, b) => place(a) - place(b));
  return worst ?? EXIT_UNUSABLE;
}

async function drillOnce(name: string, options: ChaosOptions, doors: RunDoors): Promise<Row> {
  let came: Drilled | string | undefined;
  try {
    const code = await runDrill(options, doors, (drilled) => {
      came = drilled;
    });
    return { name, seed: options.seed, code, came };
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    return { name, seed: options.seed, code: EXIT_UNUSABLE, came: cause.message };
  }
}

function nameOf(chosen: readonly NemesisName[]): string {
  const [only = ''] = chosen;
  return chosen.length === 1 ? only : 'all';
}

function lineOf({ name, seed, came }: Row): string {
  if (came === undefined || typeof came === 'string') {
    const empty = COLUMNS.split(',').slice(3).map(() => '');
    return `| ${[name, seed, ...empty, 'not run'].join(' | ')} |`;
  }
  const { verdict, story, faults } = came;
  const { done, rejected, unavailable, uncertain } = story.counts;
  const times = [story.p50Ms, story.p99Ms, story.maxMs].map((ms) => Math.round(ms)).join(' / ');
  const counts = [faults, done, rejected, unavailable, uncertain].map((count) => count.toLocaleString('en'));
  return `| ${[name, seed, ...counts, times, story.leaderChanges, verdict.verdict].join(' | ')} |`;
}
