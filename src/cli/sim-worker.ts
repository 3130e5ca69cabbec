// Runs seeds and planted faults on all cores: worker threads that are handed one task after the other.
//
// `sim-seeds.ts` and `sim-planted.ts` call `onAllCores`; the same file is what a worker runs.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Verdict } from '../sim/run.ts';
import type { PlantedFault } from '../sim/planted/fault.ts';
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

/** Looks for a seed from 1 on that finds the fault. */
export interface PlantedTask {
  readonly kind: 'planted';
  readonly fault: PlantedFault;
  readonly seedsMax: number;
}

export type Task = SeedTask | PlantedTask;

export type Result =
  | { readonly kind: 'verdict'; readonly seed: number; readonly verdict: Verdict }
  | { readonly kind: 'trouble'; readonly sentence: string };

/** Calls `done` for each task's result as it comes, until `next` gives no more. */
export async function onAllCores(
  next: () => Task | undefined,
  done: (task: Task, result: Result) => void,
): Promise<void> {
  const workers = Array.from({ length: availableParallelism() }, () => work(next, done));
  await Promise.all(workers);
}

function work(
  next: () => Task | undefined,
  done: (task: Task, result: Result) => void,
): Promise<void> {
  const first = next();
  if (first === undefined) return Promise.resolve();
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  const worker = new Worker(new URL(import.meta.url), { resourceLimits });
  const ended = Promise.withResolvers<void>();
  let task = first;
  worker.on('message', (result: Result) => {
    done(task, result);
    const following = next();
    if (following === undefined) {
      void worker.terminate();
      ended.resolve();
      return;
    }
    task = following;
    worker.postMessage(task);
  });
  worker.on('error', ended.reject);
  worker.postMessage(task);
  return ended.promise;
}

export async function perform(task: Task): Promise<Result> {
  try {
    return task.kind === 'seed' ? await runSeed(task) : await seek(task);
  } catch (cause) {
    const sentence = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    return { kind: 'trouble', sentence };
  }
}

async function runSeed({ seed, worldFile, chaosMs }: SeedTask): Promise<Result> {
  const { drawPlan } = await import('../sim/faults.ts');
  const { runPlan } = await import('../sim/run.ts');
  const world = await loadWorld(worldFile);
  const span = chaosMs === undefined ? {} : { chaosMs };
  const plan = drawPlan({ seed, topology: world.topology, ...span });
  return { kind: 'verdict', seed, verdict: runPlan(plan, world) };
}

async function seek({ fault, seedsMax }: PlantedTask): Promise<Result> {
  const { drawPlan, runPlan, stockWorld } = await loadPlanted(fault);
  let steps = 0;
  for (let seed = 1; ; seed++) {
    const verdict = runPlan(drawPlan({ seed, topology: stockWorld.topology }), stockWorld);
    steps += verdict.steps;
    if (verdict.result !== 'ok' || seed >= seedsMax) {
      return { kind: 'verdict', seed, verdict: { ...verdict, steps } };
    }
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', (task: Task) => void perform(task).then((result) => port.postMessage(result)));
}
