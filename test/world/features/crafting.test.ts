import assert from 'node:assert/strict';
import test from 'node:test';
import type { Audit, HoldingsView } from '../../../src/wire/calls.ts';
import { HELD_ITEMS_MAX } from '../../../src/wire/calls.ts';
import { CRAFT_JOBS_MAX, type Job, type Workshop } from '../../../src/wire/regional-calls.ts';
import { GATHERED_AT_ONCE } from '../../../src/world/features/crafting.ts';
import { stockRules } from '../../../src/world/features/recipes.ts';
import { type Answer, AskedGroup, reasonOf } from '../../support/asked-group.ts';
import { ECONOMY, EU, LinkedLogs } from '../../support/linked-logs.ts';

const ADA = 1;
/** In the order in which a player's first items come. */
const [LANTERN, COMPASS, ROPE] = [1, 2, 3];

function valueOf<Value>(answer: Answer): Value {
  return answer.kind === 'done' ? (answer.value as Value) : assert.fail(answer.reason);
}
const workshopOf = (log: AskedGroup, player: number): Workshop =>
  valueOf<Workshop>(log.query(player, 'crafting.mine'));
const holdingsOf = (logs: LinkedLogs, player: number): HoldingsView =>
  valueOf<HoldingsView>(logs.economy.query(player, 'holdings.mine'));
const stockOf = (log: AskedGroup, player: number): Record<string, number> =>
  Object.fromEntries(workshopOf(log, player).materials.map(({ kind, count }) => [kind, count]));
const jobsOf = (log: AskedGroup, player: number): readonly Job[] => workshopOf(log, player).jobs;
const start = (log: AskedGroup, player: number, recipe: string, item: number | null = null): Answer =>
  log.ask(player, 'crafting.start', { recipe, item });
const collect = (log: AskedGroup, player: number, job: number): Answer =>
  log.ask(player, 'crafting.collect', { job });

/** Gathers and makes what the rare recipes need, as often as asked. */
function provide(log: AskedGroup, player: number, kinds: readonly string[]): void {
  const from = new Map([['plank', 'wood'], ['brick', 'stone'], ['cord', 'fibre']]);
  for (const kind of kinds) {
    log.timeMs += stockRules.gatherEveryMs;
    const material = from.get(kind) ?? kind;
    assert.equal(reasonOf(log.ask(player, 'crafting.gather', { material })), 'done');
    if (material === kind) continue;
    const { job, finishesAtMs } = valueOf<Job>(start(log, player, kind));
    log.timeMs = finishesAtMs;
    assert.equal(reasonOf(collect(log, player, job)), 'done');
  }
}

function opened(): LinkedLogs {
  const logs = new LinkedLogs();
  logs.economy.ask(ADA, 'holdings.open');
  logs.economy.ask(2, 'holdings.open');
  return logs;
}

function audited(logs: LinkedLogs): Audit {
  const audit = valueOf<Audit>(logs.economy.query(0, 'holdings.audit'));
  assert.equal(audit.itemsMinted, audit.itemsHeld + audit.itemsLocked + audit.itemsConsumed);
  return audit;
}

test('materials lie about, a few at a time, once a second', () => {
  const { eu } = opened();
  const gather = (player: number, material: string): Answer =>
    eu.ask(player, 'crafting.gather', { material });
  assert.deepEqual(valueOf(gather(ADA, 'wood')), { kind: 'wood', count: GATHERED_AT_ONCE });
  assert.equal(reasonOf(gather(ADA, 'stone')), 'too-soon');
  assert.equal(reasonOf(gather(2, 'stone')), 'done');
  eu.timeMs += stockRules.gatherEveryMs;
  assert.equal(reasonOf(gather(ADA, 'plank')), 'unknown-material');
  assert.equal(reasonOf(gather(ADA, 'gold')), 'unknown-material');
  for (let round = 1; round < 250; round++) {
    assert.equal(reasonOf(gather(ADA, 'wood')), 'done');
    eu.timeMs += stockRules.gatherEveryMs;
  }
  assert.equal(reasonOf(gather(ADA, 'wood')), 'stock-full');
  assert.deepEqual(stockOf(eu, ADA), { wood: 1_000 });
});

test('jobs are done one after the other, and what is finished is collected', () => {
  const { eu } = opened();
  provide(eu, ADA, ['wood']);
  const [first, second] = [valueOf<Job>(start(eu, ADA, 'plank')), valueOf<Job>(start(eu, ADA, 'plank'))];
  assert.equal(first.finishesAtMs, eu.timeMs + 2_000);
  assert.equal(second.finishesAtMs, eu.timeMs + 4_000);
  assert.equal(reasonOf(start(eu, ADA, 'plank')), 'not-enough-materials');
  eu.timeMs += 2_000;
  assert.equal(reasonOf(collect(eu, ADA, second.job)), 'not-ready');
  assert.equal(reasonOf(collect(eu, 2, first.job)), 'no-such-job');
  assert.equal(reasonOf(collect(eu, ADA, first.job)), 'done');
  assert.equal(reasonOf(collect(eu, ADA, first.job)), 'no-such-job');
  assert.deepEqual(stockOf(eu, ADA), { plank: 1 });
});

test('a queue that is full takes no further job', () => {
  const { eu } = opened();
  provide(eu, ADA, Array.from({ length: 5 }, () => 'wood'));
  for (let count = 0; count < CRAFT_JOBS_MAX; count++) {
    assert.equal(reasonOf(start(eu, ADA, 'plank')), 'done');
  }
  assert.equal(reasonOf(start(eu, ADA, 'plank')), 'queue-full');
  assert.deepEqual(stockOf(eu, ADA), { wood: 4 });
});

test('a rare item goes into a job and another one comes out of it', () => {
  const logs = opened();
  const { eu } = logs;
  provide(eu, ADA, ['plank', 'brick']);
  const { job, state } = valueOf<Job>(start(eu, ADA, 'sextant', COMPASS));
  assert.equal(state, 'claiming');
  assert.deepEqual(stockOf(eu, ADA), { wood: 2, stone: 2 });
  assert.equal(reasonOf(collect(eu, ADA, job)), 'not-ready');
  logs.settle();
  assert.equal(jobsOf(eu, ADA)[0]?.state, 'working');
  assert.deepEqual(holdingsOf(logs, ADA).items.map(({ id }) => id), [LANTERN, ROPE]);
  assert.equal(audited(logs).itemsConsumed, 1);
  assert.equal(reasonOf(collect(eu, ADA, job)), 'not-ready');
  eu.timeMs += 4_000;
  assert.equal(valueOf<Job>(collect(eu, ADA, job)).state, 'delivering');
  assert.equal(reasonOf(collect(eu, ADA, job)), 'not-ready');
  logs.settle();
  const [done] = jobsOf(eu, ADA);
  assert.ok(done?.state === 'made');
  const items = [...holdingsOf(logs, ADA).items].map(({ id, kind }) => [id, kind]);
  assert.deepEqual(items.at(-1), [done.made, 'sextant']);
  const { itemsMinted, itemsHeld, itemsConsumed } = audited(logs);
  assert.deepEqual([itemsMinted, itemsHeld, itemsConsumed], [7, 6, 1]);
  assert.equal(valueOf<Job>(collect(eu, ADA, job)).made, done.made);
  assert.deepEqual(jobsOf(eu, ADA), []);
});

test('an item of somebody else, one in an offer or one of another kind goes into no job', () => {
  const logs = opened();
  const { eu, economy } = logs;
  provide(eu, ADA, ['brick', 'brick', 'brick', 'plank']);
  const before = stockOf(eu, ADA);
  const offer = { to: 2, give: { gold: 0, items: [LANTERN] }, want: { gold: 0, items: [] } };
  assert.equal(reasonOf(economy.ask(ADA, 'trade.offer', offer)), 'done');
  const wishes = [
    ['beacon', 4, 'not-yours'],
    ['beacon', 999, 'not-yours'],
    ['beacon', LANTERN, 'item-locked'],
    ['beacon', COMPASS, 'wrong-kind'],
  ] as const;
  for (const [recipe, item, reason] of wishes) {
    const { job } = valueOf<Job>(start(eu, ADA, recipe, item));
    assert.notDeepEqual(stockOf(eu, ADA), before);
    logs.settle();
    const [refused] = jobsOf(eu, ADA);
    assert.deepEqual([refused?.state, refused?.reason], ['refused', reason]);
    assert.deepEqual(stockOf(eu, ADA), before, 'what it took is back');
    assert.equal(reasonOf(collect(eu, ADA, job)), 'done');
  }
  assert.equal(audited(logs).itemsConsumed, 0);
  provide(eu, 3, ['plank', 'brick']);
  start(eu, 3, 'sextant', COMPASS);
  logs.settle();
  assert.equal(jobsOf(eu, 3)[0]?.reason, 'not-open');
});

test('an item is named where the recipe needs one, and in one job at a time', () => {
  const { eu } = opened();
  provide(eu, ADA, ['plank', 'brick', 'plank', 'brick']);
  assert.equal(reasonOf(start(eu, ADA, 'sextant')), 'item-needed');
  assert.equal(reasonOf(start(eu, ADA, 'plank', COMPASS)), 'no-item-needed');
  assert.equal(reasonOf(start(eu, ADA, 'philosophers-stone')), 'unknown-recipe');
  assert.equal(reasonOf(start(eu, ADA, 'sextant', COMPASS)), 'done');
  assert.equal(reasonOf(start(eu, ADA, 'sextant', COMPASS)), 'item-in-use');
});

test('a product that finds no room in the holdings stays, and is collected later', () => {
  const logs = opened();
  const { eu, economy } = logs;
  provide(eu, ADA, ['plank', 'brick']);
  const { job } = valueOf<Job>(start(eu, ADA, 'sextant', COMPASS));
  logs.settle();
  eu.timeMs += 4_000;
  for (let giver = 10; holdingsOf(logs, ADA).items.length < HELD_ITEMS_MAX; giver++) {
    const { items } = valueOf<HoldingsView>(economy.ask(giver, 'holdings.open'));
    for (const { id } of items) {
      economy.ask(giver, 'trade.give', { to: ADA, gold: 0, items: [id] });
    }
  }
  collect(eu, ADA, job);
  logs.settle();
  assert.deepEqual([jobsOf(eu, ADA)[0]?.state, jobsOf(eu, ADA)[0]?.reason], ['working', 'too-many-items']);
  assert.equal(reasonOf(economy.ask(ADA, 'trade.give', { to: 2, gold: 0, items: [ROPE] })), 'done');
  assert.equal(reasonOf(collect(eu, ADA, job)), 'done');
  logs.settle();
  assert.equal(jobsOf(eu, ADA)[0]?.state, 'made');
  audited(logs);
});

test('while the economy can not be asked, jobs wait, and nothing is taken', () => {
  const logs = opened();
  const { eu } = logs;
  provide(eu, ADA, ['plank', 'brick']);
  const { job } = valueOf<Job>(start(eu, ADA, 'sextant', COMPASS));
  eu.timeMs += 3_600_000;
  assert.equal(reasonOf(collect(eu, ADA, job)), 'not-ready');
  assert.equal(holdingsOf(logs, ADA).items.length, 3);
  eu.restart();
  logs.settle();
  assert.equal(jobsOf(eu, ADA)[0]?.state, 'working');
  assert.equal(jobsOf(eu, ADA)[0]?.finishesAtMs, eu.timeMs + 4_000);
});

test('a claim that arrives twice, or whose answer does, takes one item', () => {
  const logs = opened();
  const { eu } = logs;
  provide(eu, ADA, ['plank', 'brick']);
  start(eu, ADA, 'sextant', COMPASS);
  const claim = logs.pending(EU, ECONOMY) ?? assert.fail();
  for (let times = 0; times < 3; times++) logs.deliver(claim);
  const answer = logs.pending(ECONOMY, EU) ?? assert.fail();
  assert.equal(answer.events.length, 1);
  for (let times = 0; times < 3; times++) logs.deliver(answer);
  assert.equal(jobsOf(eu, ADA)[0]?.state, 'working');
  logs.settle();
  assert.equal(audited(logs).itemsConsumed, 1);
});

test('workshops outlive a restart', () => {
  const logs = opened();
  provide(logs.eu, ADA, ['plank', 'brick']);
  start(logs.eu, ADA, 'sextant', COMPASS);
  logs.settle();
  const before = logs.eu.machine.snapshot();
  logs.eu.restart();
  assert.deepEqual(logs.eu.machine.snapshot(), before);
});

/** Goes on with an earlier state, behind everything that was. */
function goBack(log: AskedGroup, snapshot: Uint8Array): unknown {
  log.restore(snapshot);
  log.timeMs += 1;
  return valueOf(log.serve('crafting.wentBack', null));
}

test('a claim that was answered before its region was put back ends, and takes nothing more', () => {
  const logs = opened();
  provide(logs.eu, ADA, ['plank', 'plank', 'cord']);
  const { job } = valueOf<Job>(start(logs.eu, ADA, 'rope-ladder', ROPE));
  // The claim has left and is forgotten here, as it would be when its answer is still on its way.
  const batch = logs.pending(EU, ECONOMY) ?? assert.fail();
  logs.acknowledge(EU, ECONOMY, logs.deliver(batch));
  const before = logs.eu.machine.snapshot();
  logs.settle();
  assert.equal(jobsOf(logs.eu, ADA)[0]?.state, 'working');
  assert.deepEqual(goBack(logs.eu, before), { asked: 1, unasked: 0 });
  assert.equal(jobsOf(logs.eu, ADA)[0]?.state, 'claiming');
  logs.settle();
  const [settled] = jobsOf(logs.eu, ADA);
  assert.deepEqual([settled?.job, settled?.state, settled?.reason], [job, 'refused', 'went-back']);
  assert.equal(stockOf(logs.eu, ADA)['plank'], 2);
  assert.equal(audited(logs).itemsConsumed, 1);
});

test('a product that was made before its region was put back is not made again for the same wish', () => {
  const logs = opened();
  provide(logs.eu, ADA, ['plank', 'plank', 'cord']);
  const { job } = valueOf<Job>(start(logs.eu, ADA, 'rope-ladder', ROPE));
  logs.settle();
  logs.eu.timeMs = jobsOf(logs.eu, ADA)[0]?.finishesAtMs ?? assert.fail();
  assert.equal(reasonOf(collect(logs.eu, ADA, job)), 'done');
  const before = logs.eu.machine.snapshot();
  logs.settle();
  const { itemsMinted } = audited(logs);
  goBack(logs.eu, before);
  logs.settle();
  const [settled] = jobsOf(logs.eu, ADA);
  assert.deepEqual([settled?.state, settled?.made, settled?.reason], ['made', 0, 'went-back']);
  assert.equal(audited(logs).itemsMinted, itemsMinted);
});

test('a claim that the economy never had is answered after its region was put back, and goes on', () => {
  const logs = opened();
  provide(logs.eu, ADA, ['plank', 'plank', 'cord']);
  start(logs.eu, ADA, 'rope-ladder', ROPE);
  goBack(logs.eu, logs.eu.machine.snapshot());
  logs.settle();
  assert.equal(jobsOf(logs.eu, ADA)[0]?.state, 'working');
  assert.equal(audited(logs).itemsConsumed, 1);
});

test('a job that was delivered after the moment to which its region was put back makes nothing again', () => {
  const logs = opened();
  provide(logs.eu, ADA, ['plank', 'plank', 'cord']);
  const { job } = valueOf<Job>(start(logs.eu, ADA, 'rope-ladder', ROPE));
  logs.settle();
  logs.eu.timeMs = jobsOf(logs.eu, ADA)[0]?.finishesAtMs ?? assert.fail();
  const before = logs.eu.machine.snapshot();
  assert.equal(reasonOf(collect(logs.eu, ADA, job)), 'done');
  logs.settle();
  assert.equal(jobsOf(logs.eu, ADA)[0]?.state, 'made');
  const { itemsMinted } = audited(logs);
  // The economy goes on with what it knows, also after a start.
  logs.economy.restart();
  assert.deepEqual(goBack(logs.eu, before), { asked: 0, unasked: 0 });
  assert.equal(jobsOf(logs.eu, ADA)[0]?.state, 'working');
  assert.equal(reasonOf(collect(logs.eu, ADA, job)), 'done');
  logs.settle();
  const [settled] = jobsOf(logs.eu, ADA);
  assert.deepEqual([settled?.state, settled?.made, settled?.reason], ['made', 0, 'went-back']);
  assert.equal(audited(logs).itemsMinted, itemsMinted);
});
