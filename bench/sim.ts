// Simulated seconds per CPU second: five replicas of one group, with more players and with fewer; the seed
// topology without regions and with.
import { drawPlan } from '../src/sim/plan/faults.ts';
import type { Plan } from '../src/sim/plan/plan.ts';
import { runPlan, type Verdict } from '../src/sim/run.ts';
import { fiveReplicas, stockWorld, type WorldUnderTest } from '../src/sim/play/worlds.ts';
import { table, type Row, spread } from './spread.ts';

const SEEDS = 30;
/** The engine compiles what runs often: the first fifty seeds of a process take more than twice as long. */
const WARM_UP_SEEDS = 60;

export function benchSim(rounds: number): Promise<void> {
  const rows: Row[] = [];
  for (const { what, plans } of [
    { what: 'five replicas, load and faults', plans: plansOf(fiveReplicas) },
    { what: 'five replicas, few players, faults', plans: plansOf(fiveReplicas, { isQuiet: true }) },
    { what: 'five replicas, load', plans: plansOf(fiveReplicas, { isCalm: true }) },
    { what: 'seed topology, groups alone', plans: plansOf(stockWorld, { regions: false }) },
    { what: 'seed topology with regions', plans: plansOf(stockWorld, { regions: true }) },
  ]) {
    for (let i = 0; i < WARM_UP_SEEDS; i++) plans.next().value();
    const runs: Speed[] = [];
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`${what}, round ${round + 1} of ${rounds}\n`);
      runs.push(window(plans));
    }
    rows.push({
      what,
      'simulated s per CPU s': spread(runs.map((run) => run.speed)),
      'decided calls per simulated s': spread(runs.map((run) => run.calls)),
      'µs per step': spread(runs.map((run) => run.stepUs)),
      'seeds per CPU minute': spread(runs.map((run) => run.seeds)),
    });
  }
  process.stdout.write(table(rows));
  return Promise.resolve();
}

interface Speed {
  readonly speed: number;
  readonly calls: number;
  readonly stepUs: number;
  readonly seeds: number;
}

/** The runs of all seeds of this kind, as `bluemarble sim` draws them. */
function* plansOf(
  world: WorldUnderTest,
  o: { readonly isCalm?: boolean; readonly isQuiet?: boolean; readonly regions?: boolean } = {},
): Generator<() => Verdict, never> {
  for (let seed = 1; ; seed++) {
    const drawn = drawPlan({ seed, topology: world.topology });
    if (o.regions !== undefined && (drawn.regions !== undefined) !== o.regions) continue;
    const calm = o.isCalm === true ? { faults: [] } : {};
    const quiet = o.isQuiet === true ? { clients: 1, thinkMsMax: 1_000 } : {};
    const plan: Plan = { ...drawn, ...calm, ...quiet };
    yield () => runPlan(plan, world);
  }
}

function window(plans: Generator<() => Verdict, never>): Speed {
  const before = process.cpuUsage();
  let [virtualS, decided, steps] = [0, 0, 0];
  for (let i = 0; i < SEEDS; i++) {
    const verdict = plans.next().value();
    virtualS += verdict.virtualMs / 1_000;
    decided += verdict.decided;
    steps += verdict.steps;
  }
  const { user, system } = process.cpuUsage(before);
  const cpuS = (user + system) / 1e6;
  return {
    speed: virtualS / cpuS,
    calls: decided / virtualS,
    stepUs: (cpuS * 1e6) / steps,
    seeds: (SEEDS * 60) / cpuS,
  };
}
