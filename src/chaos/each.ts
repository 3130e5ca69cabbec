// `bluemarble chaos --each`: a drill with each nemesis alone, one with all together, and a table of them.
//
// The CLI calls it. Each drill has a world, a seed and a folder of its own, so that any of them can be run
// again alone by the line that it prints. It goes on after a broken promise, and ends with the worst code.
import type { RunDoors } from '../host/run.ts';
import { type ChaosOptions, type Drilled, runChaos } from './run.ts';

const EXIT_OK = 0;
const EXIT_VIOLATED = 1;
const COLUMNS =
  'Nemesis,Seed,Faults,Done,Rejected,Unavailable,Uncertain,p50 / p99 / longest ms,Leader changes,Verdict';
const HEAD = `| ${COLUMNS.replaceAll(',', ' | ')} |`;

/** Runs all drills, one after the other; the worst of their exit codes. Throws `StartError` as one does. */
export async function runEach(options: ChaosOptions, doors: RunDoors): Promise<number> {
  const { nemeses, seed, out, isJson } = options;
  const rows: string[] = [];
  let worst = EXIT_OK;
  const drills = [...nemeses.map((nemesis) => [nemesis]), nemeses];
  for (const [place, chosen] of drills.entries()) {
    const [only = ''] = chosen;
    const name = chosen.length === 1 ? only : 'all';
    const own = { ...options, nemeses: chosen, seed: seed + place, out: `${out}/${name}` };
    let drilled: Drilled | undefined;
    const code = await runChaos(own, doors, (found) => {
      drilled = found;
    });
    if (worst !== EXIT_VIOLATED && code !== EXIT_OK) worst = code;
    // It never began, or the operator has seen enough.
    if (drilled === undefined) break;
    rows.push(rowOf(name, own.seed, drilled));
    if (drilled.isStopped) break;
  }
  const table = [HEAD, HEAD.replace(/[^|]+/g, '---'), ...rows].map((line) => `${line}\n`).join('');
  if (isJson) doors.terminal.note(table);
  else doors.terminal.print(table);
  return worst;
}

function rowOf(name: string, seed: number, { verdict, story, faults }: Drilled): string {
  const { done, rejected, unavailable, uncertain } = story.counts;
  const times = [story.p50Ms, story.p99Ms, story.maxMs].map((ms) => Math.round(ms)).join(' / ');
  const counts = [faults, done, rejected, unavailable, uncertain].map((count) => count.toLocaleString('en'));
  return `| ${[name, seed, ...counts, times, story.leaderChanges, verdict.verdict].join(' | ')} |`;
}
