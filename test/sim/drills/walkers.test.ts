import assert from 'node:assert/strict';
import test from 'node:test';
import { drawPlan } from '../../../src/sim/plan/faults.ts';
import type { CrossingDrill } from '../../../src/sim/plan/motion-plan.ts';
import type { Plan } from '../../../src/sim/plan/plan.ts';
import { runPlan } from '../../../src/sim/run.ts';
import { stockWorld } from '../../../src/sim/play/worlds.ts';

/** A world without faults in which players walk, and one hand-over is struck. */
function walking(crossing: CrossingDrill): Plan {
  const drawn = drawPlan({ seed: 4, topology: stockWorld.topology, chaosMs: 2_000 });
  assert.ok(drawn.motion !== undefined);
  const none = { deafLeaderOf: undefined, transfer: undefined, exchange: undefined };
  const noLoss = { losesCopyOf: undefined, comesBack: false, rotsMemory: false };
  const calm = { edge: undefined, depose: undefined, ...noLoss };
  const drill = { ...drawn.drill, ...none, ...calm };
  return { ...drawn, clients: 3, faults: [], drill, motion: { ...drawn.motion, crossing } };
}

for (const victim of ['left', 'entered', 'gateway'] as const) {
  test(`a hand-over is struck (${victim}), and everyone is once in the world in the end`, () => {
    const lines: string[] = [];
    const plan = walking({ victim, frame: 2, by: 'kill', forMs: 300 });
    const verdict = runPlan(plan, stockWorld, (_atMs, lane, what) => lines.push(`${lane} ${what}`));
    assert.equal(verdict.result, 'ok', verdict.what);
    const [, node, after = ''] = lines.join('\n').split(new RegExp(`and ${victim} \\(node (\\d)\\)`));
    assert.match(after, new RegExp(`^${node} killed`, 'm'));
  });
}
