import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../src/base/crc32c.ts';
import { drawPlan } from '../../src/sim/plan/faults.ts';
import { minimise } from '../../src/sim/minimise.ts';
import type { Plan } from '../../src/sim/plan/plan.ts';
import { digestOf, runPlan } from '../../src/sim/run.ts';
import { drawSvg, drawText, type Mark } from '../../src/sim/timeline.ts';
import { fiveReplicas, stockWorld, worldOf } from '../../src/sim/play/worlds.ts';
import forgetful, { drawDeed } from './worlds/forgetful-feature.ts';

const plan = (seed: number, chaosMs: number): Plan =>
  drawPlan({ seed, topology: stockWorld.topology, chaosMs });

test('the same seed draws the same plan on every machine', () => {
  const plans = Array.from({ length: 50 }, (_, seed) =>
    JSON.stringify(drawPlan({ seed, topology: stockWorld.topology })),
  );
  assert.equal(new Set(plans).size, 50);
  const sum = crc32c(new TextEncoder().encode(plans.join('\n'))).toString(16);
  // A change of how plans are drawn changes it, a change of machine or Node never.
  assert.equal(sum, '94615937');
});

test('the same seed gives the same run, event by event', () => {
  for (const seed of [1, 2, 3]) {
    const first = runPlan(plan(seed, 2_000), stockWorld);
    const again = runPlan(plan(seed, 2_000), stockWorld);
    assert.deepEqual(again, first);
    assert.equal(first.result, 'ok', `seed ${seed}: ${first.what}`);
  }
});

test('a run is the same on every machine, whoever lives in it', () => {
  // Where they differ between machines or versions of Node, something reads what no seed gives. They change
  // with whatever changes what is sent, written or drawn in a run: then put the new ones here.
  const digests = [2, 12, 4].map((seed) => {
    const { regions, motion } = plan(seed, 2_000);
    const lives = motion !== undefined ? 'walkers' : regions !== undefined ? 'regions' : 'groups';
    return `${lives} ${runPlan(plan(seed, 2_000), stockWorld).digest}`;
  });
  assert.deepEqual(digests, ['groups e8aa9c7c', 'regions eb218343', 'walkers 9039ba8d']);
});

test('another seed gives another run', () => {
  const digests = [4, 5, 6].map((seed) => runPlan(plan(seed, 1_000), stockWorld).digest);
  assert.equal(new Set(digests).size, 3);
  assert.notEqual(digestOf(digests), digestOf([...digests].reverse()));
});

test('one group of five can be simulated as well as the whole topology', () => {
  const { topology } = fiveReplicas;
  const verdict = runPlan(drawPlan({ seed: 1, topology, chaosMs: 1_500 }), fiveReplicas);
  assert.equal(verdict.result, 'ok', verdict.what);
  assert.ok(verdict.decided > 20);
});

test('a feature that keeps state outside of its state is caught, and its plan made smaller', () => {
  const world = worldOf(forgetful, drawDeed);
  const failing = plan(3, 2_000);
  const verdict = runPlan(failing, world);
  assert.equal(verdict.result, 'safety');
  assert.equal(verdict.invariant, 'SMS');
  assert.ok((verdict.decidedOf['counter'] ?? 0) > 0, 'it was asked');
  const smaller = minimise(failing, verdict, world);
  assert.equal(smaller.verdict.invariant, 'SMS');
  assert.equal(smaller.plan.faults.length, 0);
  const marks: Mark[] = [];
  runPlan(smaller.plan, world, (atMs, lane, what) => marks.push({ atMs, lane, what }));
  const text = drawText(smaller.plan, smaller.verdict, marks);
  assert.match(text, /leads economy in term 1/);
  assert.match(text, /SMS: economy: \d gives another reply/);
  const svg = drawSvg(smaller.plan, smaller.verdict, [...marks, { atMs: 1, lane: 1, what: '<&>' }]);
  assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
  assert.match(svg, /&lt;&amp;&gt;/);
  assert.ok(!svg.includes('<&>'));
});
