import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import type { PartVerdict } from '../../src/verify/linearizability.ts';
import { stockCheckers } from '../../src/verify/models.ts';
import { historyOf, play, told } from '../support/histories.ts';
import { bankTruth } from '../support/truths.ts';

function judge(model: string, text: string): PartVerdict {
  const [verdict, ...others] = stockCheckers.get(model)?.check(told(text)) ?? [];
  assert.ok(verdict !== undefined && others.length === 0, 'one part');
  return verdict;
}

function faultsOf(violations: PartVerdict['violations']): unknown {
  return violations.map(({ fault, reason }) => [fault, reason]);
}

/** Histories that a broken system leaves behind, with the line of the answer that can not be. */
const impossible: readonly (readonly [fault: string, model: string, text: string, line: number])[] = [
  ['a read is stale', 'register', '1 write 1\n1 =\n1 write 2\n1 =\n2 read\n2 = 1', 6],
  ['a read sees the future', 'register', '1 read\n1 = 5\n2 write 5\n2 =', 2],
  ['a read sees what nobody wrote', 'register', '1 read\n1 = 9', 2],
  [
    'two readers see new and then old',
    'register',
    '1 write 1\n1 =\n1 write 2\n2 read\n2 = 2\n3 read\n3 = 1\n1 =',
    7,
  ],
  ['what failed shows its effect', 'register', '1 write 1\n1 x\n2 read\n2 = 1', 4],
  [
    'the late write of a deposed leader replaces what was acknowledged',
    'register',
    '1 write 1\n1 =\n2 write 2\n2 =\n3 read\n3 = 2\n3 read\n3 = 1',
    8,
  ],
  ['an uncertain write comes and goes', 'register', '1 write 2\n1 ?\n2 read\n2 = 2\n2 read\n2 = null', 6],
  ['a cas says done but did not match', 'register', '1 write 3\n1 =\n2 cas [1,2]\n2 =', 4],
  ['a cas says mismatch but matched', 'register', '1 write 1\n1 =\n2 cas [1,2]\n2 ! mismatch', 4],
  [
    'two cas win the same value',
    'register',
    '1 write 0\n1 =\n1 cas [0,1]\n2 cas [0,2]\n1 =\n2 =',
    6,
  ],
  ['an update is lost', 'counter', '1 add 1\n2 add 1\n1 =\n2 =\n3 read\n3 = 1', 6],
  ['a repeat is applied twice', 'counter', '1 add 1\n1 ?\n2 read\n2 = 1\n2 read\n2 = 2', 6],
  ['a counter answers a count that never was', 'counter', '1 add 1\n1 = 2', 2],
  [
    'a reading sees one half of a transfer',
    'bank',
    'init {"a":5,"b":5}\n1 transfer {"from":"a","to":"b","amount":5}\n2 read\n2 = {"a":0,"b":5}\n1 =',
    4,
  ],
  [
    'the same gold is spent twice',
    'bank',
    `init {"a":5}
     1 transfer {"from":"a","to":"b","amount":5}
     2 transfer {"from":"a","to":"c","amount":5}
     1 =
     2 =`,
    5,
  ],
  [
    'a withdrawal is refused though there is enough',
    'bank',
    'init {"a":5}\n1 withdraw {"from":"a","amount":5}\n1 ! not-enough-gold',
    3,
  ],
  [
    'a withdrawal leaves a wrong balance',
    'bank',
    'init {"a":5}\n1 withdraw {"from":"a","amount":2}\n1 = {"left":2}',
    3,
  ],
  [
    'a transfer to another is called one to oneself',
    'bank',
    '1 transfer {"from":"a","to":"b","amount":0}\n1 ! same-account',
    2,
  ],
  [
    'an item has two owners on two sides of a split',
    'ownership',
    `1 create {"to":"ann"}
     1 =
     1 transfer {"from":"ann","to":"bob"}
     2 transfer {"from":"ann","to":"cid"}
     1 =
     2 =`,
    6,
  ],
  ['a name is given away twice', 'ownership', '1 create {"to":"ann"}\n2 create {"to":"bob"}\n1 =\n2 =', 4],
  [
    'an item that was destroyed is back',
    'ownership',
    '1 create {"to":"ann"}\n1 =\n1 destroy {"from":"ann"}\n1 =\n2 owner\n2 = "ann"',
    6,
  ],
  [
    'an owner is told that it is not his',
    'ownership',
    '1 create {"to":"ann"}\n1 =\n1 destroy {"from":"ann"}\n1 ! not-yours',
    4,
  ],
  ['two hold a lock at once', 'lock', '1 acquire\n1 = {"token":1}\n2 acquire\n2 = {"token":2}', 4],
  [
    'a token comes twice',
    'lock',
    'init {"leases":true}\n1 acquire\n1 = {"token":1}\n2 acquire\n2 = {"token":1}',
    5,
  ],
  [
    'a fenced writer still writes',
    'lock',
    `init {"leases":true}
     1 acquire
     1 = {"token":1}
     2 acquire
     2 = {"token":2}
     2 write {"token":2,"value":"b"}
     2 =
     1 write {"token":1,"value":"a"}
     1 =`,
    9,
  ],
  [
    'a holder is refused although nobody fenced him',
    'lock',
    '1 acquire\n1 = {"token":1}\n1 write {"token":1,"value":"a"}\n1 ! stale-token',
    4,
  ],
  ['an appended element is lost', 'list', '1 append 1\n1 =\n1 append 2\n1 =\n2 read\n2 = [2]', 2],
  ['two readers see two orders', 'list', '1 append 1\n2 append 2\n3 read\n3 = [1,2]\n3 read\n3 = [2,1]', 6],
];

for (const [fault, model, text, line] of impossible) {
  test(`it is found that ${fault}`, () => {
    const { verdict, violations } = judge(model, text);
    assert.equal(verdict, 'violated');
    assert.deepEqual(violations.map(({ fault: found }) => found), ['not-linearizable']);
    assert.equal(violations[0]?.operation.returnedLine, line);
  });
}

const possible: readonly (readonly [what: string, model: string, text: string])[] = [
  ['reads during a write see either value', 'register', '1 write 1\n2 read\n2 = null\n3 read\n3 = 1\n1 ='],
  ['an uncertain write takes effect late', 'register', '1 write 1\n1 ?\n2 read\n2 = null\n2 read\n2 = 1'],
  ['an uncertain write takes effect never', 'register', '1 write 1\n1 ?\n2 read\n2 = null\n2 read\n2 = null'],
  ['an uncertain cas makes another possible', 'register', '1 cas [null,1]\n1 ?\n2 cas [1,2]\n2 ='],
  ['a cas is refused by a concurrent one', 'register', '1 cas [null,1]\n2 cas [null,2]\n2 ! mismatch\n1 ='],
  ['uncertain reads say nothing', 'register', '1 read\n1 ?\n2 write 1\n2 ='],
  ['counts run ahead of answers', 'counter', '1 add 1\n2 add 2\n3 read\n3 = 2\n2 =\n1 = 3'],
  [
    'gold that is under way makes a transfer possible',
    'bank',
    `1 deposit {"to":"a","amount":5}
     2 transfer {"from":"a","to":"b","amount":5}
     2 =
     3 read "a"
     3 = 0
     1 =`,
  ],
  [
    'gold that was never acknowledged is spent',
    'bank',
    '1 deposit {"to":"a","amount":5}\n1 ?\n2 withdraw {"from":"a","amount":5}\n2 = {"left":0}',
  ],
  ['an own transfer is refused', 'bank', '1 transfer {"from":"a","to":"a","amount":1}\n1 ! same-account'],
  [
    'an item goes round',
    'ownership',
    `1 create {"to":"ann"}
     1 =
     1 transfer {"from":"bob","to":"ann"}
     2 transfer {"from":"ann","to":"bob"}
     1 =
     2 =
     3 owner
     3 = "ann"`,
  ],
  [
    'a lock passes on',
    'lock',
    '1 acquire\n1 = {"token":3}\n2 acquire\n1 release {"token":3}\n2 = {"token":4}\n1 =',
  ],
  [
    'a lease ends by itself, and its holder is fenced',
    'lock',
    `init {"leases":true}
     1 acquire
     1 = {"token":1}
     2 acquire
     2 = {"token":2}
     1 write {"token":1,"value":"a"}
     1 ! stale-token
     1 release {"token":1}
     1 ! not-held`,
  ],
  ['elements of unknown fate show up', 'list', '1 append 1\n1 ?\n2 append 2\n2 =\n2 read\n2 = [2,1]'],
];

for (const [what, model, text] of possible) {
  test(`it is accepted that ${what}`, () => {
    const { verdict, violations } = judge(model, text);
    assert.equal(verdict, 'ok', JSON.stringify(violations));
  });
}

test('an inventory and the items that pass through it are judged together', () => {
  const checker = stockCheckers.get('ownership');
  const events = (items: readonly string[]): Parameters<typeof historyOf>[0] => [
    { type: 'init', value: { ring: 'ann', cup: 'bob', hat: 'cid' } },
    { process: 1, type: 'invoke', f: 'transfer', key: 'cup', value: { from: 'bob', to: 'ann' } },
    { process: 1, type: 'ok', f: 'transfer', key: 'cup' },
    { process: 2, type: 'invoke', f: 'owner', key: 'hat' },
    { process: 2, type: 'ok', f: 'owner', key: 'hat', value: 'cid' },
    { process: 1, type: 'invoke', f: 'inventory', key: 'ann' },
    { process: 1, type: 'ok', f: 'inventory', key: 'ann', value: items },
  ];
  const verdicts = (items: readonly string[]): unknown =>
    checker?.check(historyOf(events(items))).map(({ part, verdict }) => [part, verdict]);
  assert.deepEqual(verdicts(['cup', 'ring']), [['cup, ann', 'ok'], ['hat', 'ok']]);
  assert.deepEqual(verdicts(['ring']), [['cup, ann', 'violated'], ['hat', 'ok']]);
  assert.deepEqual(verdicts(['cup', 'hat', 'ring']), [['cup, ann', 'violated'], ['hat', 'ok']]);
});

test('keys are judged apart from each other', () => {
  const on = (key: string, value: number, read: number): Parameters<typeof historyOf>[0] => [
    { process: 1, type: 'invoke', f: 'write', key, value },
    { process: 1, type: 'ok', f: 'write', key },
    { process: 2, type: 'invoke', f: 'read', key },
    { process: 2, type: 'ok', f: 'read', key, value: read },
  ];
  const history = historyOf([...on('x', 1, 1), ...on('y', 2, 1)]);
  const verdicts = stockCheckers.get('register')?.check(history) ?? [];
  assert.deepEqual(verdicts.map(({ part, verdict }) => [part, verdict]), [['x', 'ok'], ['y', 'violated']]);
});

test('a violation tells what was open, what came before, and the states that were tried', () => {
  const text = '1 write 1\n1 =\n2 write 2\n3 read\n3 = 7\n2 =';
  const [violation] = judge('register', text).violations;
  assert.equal(violation?.operation.result, 7);
  assert.deepEqual(violation?.beside.map(({ input }) => input), [2]);
  assert.deepEqual(violation?.before.map(({ input }) => input), [1, 2]);
  assert.deepEqual(violation?.states.toSorted(), ['1', '2']);
});

test('a search that comes to the end of its budget never says ok', () => {
  const random = new Random('budget');
  const play24 = { operations: 300, clients: 24 };
  const history = historyOf([
    { type: 'init', value: { a0: 9, a1: 9, a2: 9 } },
    ...play(bankTruth(3, 9), random, play24),
  ]);
  const check = (statesMax: number): PartVerdict | undefined =>
    stockCheckers.get('bank')?.check(history, { statesMax })[0];
  const short = check(1);
  assert.equal(short?.verdict, 'unknown');
  assert.ok(short?.stuckAt !== undefined, 'it tells where it was');
  assert.equal(check(2_000_000)?.verdict, 'ok');
});

test('a claimed order that model and time agree with needs no search', () => {
  const text = '1 write 1\n2 write 2\n3 read\n3 = 1 @5\n2 = @6\n1 = @5\n3 read\n3 = 2 @6';
  const { verdict, order, explored } = judge('register', text);
  assert.deepEqual([verdict, order], ['ok', 'agrees']);
  assert.ok(explored <= 4, 'one state for each operation');
});

test('places of a long log are counted beyond 32 bits', () => {
  const place = 2 ** 45;
  const text = `1 write 1\n1 ?\n2 read\n2 = 1 @${place}\n3 write 2\n3 = @${place + 1}`;
  const { verdict, order } = judge('register', text);
  assert.deepEqual([verdict, order], ['ok', 'agrees']);
});

test('a history that is linearizable in another order than claimed is a violation', () => {
  const text = '1 write 1\n2 write 2\n1 = @1\n2 = @2\n3 read\n3 = 1 @2';
  const { verdict, order, violations } = judge('register', text);
  assert.deepEqual([verdict, order], ['violated', 'contradicts']);
  assert.deepEqual(faultsOf(violations), [['wrong-order', 'no-state-fits']]);
});

test('a claimed order that fails is reported beside the answer that no order explains', () => {
  const { violations } = judge('register', '1 write 1\n1 = @1\n2 read\n2 = 7 @1');
  assert.deepEqual(violations.map(({ fault }) => fault), ['not-linearizable', 'wrong-order']);
});

test('a claimed order may not go back behind what was answered before', () => {
  const { violations } = judge('register', '1 write 1\n1 = @5\n2 write 2\n2 = @4');
  assert.deepEqual(faultsOf(violations), [['wrong-order', 'goes-back']]);
  assert.equal(judge('register', '1 write 1\n1 = @5\n2 read\n2 = 1 @5').verdict, 'ok');
});

test('two changes can not claim one place of the log', () => {
  const { violations } = judge('counter', '1 add 1\n2 add 2\n1 = @5\n2 = @5');
  assert.deepEqual(faultsOf(violations), [['wrong-order', 'same-place']]);
});

test('an operation of unknown fate takes effect only where the claimed order leaves a place free', () => {
  const between = (order: number): string => `1 add 1\n1 ?\n2 add 5\n2 = @1\n2 read\n2 = 6 @${order}`;
  assert.equal(judge('counter', between(2)).order, 'agrees');
  const full = '2 add 5\n2 = @1\n1 add 1\n1 ?\n2 read\n2 = 6 @1';
  const { order, violations } = judge('counter', full);
  assert.equal(order, 'contradicts');
  assert.deepEqual(violations.map(({ fault }) => fault), ['wrong-order']);
});

test('where not all answers claim a place, they are held against time and the rest is searched', () => {
  assert.equal(judge('counter', '1 add 1\n1 = @1\n2 add 1\n2 =').order, 'incomplete');
  const { verdict, violations } = judge('counter', '1 add 1\n1 = @2\n2 add 1\n2 =\n1 add 1\n1 = @1');
  assert.equal(verdict, 'violated');
  assert.deepEqual(violations.map(({ reason }) => reason), ['goes-back']);
});
