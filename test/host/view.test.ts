// What a view tells of a world, out of what its nodes said.
import assert from 'node:assert/strict';
import test from 'node:test';
import { viewOf } from '../../src/host/view.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

const groups = {
  auth: { leader: 1, term: 3 },
  economy: { leader: 2, term: 7, lag: 4 },
  guild: { leader: 3, term: 1 },
};
const around = { upMs: 5_000, leaderChanges: 0, linkFaults: [], crowd: undefined };

test('groups are shown with the leader, its term and how far each member trails', () => {
  const view = viewOf(topology, sampleOf(groups), undefined, { ...around, nodes: factsOf() });
  const economy = view.groups.find(({ group }) => group === 'economy');
  assert.equal(economy?.leader, 'global-2');
  assert.equal(economy?.term, 7);
  assert.equal(economy?.waiting, 5);
  assert.deepEqual(economy?.members.at(-1), { name: 'global-5', lag: 4 });
});

test('of two nodes that both claim to lead, the one in the higher term does', () => {
  const old = sampleOf({ economy: { leader: 1, term: 6 } }, { answering: ['global-1'] });
  const now = sampleOf(groups, { answering: ['global-2', 'global-3'] });
  const statuses = new Map([...old.statuses, ...now.statuses]);
  const view = viewOf(topology, { ...now, statuses }, undefined, { ...around, nodes: factsOf() });
  assert.equal(view.groups.find(({ group }) => group === 'economy')?.leader, 'global-2');
});

test('a node that runs and does not answer is silent, one that was killed is down', () => {
  const now = sampleOf(groups, { answering: ['global-1', 'global-2'] });
  const nodes = factsOf({ 'global-5': 'down', eu: 'paused' });
  const view = viewOf(topology, now, undefined, { ...around, nodes });
  const conditions = new Map(view.nodes.map(({ name, condition }) => [name, condition]));
  assert.equal(conditions.get('global-1'), 'up');
  assert.equal(conditions.get('global-3'), 'silent');
  assert.equal(conditions.get('global-5'), 'down');
  assert.equal(conditions.get('eu'), 'paused');
  const lag = view.groups[1]?.members.map((member) => member.lag);
  assert.deepEqual(lag, [4, 4, undefined, undefined, undefined]);
});

test('rates are differences over the time between two samples', () => {
  const before = sampleOf(groups, { atMs: 1_000, done: 100 });
  const now = sampleOf(groups, { atMs: 3_000, done: 160 });
  const view = viewOf(topology, now, before, { ...around, nodes: factsOf() });
  assert.equal(view.outcomesPerSecond.done, (4 * 60) / 2);
  assert.equal(view.regions[0]?.ticksPerSecond, 30);
  assert.equal(view.regions[0]?.bytesOutPerSecond, 3_000);
});

test('a node that missed a look is compared with what it said before that', () => {
  const long = sampleOf(groups, { atMs: 1_000, done: 100, answering: ['asia'] });
  const last = sampleOf(groups, { atMs: 3_000, done: 100, answering: ['eu'] });
  const before = { ...last, statuses: new Map([...long.statuses, ...last.statuses]) };
  const now = sampleOf(groups, { atMs: 5_000, done: 160 });
  const view = viewOf(topology, now, before, { ...around, nodes: factsOf() });
  const ticks = new Map(view.regions.map(({ region, ticksPerSecond }) => [region, ticksPerSecond]));
  assert.deepEqual([ticks.get('eu'), ticks.get('asia'), ticks.get('na-west')], [30, 15, 0]);
});

test('a counter that went back belongs to a process that began anew', () => {
  const before = sampleOf(groups, { atMs: 9_000, done: 1_000 });
  for (const atMs of [499, 9_999]) {
    const now = sampleOf(groups, { atMs, done: 5 });
    const view = viewOf(topology, now, before, { ...around, nodes: factsOf() });
    assert.equal(view.outcomesPerSecond.done, (4 * 5 * 1_000) / (atMs + 1));
  }
});

const books = {
  players: 2,
  goldMinted: 200,
  goldHeld: 150,
  goldLocked: 40,
  itemsMinted: 6,
  itemsHeld: 5,
  itemsLocked: 1,
  itemsConsumed: 0,
};

function holdingsOf(fact: unknown) {
  const economy = { leader: 1, term: 1, facts: { 'holdings.audit': fact } };
  const surroundings = { ...around, nodes: factsOf() };
  return viewOf(topology, sampleOf({ economy }), undefined, surroundings).holdings;
}

test('the books of the economy say what was minted and what is there, locked or not', () => {
  assert.deepEqual(holdingsOf(books), {
    gold: { expected: 200, counted: 190 },
    items: { expected: 6, counted: 6 },
  });
});

test('books that are not as they should be count for nothing', () => {
  for (const fact of [undefined, null, 'rich', { ...books, goldHeld: -1 }, { goldMinted: 1 }]) {
    assert.equal(holdingsOf(fact), undefined);
  }
  const view = viewOf(topology, sampleOf(groups), undefined, { ...around, nodes: factsOf() });
  assert.equal(view.holdings, undefined);
});

test('of several copies, the one that is farthest is believed', () => {
  const copy = (index: number, goldHeld: number) => {
    const facts = { 'holdings.audit': { ...books, goldHeld } };
    return { economy: { leader: 1, term: 1, index, facts } };
  };
  const old = sampleOf(copy(10, 150), { answering: ['global-1'] });
  const now = sampleOf(copy(11, 160), { answering: ['global-2'] });
  const audits = new Map([...now.audits, ...old.audits]);
  const view = viewOf(topology, { ...now, audits }, undefined, { ...around, nodes: factsOf() });
  assert.equal(view.holdings?.gold.counted, 200);
});
