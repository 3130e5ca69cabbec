// The report: what makes it `ok`, and what it says when it is not.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { CrowdResult } from '../../src/crowd/messages.ts';
import { Tally } from '../../src/crowd/tally.ts';
import { describeReport, type Findings, reportOf } from '../../src/host/report.ts';
import { factsOf } from '../support/world-views.ts';

function crowdResult(changes: Partial<CrowdResult['comparison']> = {}, trades = 3): CrowdResult {
  const tally = new Tally();
  tally.record('trade.give', 'done', 4);
  tally.record('trade.give', 'uncertain', 900);
  const comparison = {
    gold: { expected: 200, counted: 200 },
    items: { expected: 6, counted: 6 },
    uncertain: 0,
    differences: 0,
    described: [],
    ...changes,
  };
  const calls = tally.summarize(1_000);
  const stats = { players: 2, joined: 2, trades, said: 4, crafted: 5, calls };
  return { stats, absent: 0, known: 2, comparison };
}

function findings(changes: Partial<Findings> = {}): Findings {
  const replicas = [
    { group: 'economy', index: 40, stateHash: 7, compared: 5, members: 5, trailing: 0, isEqual: true },
  ];
  return {
    world: 'world-test',
    startMs: 2_100,
    durationMs: 30_000,
    players: 2,
    crowd: crowdResult(),
    holdings: undefined,
    leaderChanges: 1,
    promotions: 2,
    lostEntries: 3,
    nodes: factsOf(),
    replicas,
    ...changes,
  };
}

/** The invariants that a world with these findings has broken. */
function broken(changes: Partial<Findings>): readonly string[] {
  const report = reportOf(findings(changes));
  const names = report.invariants.filter(({ held }) => !held).map(({ name }) => name);
  assert.equal(report.ok, names.length === 0);
  return names;
}

test('a run in which everything held is ok, and counts its outcomes', () => {
  const report = reportOf(findings());
  assert.equal(report.ok, true);
  assert.deepEqual(report.outcomes, { done: 1, rejected: 0, unavailable: 0, uncertain: 1 });
  assert.deepEqual(report.gold, { expected: 200, counted: 200 });
  assert.deepEqual(JSON.parse(JSON.stringify(report)).calls[1].call, 'trade.give');
});

test('promotions are counted, with what they cost', () => {
  const text = describeReport(reportOf(findings()))
    .map((line) => line.map((piece) => piece.text).join(''))
    .join('\n');
  assert.match(text, /leader changes 1, promotions 2, which cost 3 entries$/m);
});

test('gold or items that were made or lost break the report', () => {
  const gold = crowdResult({ gold: { expected: 200, counted: 201 } });
  assert.deepEqual(broken({ crowd: gold }), ['gold is neither made nor lost']);
  const items = crowdResult({ items: { expected: 6, counted: 5 } });
  assert.deepEqual(broken({ crowd: items }), ['items are neither made nor lost']);
});

test('a difference from what was acknowledged breaks the report and is described', () => {
  const crowd = crowdResult({ differences: 1, described: ['item 4 is with nobody'] });
  assert.deepEqual(broken({ crowd }), ['every player holds what was acknowledged']);
  const text = describeReport(reportOf(findings({ crowd })))
    .flatMap((line) => line.map((piece) => piece.text))
    .join('');
  assert.match(text, /BROKEN.*item 4 is with nobody/);
});

test('a crowd that never traded, or could not tell, breaks the report', () => {
  assert.deepEqual(broken({ crowd: crowdResult({}, 0) }), ['players traded']);
  assert.deepEqual(broken({ crowd: undefined }), ['the test players could check the world']);
  assert.deepEqual(broken({ crowd: { ...crowdResult(), absent: 1 } }), ['every player who came was let in']);
});

test('players who had not come yet when it ended are not counted, and break nothing', () => {
  const { stats, ...rest } = crowdResult();
  const crowd = { ...rest, stats: { ...stats, players: 1_500, joined: 1_405 } };
  const late = { players: 1_500, crowd };
  assert.deepEqual(broken(late), []);
  const report = reportOf(findings(late));
  assert.deepEqual([report.players, report.playersWanted], [1_405, 1_500]);
  const text = describeReport(report)
    .map((line) => line.map((piece) => piece.text).join(''))
    .join('\n');
  assert.match(text, /^1,405 of 1,500 players, 3 trades/m);
  assert.match(text, /every player who came was let in: the other 95 had not come yet when it ended/);
  const all = describeReport(reportOf(findings())).map((line) => line[0]?.text ?? '');
  assert.ok(all.some((line) => line.startsWith('2 players, ')));
});

test('a world without test players needs no trades', () => {
  assert.deepEqual(broken({ players: 0, crowd: undefined }), []);
});

test('replicas that differ, or that nobody could compare, break the report', () => {
  const standing = { group: 'auth', index: 9, stateHash: 1, compared: 3, members: 3, trailing: 0 };
  const names = ['the copies of auth agree'];
  assert.deepEqual(broken({ replicas: [{ ...standing, isEqual: false }] }), names);
  assert.deepEqual(broken({ replicas: [{ ...standing, compared: 0, isEqual: true }] }), names);
});

test('a replica that trails breaks no report, and is told', () => {
  const replica = { group: 'auth', index: 9, stateHash: 1, compared: 2, members: 3, trailing: 1 };
  const report = reportOf(findings({ replicas: [{ ...replica, isEqual: true }] }));
  const { held, detail } = report.invariants.find(({ name }) => name.includes('auth')) ?? {};
  assert.deepEqual([held, detail], [true, '2 of 3 compared at index 9, 1 not there yet']);
});

test('a node that ended by itself breaks the report, one that was killed is only told', () => {
  const [first, ...others] = factsOf({ 'global-2': 'down' });
  assert.ok(first !== undefined);
  const nodes = [{ ...first, selfExits: 2 }, ...others];
  assert.deepEqual(broken({ nodes }), ['no node ended by itself']);
  assert.deepEqual(broken({ nodes: factsOf({ 'global-2': 'down' }) }), []);
  const killed = reportOf(findings({ nodes: [{ ...first, outsideEnds: 1 }, ...others] }));
  const { held, detail } = killed.invariants.at(-1) ?? {};
  assert.deepEqual([held, detail], [true, 'global-1 was killed from outside once']);
});

test('books of the whole world that do not balance break the report', () => {
  const gold = { expected: 900, counted: 899 };
  const items = { expected: 27, counted: 27 };
  assert.deepEqual(broken({ holdings: { gold, items } }), ['the books of the whole world balance']);
  assert.deepEqual(broken({ holdings: { gold: { ...gold, counted: 900 }, items } }), []);
});

test('without test players the report counts the gold and items of the whole world', () => {
  const gold = { expected: 900, counted: 900 };
  const items = { expected: 27, counted: 27 };
  const report = reportOf(findings({ players: 0, crowd: undefined, holdings: { gold, items } }));
  assert.deepEqual([report.gold, report.items], [gold, items]);
});
