// What players were told of a region, and what that says about its promise: a broken history for each rule.
import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { describeReport, reportOf } from '../../src/verify/report.ts';
import { historyOf } from '../support/histories.ts';
import {
  brokenIn,
  type Call,
  closes,
  crafts,
  heard,
  judged,
  message,
  REMEMBERED,
  said,
  seen,
} from '../support/regional-histories.ts';

const NEWEST = { msOld: 0 };

function lost(from: number, to: number, key: string = 'eu'): Call {
  return seen(30_000, 'lost', { from, to }, key);
}

/** Jobs and materials that a look shows. */
function look(atMs: number, jobs: readonly object[], materials: readonly object[] = []): Call {
  return crafts(atMs, 'crafting.mine', {}, { answers: { jobs, materials } });
}

function job(number: number, state: string, item: number = 0, made: number = 0): object {
  return { job: number, state, item, made };
}

function starts(atMs: number, number: number, level: string = 'quorum'): Call {
  return crafts(atMs, 'crafting.start', { level }, { answers: { job: number }, order: number });
}

const GIVEN = { answers: { state: 'made' }, order: 8 };

function holds(atMs: number, items: readonly number[]): Call {
  return crafts(atMs, 'holdings.mine', {}, { answers: { items } });
}

test('what was acknowledged and is shown in order has nothing to be found', () => {
  const talk = [...[3, 4, 9].map((place) => said(place)), heard([3, 4, 9], NEWEST), ...closes([3, 4, 9])];
  const craft = [
    holds(1, [7]),
    starts(20_001, 12),
    look(20_010, [job(12, 'working', 7)]),
    look(20_020, [job(12, 'made', 7, 8)]),
    holds(20_030, [8]),
  ].map((call) => ({ ...call, process: '5' }));
  const enter = crafts(1, 'enter', {}, { answers: {}, process: '4', key: '' });
  const report = judged([...talk, ...craft, enter, seen(30_000, 'standing', { players: 1 })]);
  assert.deepEqual(report.invariants.flatMap(({ broken, open = [] }) => [...broken, ...open]), []);
  assert.equal(report.verdict, 'ok');
});

test('a message that a quorum acknowledged and that is gone in the end is lost', () => {
  const calls = [said(3), said(4, 'all'), ...closes([])];
  assert.equal(brokenIn(calls).lost.length, 2);
  assert.equal(brokenIn([...calls, lost(1, 9)]).lost.length, 2, 'no promotion may cost these');
});

test('a message on one disk may be gone if a promotion owns up to its place', () => {
  const calls = [said(3, 'one'), ...closes([])];
  assert.equal(brokenIn(calls).unaccounted.length, 1);
  assert.equal(brokenIn([...calls, lost(4, 9)]).unaccounted.length, 1);
  assert.equal(brokenIn([...calls, lost(3, 3, 'asia')]).unaccounted.length, 1);
  assert.deepEqual(brokenIn([...calls, lost(3, 3)]).unaccounted, []);
  const remarks = judged([...calls, lost(3, 3)]).invariants.flatMap((one) => one.remarks ?? []);
  assert.match(remarks.join('\n'), /^1 of 1 messages and their like are owned up to$/m);
});

test('a message at another place than the acknowledged one is another message', () => {
  const elsewhere = [['eu', 4, 30, 'message 3']] as const;
  const unseen = (shows: Call['shows']): number =>
    brokenIn([said(3), heard([], NEWEST, { shows: shows ?? [] })]).unseen.length;
  assert.deepEqual([unseen([message(3)]), unseen(elsewhere)], [0, 1]);
  assert.equal(unseen([message(3, { region: 'asia' })]), 1);
  assert.equal(unseen([['eu', 3, 30, 'message 4']]), 1);
});

test('his own message must be shown to its speaker however old the reading may be', () => {
  const unseen = (bound: object | undefined, changes: Partial<Call>): readonly string[] =>
    brokenIn([said(3), heard([], bound, changes)]).unseen;
  assert.match(unseen(undefined, { process: '1' }).join(), /1 was not shown "message 3".*, his own$/);
  assert.equal(unseen({ msOld: 60_000 }, { process: '1' }).length, 1);
  assert.equal(unseen(undefined, { process: '2' }).length, 0);
  assert.equal(unseen(NEWEST, { askedMs: 34 }).length, 0, 'asked for before it was acknowledged');
});

test('a reading that may be old is held to what was done over its own link, any other to all of it', () => {
  const unseen = (bound: object | undefined, link: number): readonly string[] => {
    const changes = { process: '1', order: 2, answers: { epoch: 2, link } };
    const own = { ...said(3), answers: { number: 3, epoch: 2, link: 1 } };
    return brokenIn([own, heard([], bound, changes)]).unseen;
  };
  assert.equal(unseen({ msOld: 60_000 }, 1).length, 2, 'his message, and the place of his state');
  assert.deepEqual(unseen({ msOld: 60_000 }, 2), []);
  assert.equal(unseen(undefined, 2).length, 2);
});

test('who asks for a place that he was told of is shown it and all before it in that log', () => {
  const unseen = (places: readonly number[], epoch: number, level: string = 'quorum'): number => {
    const bound = { epoch, order: 4 };
    return brokenIn([...[3, 4, 9].map((place) => said(place, level)), heard(places, bound)]).unseen.length;
  };
  assert.equal(unseen([3, 4], 2), 0);
  assert.equal(unseen([3], 2), 1);
  assert.equal(unseen([], 2), 2);
  assert.equal(unseen([], 3), 0, 'another log may have lost it');
  assert.equal(unseen([], 2, 'one'), 0, 'a promotion may have cost it');
});

test('a reading that may be so old shows what was acknowledged earlier', () => {
  const unseen = (msOld: number): number =>
    brokenIn([said(3), heard([], { msOld }, { askedMs: 535 })]).unseen.length;
  assert.deepEqual([unseen(0), unseen(500), unseen(501)], [1, 1, 0]);
  const atOnce = [heard([], NEWEST, { askedMs: 35 }), said(3)];
  assert.deepEqual(brokenIn(atOnce).unseen, [], 'asked for in a line before the answer, at the same time');
});

test('an answer comes from no state behind what its reader did, saw or names', () => {
  const at = (order: number, epoch: number, bound?: object): readonly string[] => {
    const state = { process: '1', order, answers: { epoch } };
    return brokenIn([said(3), heard([3], bound, state)]).unseen;
  };
  assert.match(at(2, 2).join(), /1 reads place 2 of epoch 2 of eu, and knows place 3 of epoch 2$/);
  assert.deepEqual(at(2, 3), [], 'the log of the next epoch');
  assert.equal(at(9, 1).length, 1);
  assert.match(at(3, 2, { epoch: 2, order: 4 }).join(), /names place 4 of epoch 2$/);
  const readings = [[9, 1_000], [8, 2_000]].map(([order = 0, askedMs = 0]) =>
    heard([], undefined, { order, answers: { epoch: 2 }, askedMs, answeredMs: askedMs + 5 }),
  );
  assert.equal(brokenIn(readings).unseen.length, 1);
});

test('what a full history has no room for is not missed', () => {
  const newest = Array.from({ length: REMEMBERED + 1 }, (_, place) => place + 10);
  const places = newest.filter((place) => place !== 50);
  const late = said(3, 'quorum', { process: '7', answeredMs: 700 });
  const found = brokenIn([late, said(50), heard(places, NEWEST, { askedMs: 9_000, answeredMs: 9_005 })]);
  assert.match(found.unseen.join(), /^2 was not shown "message 50"[^"]*$/);
});

test('a channel that is out of order, or whose log contradicts time, is found', () => {
  assert.equal(brokenIn([heard([4, 3])]).disordered.length, 1);
  const backwards = [message(3, { timeMs: 90 }), message(4, { timeMs: 80 })];
  assert.equal(brokenIn([heard([], NEWEST, { shows: backwards })]).disordered.length, 1);
  const atOnce = [4, 3].map((number) => message(number, { timeMs: 80 }));
  assert.equal(brokenIn([heard([], NEWEST, { shows: atOnce })]).disordered.length, 1);
  const spoken = (answeredMs: number): string =>
    brokenIn([
      said(8, 'quorum', { process: '2', askedMs: 10, answeredMs }),
      said(7, 'quorum', { askedMs: 30, answeredMs: 40 }),
    ]).disordered.join();
  assert.match(spoken(20), /"message 7" was said after "message 8", and stands before it/);
  assert.equal(spoken(35), '');
});

test('a message that a promotion cost says nothing of the order of those after it', () => {
  const before = said(8, 'one', { process: '2', askedMs: 10, answeredMs: 20 });
  const after = said(7, 'quorum', { askedMs: 30, answeredMs: 40 });
  assert.deepEqual(brokenIn([before, after, ...closes([7]), lost(7, 9)]).disordered, []);
  assert.equal(brokenIn([before, after, ...closes([7, 8])]).disordered.length, 1);
});

test('shared channels come to be the same in all regions, and are read there in the end', () => {
  const world = { regions: ['eu', 'asia'], channels: ['world'], shared: ['world'] };
  const read = (key: string, places: readonly number[], atMs: number): Call => {
    const asks = { channel: 'world', bound: NEWEST };
    return heard(places, undefined, { key, asks, askedMs: atMs, answeredMs: atMs + 1 });
  };
  const whole = seen(100, 'whole', {});
  const differing = (calls: readonly Call[]): readonly string[] => brokenIn(calls, world).differing;
  assert.deepEqual(differing([whole, read('eu', [3], 110), read('asia', [], 120)]), [
    'asia shows another channel world',
  ]);
  const caughtUp = [whole, read('eu', [3], 110), read('asia', [], 120), read('asia', [3], 130)];
  assert.deepEqual(differing(caughtUp), []);
  const own = { ...world, shared: [] };
  assert.deepEqual(brokenIn([whole, read('eu', [3], 110), read('asia', [], 120)], own).differing, []);
  const old = { asks: { channel: 'world' }, askedMs: 130, answeredMs: 131 };
  const unread = judged([whole, read('eu', [3], 110), heard([3], undefined, { ...old, key: 'asia' })], world);
  assert.deepEqual(unread.invariants[4]?.open, ['the channel world of asia was not read in the end']);
  const open = judged([read('eu', [3], 110), read('asia', [], 120)], world);
  assert.deepEqual(open.invariants[4]?.open?.length, 2, 'nobody said that all was whole');
  assert.equal(open.verdict, 'unknown');
});

test('a job stays in its workshop until it is collected', () => {
  const collects = (changes: Partial<Call>): Call =>
    crafts(80, 'crafting.collect', { job: 5, level: 'quorum' }, { ...GIVEN, ...changes });
  const unseen = (...calls: readonly Call[]): number => brokenIn([starts(70, 5), ...calls]).unseen.length;
  assert.equal(unseen(look(90, [job(5, 'working')]), look(100, [])), 1);
  assert.equal(unseen(collects({}), look(100, [])), 0);
  assert.equal(unseen(collects({ type: 'info' }), look(100, [])), 0);
  assert.equal(unseen(collects({ type: 'fail' }), look(100, [])), 1, 'it certainly was not collected');
  const notYet = collects({ answers: { rejected: 'not-ready' } });
  assert.deepEqual([unseen(notYet), unseen(notYet, look(100, []))], [0, 1]);
  assert.equal(unseen(collects({ answers: { rejected: 'no-such-job' } })), 1);
});

test('a job that was taken away does not come back', () => {
  const collects = (level: string, state: string): Call =>
    crafts(80, 'crafting.collect', { job: 5, level }, { answers: { state }, order: 8 });
  const back = look(100, [job(5, 'made')]);
  const unseen = (...calls: readonly Call[]): readonly string[] => brokenIn(calls).unseen;
  assert.match(unseen(collects('quorum', 'made'), back).join(), /collection of job 5 of 1 of eu, place 8/);
  assert.equal(unseen(collects('all', 'working'), back).length, 1);
  assert.deepEqual(unseen(collects('quorum', 'delivering'), back), []);
  const another = [starts(90, 5), look(100, [job(5, 'working')])];
  assert.deepEqual(unseen(collects('one', 'made'), ...another), []);
  assert.equal(brokenIn([collects('one', 'made'), back]).unaccounted.length, 1);
  assert.deepEqual(brokenIn([collects('one', 'made'), back, lost(8, 8)]).unaccounted, []);
});

test('a job on one disk may be gone if a promotion owns up to its place', () => {
  const calls = [starts(70, 7, 'one'), look(100, [])];
  assert.equal(brokenIn(calls).unaccounted.length, 1);
  assert.deepEqual(brokenIn([...calls, lost(7, 7)]).unaccounted, []);
});

test('what was gathered is in the stock until something is begun with it', () => {
  const gathers = (atMs: number, level: string, count: number): Call =>
    crafts(atMs, 'crafting.gather', { material: 'wood', level }, { answers: { count }, order: atMs / 10 });
  const stock = (count: number): Call => look(100, [], [{ kind: 'wood', count }]);
  const before = gathers(70, 'quorum', 8);
  const unseen = (...calls: readonly Call[]): number => brokenIn([before, ...calls]).unseen.length;
  assert.deepEqual([unseen(stock(8)), unseen(stock(9))], [0, 0]);
  assert.deepEqual([unseen(stock(4)), unseen(look(100, []))], [1, 1]);
  assert.equal(unseen(starts(80, 9), look(100, [job(9, 'working')])), 0);
  const late = { ...starts(80, 9), type: 'info' } as const;
  assert.equal(unseen(late, gathers(90, 'all', 12), stock(10)), 0, 'it may yet take some');
  const onOne = [gathers(70, 'one', 8), stock(4)];
  assert.equal(brokenIn(onOne).unaccounted.length, 1);
  assert.deepEqual(brokenIn([...onOne, lost(7, 7)]).unaccounted, []);
});

const made = look(60, [job(5, 'made', 11, 20), job(6, 'refused', 12)]);

for (const [what, items] of [
  ['was not taken', [11, 12, 20]],
  ['vanished', [20]],
  ['was made and is not there', [12]],
  ['came from nowhere', [12, 20, 21]],
] as const) {
  test(`a rare item that ${what} is found`, () => {
    const [sentence = ''] = brokenIn([holds(10, [11, 12]), made, holds(90, items)]).rare;
    assert.match(sentence, /^1 has [\d ]+, by his workshop it is 12 20$/);
  });
}

test('a rare item is taken and made by one job only', () => {
  const twice = (one: object, other: object): readonly string[] =>
    brokenIn([holds(10, [11, 12]), look(60, [one]), look(80, [other])]).rare;
  const made = twice(job(5, 'made', 11, 20), job(6, 'made', 12, 20)).join();
  assert.match(made, /item 20 was made by job 5.* job 6/);
  assert.match(twice(job(5, 'working', 11), job(6, 'working', 11)).join(), /item 11 was taken by job 5/);
  assert.doesNotMatch(twice(job(5, 'refused', 11), job(6, 'working', 11)).join(), /by job/);
});

test('what jobs made before anybody asked what their owner has is in that already', () => {
  const looks = [5, 60].map((atMs) => look(atMs, [job(5, 'made', 10, 20)]));
  assert.deepEqual(brokenIn([...looks, holds(20, [20]), holds(90, [20])]).rare, []);
});

test('what a player has can not be told while a job of his waits', () => {
  for (const waiting of [look(60, [job(5, 'claiming', 11)]), starts(60, 5)]) {
    const { verdict, invariants } = judged([holds(10, [11]), waiting, holds(90, [])]);
    assert.equal(verdict, 'unknown');
    assert.match(invariants[5]?.open?.join() ?? '', /^what 1 has in the end/);
  }
  const openAfter = (call: Call): number | undefined =>
    judged([holds(10, [11]), holds(90, [11]), call]).invariants[5]?.open?.length;
  assert.equal(openAfter(starts(95, 5)), 1, 'begun after he looked last');
  assert.equal(openAfter({ ...starts(95, 5), answers: { rejected: 'item-in-use' } }), 0);
});

test('whoever entered the world stands in it once in the end', () => {
  const enter = (process: string): Call => crafts(1, 'enter', {}, { answers: {}, process, key: '' });
  const refused: Call = { ...enter('3'), answers: { rejected: 'region-full' } };
  const standing = (count: number): readonly string[] =>
    brokenIn([enter('1'), enter('2'), refused, seen(99, 'standing', { players: count })]).standing;
  assert.deepEqual(standing(2), []);
  assert.deepEqual(standing(3), ['2 residents, 3 stand in the regions']);
  assert.deepEqual(standing(1), ['2 residents, 1 stand in the regions']);
});

test('what nodes told of themselves may stand in a regional history, and is judged beside it', () => {
  const primaries = ['n1', 'n2'].map((node, at) => seen(at, 'primary', { epoch: 1, node }, 'eu'));
  const { invariants } = judged(primaries);
  assert.deepEqual(invariants.filter(({ held }) => !held).map(({ name }) => name), ['one primary per epoch']);
});

test('a history that does not show all is unknown, and says what is missing', () => {
  const report = judged([said(3), heard([3], NEWEST)]);
  assert.equal(report.verdict, 'unknown');
  const text = describeReport(report).join('\n');
  assert.match(text, /UNKNOWN what a quorum .*\n +the channel region of eu was not read in the end/);
  assert.match(text, /UNKNOWN: the history does not show all that must be looked at\.$/);
  assert.equal(reportOf(historyOf([]), 'regional').verdict, 'unknown');
});

test('a message is told whole once, and by its number afterwards', () => {
  const reading = (answers: object, atMs: number): Call =>
    crafts(atMs, 'chat.history', { channel: 'region', bound: NEWEST }, { answers, process: '2' });
  const first = reading({ first: [message(3), message(4)], shown: [[1, 2]] }, 100);
  const unseen = (answers: object): readonly string[] =>
    brokenIn([said(3), said(4), said(5), first, reading(answers, 200)]).unseen;
  assert.deepEqual(brokenIn([said(3), said(4), first]).unseen, []);
  assert.equal(unseen({ first: [message(5)], shown: [[1, 3]] }).length, 1, 'the first reading lacks 5');
  assert.equal(unseen({ first: [message(5)], shown: [[1, 1], [3, 3]] }).length, 2);
});

function shows(from: number, to: number): Call {
  const answers = { first: [message(3), message(4)], shown: [[from, to]] };
  return crafts(1, 'chat.history', { channel: 'region' }, { answers });
}

const unreadable: readonly (readonly [string, readonly Call[], RegExp])[] = [
  ['calls nobody knows', [crafts(1, 'crafting.melt', {})], /crafting\.melt is nothing that the model/],
  ['no level', [said(3, 'two')], /needs a level: one, quorum or all/],
  ['no place', [crafts(1, 'crafting.start', { level: 'one' }, { answers: { job: 5 } })], /needs an order/],
  ['no region', [said(3, 'one', { key: '' })], /needs a region as its key/],
  ['messages that were never told', [shows(2, 3)], /shows messages 2 to 3 of the 2 that are known/],
  ['a message before the first', [shows(0, 1)], /shows messages 0 to 1/],
  ['a range that ends before it begins', [shows(2, 1)], /shows messages 2 to 1/],
];

for (const [what, calls, sentence] of unreadable) {
  test(`a regional history with ${what} is refused`, () => {
    assert.throws(() => judged(calls), (error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  });
}
