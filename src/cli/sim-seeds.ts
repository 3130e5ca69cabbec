// Seeds through the simulator on all cores: progress, verdict, and the story of what failed.
//
// `sim.ts` calls it. A failing seed is made smaller and told: the one command that repeats it, its
// plan and timeline as text, and a picture.
import { join } from 'node:path';
import { mustTakeFiles, writeText } from '../adapters/node/drill-files.ts';
import { StartError } from '../adapters/node/start-error.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import { shellWord } from '../base/shell-word.ts';
import { spanOf } from '../host/duration.ts';
import { drawPlan } from '../sim/plan/faults.ts';
import { minimise } from '../sim/minimise.ts';
import { describePlan, type Plan } from '../sim/plan/plan.ts';
import { digestOf, type Note, runPlan, type Verdict } from '../sim/run.ts';
import { drawSvg, drawText, type Mark } from '../sim/timeline.ts';
import type { WorldUnderTest } from '../sim/play/worlds.ts';
import { isClone } from './planted-sources.ts';
import { onAllCores, type Result, troubleOf } from './sim-worker.ts';
import { loadWorld } from './world-file.ts';

/** So many failing seeds are told in full; the others are named. */
const TOLD_MAX = 3;
const PROGRESS_MS = 250;
const EXIT_SAFETY = 1;
const EXIT_NOT_ASKED = 2;
const EXIT_LIVENESS = 3;
/** As a shell reports a process that Ctrl-C ended. */
const EXIT_STOPPED = 130;

export interface SeedsWish {
  readonly from: number;
  readonly count: number;
  /** Everything that happens is printed. */
  readonly isTold: boolean;
  readonly worldFile: string | undefined;
  readonly endsAfterMs: number;
  readonly chaosMs: number | undefined;
  readonly out: string;
  readonly isJson: boolean;
}

interface Failure {
  readonly seed: number;
  readonly verdict: Verdict;
}

interface Tally {
  /** How many were run. */
  seeds: number;
  /** By Ctrl-C, before all were run. */
  isStopped: boolean;
  virtualMs: number;
  steps: number;
  decided: number;
  /** Of those, by feature of a studio that players can ask something of. */
  readonly decidedOf: Map<string, number>;
  readonly failures: Failure[];
  /** Of each run, by seed. */
  readonly digests: Map<number, string>;
}

/** Returns the exit code. */
export async function runSeeds(wish: SeedsWish, terminal: Terminal): Promise<number> {
  const world = await loadWorld(wish.worldFile);
  // A failing seed has a picture: better refused now than after all seeds have run.
  mustTakeFiles(wish.out);
  const none = { seeds: 0, isStopped: false, virtualMs: 0, steps: 0, decided: 0 };
  const decidedOf = new Map(world.asked.map((feature) => [feature, 0]));
  const tally: Tally = { ...none, decidedOf, failures: [], digests: new Map() };
  const beganMs = performance.now();
  if (wish.isTold) {
    count(tally, tellSeed(wish, world, terminal));
  } else {
    await runAll(wish, terminal, tally);
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  tally.failures.sort((a, b) => a.seed - b.seed);
  for (const failure of tally.failures.slice(0, TOLD_MAX)) tell(failure, wish, { world, terminal });
  const print = (text: string): void => (wish.isJson ? terminal.note(text) : terminal.print(text));
  print(summary(tally, wish, seconds));
  if (wish.isJson) terminal.print(`${JSON.stringify(reportOf(tally, seconds))}\n`);
  return exitCodeOf(tally);
}

function exitCodeOf(tally: Tally): number {
  if (tally.failures.some(({ verdict }) => verdict.result === 'safety')) return EXIT_SAFETY;
  if (tally.failures.length > 0) return EXIT_LIVENESS;
  if (tally.isStopped) return EXIT_STOPPED;
  return unasked(tally).length > 0 ? EXIT_NOT_ASKED : 0;
}

/** Features of a studio of which nothing is proved: no call of theirs had an answer. */
function unasked({ decidedOf }: Tally): readonly string[] {
  return [...decidedOf].filter(([, decided]) => decided === 0).map(([feature]) => feature);
}

async function runAll(wish: SeedsWish, terminal: Terminal, tally: Tally): Promise<void> {
  const beganMs = performance.now();
  let seed = wish.from;
  let shownMs = 0;
  let isStopping = false;
  const unlisten = terminal.onStop(() => (isStopping = true));
  const take = (result: Result): void => {
    if (result.kind === 'trouble') throw new StartError(result.sentence);
    if (result.kind === 'verdict') count(tally, result);
    const nowMs = performance.now();
    if (!terminal.isLive || nowMs - shownMs < PROGRESS_MS) return;
    shownMs = nowMs;
    terminal.note(`\r${progress(tally, wish.count, nowMs - beganMs)}`);
  };
  await onAllCores(
    () => {
      if (seed >= wish.from + wish.count) return undefined;
      tally.isStopped = isStopping;
      if (isStopping || performance.now() - beganMs > wish.endsAfterMs) return undefined;
      return { kind: 'seed', seed: seed++, worldFile: wish.worldFile, chaosMs: wish.chaosMs };
    },
    (_task, result) => take(result),
  );
  unlisten();
  if (terminal.isLive) terminal.note('\n');
}

function count(tally: Tally, { seed, verdict }: Failure): void {
  tally.seeds += 1;
  tally.virtualMs += verdict.virtualMs;
  tally.steps += verdict.steps;
  tally.decided += verdict.decided;
  for (const [feature, decided] of tally.decidedOf) {
    tally.decidedOf.set(feature, decided + (verdict.decidedOf[feature] ?? 0));
  }
  tally.digests.set(seed, verdict.digest);
  if (verdict.result !== 'ok') tally.failures.push({ seed, verdict });
}

function progress(tally: Tally, seeds: number, passedMs: number): string {
  const perSecond = (tally.seeds / Math.max(1, passedMs)) * 1_000;
  const bad = tally.failures.length === 0 ? '' : `, ${tally.failures.length} FAILED`;
  return `${tally.seeds} of ${seeds} seeds, ${perSecond.toFixed(1)} a second${bad}   `;
}

function summary(tally: Tally, wish: SeedsWish, seconds: number): string {
  const simulated = tally.virtualMs / 1_000;
  const failed = tally.failures.map(({ seed }) => seed).join(', ');
  const kept = tally.seeds === 0 ? 'nothing was run' : 'every promise was kept';
  const own = [...tally.decidedOf].map(([feature, decided]) => `${feature} ${decided}`).join(', ');
  // A run ends where a promise breaks, so that then little is asked of anybody.
  const silent = failed === '' ? unasked(tally).join(', ') : '';
  return [
    ...(tally.isStopped ? [`STOPPED before all ${wish.count} seeds were run`] : []),
    `${tally.seeds} seeds in ${seconds.toFixed(1)} s: ${simulated.toFixed(0)} simulated seconds, ` +
      `${tally.steps} steps, ${tally.decided} decided calls; ` +
      `${failed === '' ? kept : `FAILED: ${failed}`}`,
    ...(own === '' ? [] : [`decided calls of your features: ${own}`]),
    ...(silent === '' ? [] : [`NOT ASKED: ${silent}; nothing is proved of it: let drawDeed draw its calls`]),
    '',
  ].join('\n');
}

/** `digest` sums up all runs: equal for equal seeds on every machine. */
function reportOf(tally: Tally, seconds: number): object {
  const { digests, decidedOf, isStopped, ...rest } = tally;
  const inOrder = [...digests].sort(([a], [b]) => a - b).map(([, digest]) => digest);
  return {
    ok: exitCodeOf(tally) === 0,
    stopped: isStopped,
    seconds,
    ...rest,
    decidedOf: Object.fromEntries(decidedOf),
    digest: digestOf(inOrder),
  };
}

function planOf(seed: number, wish: SeedsWish, world: WorldUnderTest): Plan {
  const span = wish.chaosMs === undefined ? {} : { chaosMs: wish.chaosMs };
  return drawPlan({ seed, topology: world.topology, ...span });
}

/** One seed in full, as it happens. */
function tellSeed(wish: SeedsWish, world: WorldUnderTest, terminal: Terminal): Failure {
  const plan = planOf(wish.from, wish, world);
  terminal.note(`${describePlan(plan)}\n`);
  const verdict = runTold(plan, world, (atMs, lane, what) => {
    const who = lane === 0 ? 'world ' : `node ${lane}`;
    terminal.note(`${atMs.toFixed(1).padStart(9)} ms  ${who}  ${what}\n`);
  });
  terminal.note(`digest ${verdict.digest}, ${verdict.steps} steps, ${verdict.result}\n`);
  return { seed: wish.from, verdict };
}

function runTold(plan: Plan, world: WorldUnderTest, note: Note): Verdict {
  try {
    return runPlan(plan, world, note);
  } catch (cause) {
    throw new StartError(troubleOf(plan.seed, cause), { cause });
  }
}

function tell(
  { seed, verdict }: Failure,
  wish: SeedsWish,
  { world, terminal }: { readonly world: WorldUnderTest; readonly terminal: Terminal },
): void {
  const whole = planOf(seed, wish, world);
  const smaller = minimise(whole, verdict, world);
  const marks: Mark[] = [];
  runPlan(smaller.plan, world, (atMs, lane, what) => marks.push({ atMs, lane, what }));
  const picture = `seed-${seed}.svg`;
  const [all, faults] = [whole.faults, smaller.plan.faults];
  terminal.note(
    `\nseed ${seed} broke ${verdict.invariant}: ${verdict.what}\n` +
      `again: ${again(seed, wish)}\npicture: ${join(wish.out, picture)}\n` +
      `the smaller run below and in the picture (faults: ${faults.length} of ${all.length}) breaks ` +
      `${smaller.verdict.invariant}: ${smaller.verdict.what}\n` +
      `${drawText(smaller.plan, smaller.verdict, marks)}\n`,
  );
  // Last: what it says is not lost with a disk that is full by now.
  writeText(wish.out, picture, drawSvg(smaller.plan, smaller.verdict, marks));
}

/** The command that repeats the run, for a shell; `npm run` is there in a clone only. */
function again(seed: number, { worldFile, chaosMs }: SeedsWish): string {
  const own = worldFile === undefined ? '' : ` --world ${shellWord(worldFile)}`;
  const span = chaosMs === undefined ? '' : ` --chaos ${spanOf(chaosMs)}`;
  return `${isClone() ? 'npm run sim --' : 'npx bluemarble sim'} --seed ${seed}${own}${span}`;
}
