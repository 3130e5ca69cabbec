// Runs seeds and planted faults on all cores: worker threads that are handed one task after the other.
//
// `sim-seeds.ts` and `sim-planted.ts` call `onAllCores`; the same file is what a worker runs.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { Verdict } from '../sim/run.ts';
import type { SoughtFault } from '../sim/planted/fault.ts';
import { plansOf } from './planted-seeds.ts';
import { loadPlanted } from './planted-sources.ts';
import { loadWorld } from './world-file.ts';

/** What a run allocates mostly dies at once: with more room it is cleared away less often. */
const YOUNG_MB = 64;

export interface SeedTask {
  readonly kind: 'seed';
  readonly seed: number;
  readonly worldFile: string | undefined;
  readonly chaosMs: number | undefined;
}

/** Looks for a seed that finds the fault, the recorded one first. */
export interface PlantedTask {
  readonly kind: 'planted';
  readonly fault: SoughtFault;
  readonly seedsMax: number;
  readonly recorded: number | undefined;
}

export interface Sought {
  /** What broke in which run; `undefined` when none of them found it. */
  readonly by: { readonly seed: number; readonly invariant: string } | undefined;
  readonly runs: number;
  /** In all of these runs together. */
  readonly steps: number;
}

export type Task = SeedTask | PlantedTask;

export type Result =
  | { readonly kind: 'verdict'; readonly seed: number; readonly verdict: Verdict }
  | { readonly kind: 'sought'; readonly sought: Sought }
  | { readonly kind: 'trouble'; readonly sentence: string };

/**
 * Calls `done` for each task's result as it comes, until `next` gives no more. What either of them throws,
 * and what ends a worker, ends them all; rejects with it.
 */
export async function onAllCores(
  next: () => Task | undefined,
  done: (task: Task, result: Result) => void,
): Promise<void> {
  const workers: Worker[] = [];
  try {
    await Promise.all(
      Array.from({ length: availableParallelism() }, () => {
        const first = next();
        if (first === undefined) return undefined;
        const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
        const worker = new Worker(new URL(import.meta.url), { resourceLimits });
        workers.push(worker);
        return work(worker, first, { next, done });
      }),
    );
  } finally {
    for (const worker of workers) void worker.terminate();
  }
}

function work(
  worker: Worker,
  first: Task,
  {
    next,
    done,
  }: {
    readonly next: () => Task | undefined;
    readonly done: (task: Task, result: Result) => void;
  },
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let task = first;
  worker.on('message', (result: Result) => {
    try {
      done(task, result);
      const following = next();
      if (following === undefined) return ended.resolve();
      task = following;
      worker.postMessage(task);
    } catch (cause) {
      ended.reject(cause);
    }
  });
  worker.on('error', ended.reject);
  worker.on('exit', (code) => {
    ended.reject(new StartError(`what was run ended its thread by itself, with exit code ${code}`));
  });
  worker.postMessage(first);
  return ended.promise;
}

export async function perform(task: Task): Promise<Result> {
  try {
    if (task.kind === 'seed') return await runSeed(task);
    return { kind: 'sought', sought: await seek(task) };
  } catch (cause) {
    return { kind: 'trouble', sentence: troubleOf(task.kind === 'seed' ? task.seed : undefined, cause) };
  }
}

/** What is wrong with a studio's world is said without the stack of ours. */
export function troubleOf(seed: number | undefined, cause: unknown): string {
  const isSaid = cause instanceof StartError || cause instanceof InvalidInputError;
  const what = isSaid ? cause.message : cause instanceof Error ? cause.stack : String(cause);
  return seed === undefined ? `${what}` : `seed ${seed} can not be run: ${what}`;
}

async function runSeed({ seed, worldFile, chaosMs }: SeedTask): Promise<Result> {
  const { drawPlan } = await import('../sim/plan/faults.ts');
  const { runPlan } = await import('../sim/run.ts');
  const world = await loadWorld(worldFile);
  const span = chaosMs === undefined ? {} : { chaosMs };
  const plan = drawPlan({ seed, topology: world.topology, ...span });
  return { kind: 'verdict', seed, verdict: runPlan(plan, world) };
}

/** What breaks without the fault as well has not found it. */
async function seek({ fault, ...o }: PlantedTask): Promise<Sought> {
  const { drawPlan, runPlan, stockWorld } = await loadPlanted(fault);
  const shipped = await import('../sim/run.ts');
  const shippedWorld = await loadWorld(undefined);
  const { topology } = stockWorld;
  let runs = 0;
  let steps = 0;
  for (const plan of plansOf((seed) => drawPlan({ seed, topology }), { ...o, worlds: fault.worlds })) {
    const verdict = runPlan(plan, stockWorld);
    runs += 1;
    steps += verdict.steps;
    const { invariant } = verdict;
    if (invariant === undefined || shipped.runPlan(plan, shippedWorld).result !== 'ok') continue;
    return { by: { seed: plan.seed, invariant }, runs, steps };
  }
  return { by: undefined, runs, steps };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', (task: Task) => void perform(task).then((result) => port.postMessage(result)));
}
