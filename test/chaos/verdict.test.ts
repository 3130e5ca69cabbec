import assert from 'node:assert/strict';
import test from 'node:test';
import { describeVerdict, type Findings, judge, type Verdict } from '../../src/chaos/verdict.ts';
import type { Standing } from '../../src/chaos/load.ts';
import { HistoryReader } from '../../src/verify/history.ts';
import { REGIONAL } from '../../src/verify/regional/regional.ts';
import { type Call, closes, regionalHistory, said, seen } from '../support/regional-histories.ts';

function standing(player: string, gold: number, items: readonly number[]): Standing {
  const held = items.map((id) => ({ id, kind: 'sword', locked: false }));
  return { player, holdings: { gold, goldLocked: 0, items: held } };
}

/** One transfer of 10 from 1 to 2, and reads of what is left. */
function gold(read: number): ReturnType<HistoryReader['finish']> {
  const reader = new HistoryReader();
  reader.event({ type: 'init', model: 'bank', value: { 1: 100, 2: 100 } });
  const value = { from: '1', to: '2', amount: 10 };
  reader.event({ process: '1', type: 'invoke', f: 'transfer', value, time: 1 });
  reader.event({ process: '1', type: 'ok', f: 'transfer', value: { left: 90 }, order: 5, time: 2 });
  reader.event({ process: '2', type: 'invoke', f: 'read', value: '2', time: 3 });
  reader.event({ process: '2', type: 'ok', f: 'read', value: read, order: 5, time: 4 });
  return reader.finish();
}

const opening = [standing('1', 100, [1, 2]), standing('2', 100, [3])];
const sound: Findings = {
  players: 2,
  areAllIn: true,
  faults: 3,
  histories: new Map([['gold', { model: 'bank', history: gold(110) }]]),
  opening,
  closing: [standing('1', 90, [1]), standing('2', 110, [2, 3])],
  totals: { gold: { expected: 200, counted: 200 }, items: { expected: 3, counted: 3 } },
  replicas: [
    { group: 'economy', index: 9, stateHash: 1, compared: 5, members: 5, trailing: 0, isEqual: true },
  ],
  leaders: [
    { group: 'economy', epoch: 1, node: 'global-1' },
    { group: 'economy', epoch: 2, node: 'global-2' },
  ],
  primaries: [
    { group: 'eu', epoch: 1, node: 'eu' },
    { group: 'eu', epoch: 2, node: 'asia' },
  ],
  unread: [],
  nodes: [],
  own: undefined,
  settledMs: 400,
};

const counts = { done: 2, rejected: 0, unavailable: 0, uncertain: 0 };
const story = { counts, p50Ms: 1, p99Ms: 2, maxMs: 3, leaderChanges: 0, promotions: 3, lostEntries: 5 };

function brokenOf(changes: Partial<Findings>): readonly string[] {
  const { verdict, checks } = judge({ ...sound, ...changes });
  assert.equal(verdict, 'violated');
  return checks.filter(({ result }) => result === 'broken').map(({ name }) => name);
}

test('a drill in which everything fits is well', () => {
  assert.equal(judge(sound).verdict, 'ok');
});

test('a stale read is a violation, whatever the final state says', () => {
  const histories = new Map([['gold', { model: 'bank', history: gold(100) }]] as const);
  assert.deepEqual(brokenOf({ histories }), []);
});

test('gold or items that came or went are told, each by its own check', () => {
  const closing = [standing('1', 91, [1, 2]), standing('2', 110, [2, 3])];
  assert.deepEqual(brokenOf({ closing }), [
    'the gold of all players is conserved',
    'each item is with exactly one player',
  ]);
  const totals = { gold: { expected: 200, counted: 199 }, items: { expected: 3, counted: 3 } };
  assert.deepEqual(brokenOf({ totals }), ["the world's books balance"]);
});

test('copies that differ, two leaders in a term and a world that stays broken are violations', () => {
  const replicas = sound.replicas.map((each) => ({ ...each, isEqual: false }));
  assert.deepEqual(brokenOf({ replicas }), ['all copies of a group or region are equal']);
  const leaders = [...sound.leaders, { group: 'economy', epoch: 2, node: 'global-3' }];
  assert.deepEqual(brokenOf({ leaders }), ['one leader in a term']);
  assert.deepEqual(brokenOf({ settledMs: undefined }), [
    'the world is whole again by itself once faults end',
  ]);
});

test('a copy that is missing or trails leaves open whether all are equal', () => {
  for (const trailing of [0, 1]) {
    const replicas = sound.replicas.map((each) => ({ ...each, compared: 4, trailing }));
    const { verdict, checks } = judge({ ...sound, replicas });
    assert.equal(verdict, 'unknown');
    assert.match(checks.find(({ result }) => result === 'unknown')?.name ?? '', /^all copies/);
  }
});

test('a channel that can not be read in the end is a violation', () => {
  assert.deepEqual(brokenOf({ unread: ['x'] }), ['every channel can be read in the end']);
});

test('two primaries in an epoch are a violation', () => {
  const primaries = [...sound.primaries, { group: 'eu', epoch: 2, node: 'na-west' }];
  assert.deepEqual(brokenOf({ primaries }), ['one primary in an epoch']);
});

test('what residents were told is judged by their history alone', () => {
  const resultOf = (calls: readonly Call[]): Verdict => {
    const regions = { model: REGIONAL, history: regionalHistory(calls) };
    return judge({ ...sound, histories: new Map([['regions', regions]]) });
  };
  assert.equal(resultOf([said(3), ...closes([])]).verdict, 'violated');
  const cost = seen(30_000, 'lost', { from: 3, to: 3 }, 'eu');
  const verdict = resultOf([said(3, 'one'), ...closes([]), cost]);
  assert.equal(verdict.verdict, 'unknown', 'nobody counted who stands where');
  const text = describeVerdict(verdict, story).join('\n');
  assert.match(text, /held {4}what one disk .*\n +1 of 1 messages and their like are owned up to/);
});

test('what could not be looked at is unknown, and a violation outweighs it', () => {
  const [first] = opening;
  assert.ok(first !== undefined);
  assert.equal(judge({ ...sound, closing: [first] }).verdict, 'unknown');
  assert.equal(judge({ ...sound, totals: undefined }).verdict, 'unknown');
  const empty = { ...sound, areAllIn: false, opening: [], unread: ['x'] };
  assert.equal(judge(empty).verdict, 'unknown', 'the gold of who never came is in nobody');
  const replicas = sound.replicas.map((each) => ({ ...each, compared: 4 }));
  assert.equal(judge({ ...sound, replicas }).verdict, 'unknown');
  assert.equal(judge({ ...sound, replicas, settledMs: undefined }).verdict, 'violated');
});

test('a world that no fault hit has shown nothing, and a violation outweighs that too', () => {
  const verdict = judge({ ...sound, faults: 0 });
  assert.equal(verdict.verdict, 'unknown');
  const unknown = verdict.checks.filter(({ result }) => result === 'unknown');
  assert.deepEqual(unknown.map(({ name }) => name), ['faults hit the world']);
  assert.equal(judge({ ...sound, faults: 0, settledMs: undefined }).verdict, 'violated');
});

test('the verdict says in words what is broken', () => {
  const verdict: Verdict = judge({ ...sound, settledMs: undefined });
  const text = describeVerdict(verdict, story).join('\n');
  assert.match(text, /BROKEN {2}the world is whole again/);
  assert.match(text, /3 promotions, which cost 5 entries/);
  assert.match(text, /VIOLATED: what was promised was not kept\.$/);
});
