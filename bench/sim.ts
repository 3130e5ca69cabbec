// Simulated seconds per CPU second: five replicas of one group, and the whole seed topology.
import { drawPlan } from '../src/sim/faults.ts';
import type { Plan } from '../src/sim/plan.ts';
import { runPlan } from '../src/sim/run.ts';
import { fiveReplicas, stockWorld, type WorldUnderTest } from '../src/sim/worlds.ts';
import { table, type Row, spread } from './spread.ts';

const SEEDS = 30;
const WARM_UP_SEEDS = 10;

export function benchSim(rounds: number): Promise<void> {
  const rows: Row[] = [];
  for (const [what, world, isFaulty] of [
    ['five replicas, load and faults', fiveReplicas, true],
    ['five replicas, load', fiveReplicas, false],
    ['whole topology, load and faults', stockWorld, true],
  ] as const) {
    for (let seed = 1; seed <= WARM_UP_SEEDS; seed++) measure(world, isFaulty, seed);
    const runs: Speed[] = [];
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`${what}, round ${round + 1} of ${rounds}\n`);
      runs.push(window(world, isFaulty, round));
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

function window(world: WorldUnderTest, isFaulty: boolean, round: number): Speed {
  const before = process.cpuUsage();
  let [virtualS, decided, steps] = [0, 0, 0];
  for (let i = 0; i < SEEDS; i++) {
    const verdict = measure(world, isFaulty, round * SEEDS + i);
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

function measure(world: WorldUnderTest, isFaulty: boolean, seed: number): ReturnType<typeof runPlan> {
  const drawn = drawPlan({ seed, topology: world.topology });
  const plan: Plan = isFaulty ? drawn : { ...drawn, faults: [] };
  return runPlan(plan, world);
}
