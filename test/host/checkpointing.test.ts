import assert from 'node:assert/strict';
import test from 'node:test';
import { saveCopies } from '../../src/host/checkpointing.ts';
import type { NodeKeeper } from '../../src/host/node-keeper.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

/** The copies of `eu`, of which each has applied 50 entries and saved so many. */
function worldWith(saved: number, down?: string): WorldView {
  const nodes = factsOf().map((facts) =>
    facts.name === down ? { ...facts, condition: 'down' as const } : facts,
  );
  const around = { upMs: 0, nodes, leaderChanges: 0, linkFaults: [], crowd: undefined };
  const view = viewOf(topology, sampleOf({}), undefined, around);
  const regions = view.regions.map((region) => ({
    ...region,
    copies: region.copies.map((copy) => ({ ...copy, applied: 50, saved })),
  }));
  return { ...view, regions };
}

function saving(views: (told: number) => WorldView): {
  readonly clock: VirtualClock;
  readonly told: string[];
  readonly world: Parameters<typeof saveCopies>[0];
} {
  const clock = new VirtualClock();
  const told: string[] = [];
  const keeper = (name: string): NodeKeeper =>
    ({ tell: () => told.push(name) }) as unknown as NodeKeeper;
  return { clock, told, world: { clock, view: () => Promise.resolve(views(told.length)), keeper } };
}

test('copies are saved when their checkpoints are as far as they had applied', async () => {
  const { clock, told, world } = saving((count) => worldWith(count === 0 ? 49 : 50));
  const saved = saveCopies(world, worldWith(49), 'eu');
  await clock.live(100);
  assert.deepEqual((await saved).map(({ done, text }) => [done, text]), [
    [true, 'na-east has saved its copy of eu'],
    [true, 'eu has saved its copy of eu'],
    [true, 'asia has saved its copy of eu'],
  ]);
  assert.deepEqual(told, ['na-east', 'eu', 'asia']);
});

test('who was saving already is told again, and who never has is named', async () => {
  const { clock, told, world } = saving(() => worldWith(49, 'asia'));
  const saved = saveCopies(world, worldWith(49, 'asia'), 'eu');
  await clock.live(20_000);
  assert.deepEqual((await saved).map(({ done, text }) => [done, text]), [
    [false, 'na-east has not saved its copy of eu within 10 s'],
    [false, 'eu has not saved its copy of eu within 10 s'],
    [false, 'asia is down: it saves nothing'],
  ]);
  assert.ok(told.length > 2 && !told.includes('asia'));
});
