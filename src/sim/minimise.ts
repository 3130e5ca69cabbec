// Makes a failing plan smaller: as few faults as still lead to the same broken invariant.
//
// `cli/sim.ts` calls it before it prints a failing seed. Faults are dropped in halves, then one by one,
// and the run is cut off behind the last of them; the effort is bounded, the result is a plan that
// fails, not the smallest one.
// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), in short.
import type { Fault, Plan } from './plan/plan.ts';
import { runPlan, type Verdict } from './run.ts';
import type { WorldUnderTest } from './play/worlds.ts';

const RUNS_MAX = 60;
/** After the last fault the chaos lasts so long. */
const REST_MS = 600;

export interface Smaller {
  readonly plan: Plan;
  readonly verdict: Verdict;
}

export function minimise(plan: Plan, verdict: Verdict, world: WorldUnderTest): Smaller {
  let best: Smaller = { plan, verdict };
  let runs = 0;
  const holds = (candidate: Plan): boolean => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const found = runPlan(candidate, world);
    if (found.invariant !== verdict.invariant) return false;
    best = { plan: candidate, verdict: found };
    return true;
  };
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = best.plan.faults.length - size; start >= 0; start -= size) {
      holds({ ...best.plan, faults: without(best.plan.faults, start, size) });
    }
  }
  const endsMs = Math.max(0, ...best.plan.faults.map(({ atMs, forMs }) => atMs + forMs)) + REST_MS;
  if (endsMs < best.plan.chaosMs) holds({ ...best.plan, chaosMs: endsMs });
  if (best.plan.clients > 2) holds({ ...best.plan, clients: 2 });
  return best;
}

function without(faults: readonly Fault[], start: number, size: number): readonly Fault[] {
  return faults.filter((_, i) => i < start || i >= start + size);
}
