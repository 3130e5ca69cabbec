// Seeds through the simulator on all cores: progress, verdict, and the story of what failed.
//
// `sim.ts` calls it. A failing seed is made smaller and told: the one command that repeats it, its
// plan and timeline as text, and a picture.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../adapters/node/start-error.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import { drawPlan } from '../sim/faults.ts';
import { minimise } from '../sim/minimise.ts';
import { describePlan, type Plan } from '../sim/plan.ts';
import { digestOf, runPlan, type Verdict } from '../sim/run.ts';
import { drawSvg, drawText, type Mark } from '../sim/timeline.ts';
import type { WorldUnderTest } from '../sim/worlds.ts';
import { onAllCores, type Result } from './sim-worker.ts';
import { loadWorld } from './world-file.ts';

/** So many failing seeds are told in full; the others are named. */
const TOLD_MAX = 3;
const PROGRESS_MS = 250;
const EXIT_SAFETY = 1;
const EXIT_LIVENESS = 3;

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
  seeds: number;
  virtualMs: number;
  steps: number;
  decided: number;
  readonly failures: Failure[];
  /** Of each run, by seed. */
  readonly digests: Map<number, string>;
}

/** Returns the exit code. */
export async function runSeeds(wish: SeedsWish, terminal: Terminal): Promise<number> {
  const world = await loadWorld(wish.worldFile);
  const none = { seeds: 0, virtualMs: 0, steps: 0, decided: 0 };
  const tally: Tally = { ...none, failures: [], digests: new Map() };
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
  print(summary(tally, seconds));
  if (wish.isJson) terminal.print(`${JSON.stringify(reportOf(tally, seconds))}\n`);
  if (tally.failures.some(({ verdict }) => verdict.result === 'safety')) return EXIT_SAFETY;
  return tally.failures.length > 0 ? EXIT_LIVENESS : 0;
}

async function runAll(wish: SeedsWish, terminal: Terminal, tally: Tally): Promise<void> {
  const beganMs = performance.now();
  let seed = wish.from;
  let shownMs = 0;
  let isStopped = false;
  const unlisten = terminal.onStop(() => (isStopped = true));
  const take = (result: Result): void => {
    if (result.kind === 'trouble') throw new StartError(result.sentence);
    count(tally, result);
    const nowMs = performance.now();
    if (!terminal.isLive || nowMs - shownMs < PROGRESS_MS) return;
    shownMs = nowMs;
    terminal.note(`\r${progress(tally, wish.count, nowMs - beganMs)}`);
  };
  await onAllCores(
    () => {
      const isOver = performance.now() - beganMs > wish.endsAfterMs || isStopped;
      if (isOver || seed >= wish.from + wish.count) return undefined;
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
  tally.digests.set(seed, verdict.digest);
  if (verdict.result !== 'ok') tally.failures.push({ seed, verdict });
}

function progress(tally: Tally, seeds: number, passedMs: number): string {
  const perSecond = (tally.seeds / Math.max(1, passedMs)) * 1_000;
  const bad = tally.failures.length === 0 ? '' : `, ${tally.failures.length} FAILED`;
  return `${tally.seeds} of ${seeds} seeds, ${perSecond.toFixed(1)} a second${bad}   `;
}

function summary(tally: Tally, seconds: number): string {
  const simulated = tally.virtualMs / 1_000;
  const failed = tally.failures.map(({ seed }) => seed).join(', ');
  return (
    `${tally.seeds} seeds in ${seconds.toFixed(1)} s: ${simulated.toFixed(0)} simulated seconds, ` +
    `${tally.steps} steps, ${tally.decided} decided calls; ` +
    `${failed === '' ? 'every promise was kept' : `FAILED: ${failed}`}\n`
  );
}

/** `digest` sums up all runs: equal for equal seeds on every machine. */
function reportOf({ digests, ...tally }: Tally, seconds: number): object {
  const inOrder = [...digests].sort(([a], [b]) => a - b).map(([, digest]) => digest);
  return { ok: tally.failures.length === 0, seconds, ...tally, digest: digestOf(inOrder) };
}

function planOf(seed: number, wish: SeedsWish, world: WorldUnderTest): Plan {
  const span = wish.chaosMs === undefined ? {} : { chaosMs: wish.chaosMs };
  return drawPlan({ seed, topology: world.topology, ...span });
}

/** One seed in full, as it happens. */
function tellSeed(wish: SeedsWish, world: WorldUnderTest, terminal: Terminal): Failure {
  const plan = planOf(wish.from, wish, world);
  terminal.note(`${describePlan(plan)}\n`);
  const verdict = runPlan(plan, world, (atMs, lane, what) => {
    const who = lane === 0 ? 'world ' : `node ${lane}`;
    terminal.note(`${atMs.toFixed(1).padStart(9)} ms  ${who}  ${what}\n`);
  });
  terminal.note(`digest ${verdict.digest}, ${verdict.steps} steps, ${verdict.result}\n`);
  return { seed: wish.from, verdict };
}

function tell(
  { seed, verdict }: Failure,
  wish: SeedsWish,
  { world, terminal }: { readonly world: WorldUnderTest; readonly terminal: Terminal },
): void {
  const smaller = minimise(planOf(seed, wish, world), verdict, world);
  const marks: Mark[] = [];
  runPlan(smaller.plan, world, (atMs, lane, what) => marks.push({ atMs, lane, what }));
  mkdirSync(wish.out, { recursive: true });
  const picture = join(wish.out, `seed-${seed}.svg`);
  writeFileSync(picture, drawSvg(smaller.plan, smaller.verdict, marks));
  const own = wish.worldFile === undefined ? '' : ` --world ${wish.worldFile}`;
  const span = wish.chaosMs === undefined ? '' : ` --chaos ${wish.chaosMs}ms`;
  terminal.note(
    `\nseed ${seed} broke ${verdict.invariant}: ${verdict.what}\n` +
      `again: npm run sim -- --seed ${seed}${own}${span}\npicture: ${picture}\n` +
      `${drawText(smaller.plan, smaller.verdict, marks)}\n`,
  );
}
