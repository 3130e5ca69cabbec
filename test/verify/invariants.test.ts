import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import {
  appointmentsIn,
  claimsIn,
  converged,
  goldConserved,
  itemsOwnedOnce,
  lastInventoriesIn,
  monotonicReads,
  namesClaimedOnce,
  onePrimaryPerEpoch,
  readYourWrites,
  SENTENCES_MAX,
  standingsIn,
} from '../../src/verify/invariants.ts';
import { type Event, historyOf, told } from '../support/histories.ts';

function asked(process: number, f: string, key: string, value: unknown): Event[] {
  return [
    { process, type: 'invoke', f, key, value },
    { process, type: 'ok', f, key },
  ];
}

test('gold is conserved as long as readings add up to what came in less what went out', () => {
  const init = 'init {"a":5,"b":5}';
  const deposit = '1 deposit {"to":"a","amount":3}';
  const sums = (text: string): readonly string[] => goldConserved(told(`${init}\n${text}`));
  assert.deepEqual(sums('1 read\n1 = {"a":2,"b":8}'), []);
  assert.deepEqual(sums('1 read\n1 = {"a":2,"b":9}'), ['line 3: the group holds 11 gold, it must be 10']);
  assert.deepEqual(sums(`${deposit}\n1 =\n1 read\n1 = {"a":5,"b":5}`), [
    'line 5: the group holds 10 gold, it must be 13',
  ]);
});

test('gold that is under way or uncertain may count or not, and what was refused may not', () => {
  const text = (end: string, gold: number): string =>
    `1 withdraw {"from":"a","amount":3}\n${end}\n2 read\n2 = {"a":${gold}}`;
  const sums = (end: string, gold: number): number =>
    goldConserved(told(`init {"a":5}\n${text(end, gold)}`)).length;
  assert.deepEqual([sums('1 ?', 5), sums('1 ?', 2), sums('1 ?', 4), sums('1 ?', 1)], [0, 0, 0, 1]);
  assert.deepEqual([sums('1 ! not-enough-gold', 5), sums('1 ! not-enough-gold', 2)], [0, 1]);
});

test('no item is in two inventories, lost, or from nowhere', () => {
  const held = [
    ['ann', ['cup', 'hat']],
    ['bob', ['cup', 'pot']],
  ] as const;
  assert.deepEqual(itemsOwnedOnce(held), ['item cup is with ann and with bob']);
  assert.deepEqual(itemsOwnedOnce([['ann', ['cup', 'cup']]]), ['item cup is with ann and with ann']);
  assert.deepEqual(itemsOwnedOnce([['ann', ['cup']]], ['cup']), []);
  assert.deepEqual(itemsOwnedOnce([['ann', ['cup']]], ['hat']), [
    'item hat is with nobody',
    'item cup of ann came from nowhere',
  ]);
});

test('inventories count once all moves are answered, and without items of unknown fate', () => {
  const inventory = (player: string, value: readonly string[]): Event[] => [
    { process: 1, type: 'invoke', f: 'inventory', key: player },
    { process: 1, type: 'ok', f: 'inventory', key: player, value },
  ];
  const history = historyOf([
    ...inventory('ann', ['cup', 'hat']),
    ...asked(1, 'transfer', 'cup', { from: 'ann', to: 'bob' }),
    { process: 2, type: 'invoke', f: 'transfer', key: 'hat', value: { from: 'ann', to: 'bob' } },
    ...inventory('ann', ['hat']),
    ...inventory('bob', ['cup', 'hat']),
  ]);
  assert.deepEqual(lastInventoriesIn(history), [['ann', []], ['bob', ['cup']]]);
});

test('a name has one claimant, also when he is told twice', () => {
  const history = historyOf([
    ...asked(1, 'claim', 'Zoe', 'ann'),
    ...asked(1, 'claim', 'Zoe', 'ann'),
    ...asked(2, 'claim', 'Zoe', 'bob'),
  ]);
  assert.deepEqual(namesClaimedOnce(claimsIn(history)), ['the name Zoe went to ann and to bob']);
});

test('an epoch has one primary in each group', () => {
  const history = historyOf([
    ...asked(1, 'primary', 'eu', { epoch: 1, node: 'n1' }),
    ...asked(1, 'primary', 'asia', { epoch: 1, node: 'n2' }),
    ...asked(1, 'primary', 'eu', { epoch: 2, node: 'n2' }),
    ...asked(1, 'primary', 'eu', { epoch: 1, node: 'n3' }),
  ]);
  assert.deepEqual(onePrimaryPerEpoch(appointmentsIn(history)), [
    'eu epoch 1 had two primaries: n1 and n3',
  ]);
});

test('replicas agree where they are equally far, and may differ elsewhere', () => {
  const history = historyOf([
    ...asked(1, 'digest', 'eu', { position: 7, node: 'n1', digest: 'aa' }),
    ...asked(1, 'digest', 'eu', { position: 8, node: 'n2', digest: 'bb' }),
    ...asked(1, 'digest', 'eu', { position: 7, node: 'n3', digest: 'cc' }),
  ]);
  assert.deepEqual(converged(standingsIn(history)), [
    'at eu position 7 n1 has digest aa and n3 has cc',
  ]);
});

test('an observation that says something else is refused', () => {
  const history = historyOf(asked(1, 'primary', 'eu', { epoch: 'one', node: 'n1' }));
  assert.throws(() => appointmentsIn(history), InvalidInputError);
});

test('reads of a session do not go back, those of several may', () => {
  const text = (second: number): string => `1 read\n1 = 5 @9\n${second} read\n${second} = 4 @8`;
  assert.equal(monotonicReads(told(text(1))).length, 1);
  assert.deepEqual(monotonicReads(told(text(2))), []);
});

test('what a session has seen of a growing list does not vanish', () => {
  const history = told('2 append 1\n2 =\n1 read\n1 = [1]\n1 read\n1 = []');
  assert.deepEqual(monotonicReads(history), [
    'process 1 read the state in line 4, and in line 6 an older state: 1 is missing',
  ]);
  const register = told('1 read\n1 = [1]\n1 read\n1 = []');
  assert.deepEqual(monotonicReads(register), [], 'a list in a register may become another');
});

test('a session reads its own writes, and others need not', () => {
  const ordered = (reader: number): string => `1 write 1\n1 = @5\n${reader} read\n${reader} = null @4`;
  assert.equal(readYourWrites(told(ordered(1))).length, 1);
  assert.deepEqual(readYourWrites(told(ordered(2))), []);
  const appended = told('1 append 1\n1 =\n2 append 2\n2 =\n1 read\n1 = []');
  assert.deepEqual(readYourWrites(appended), [
    'line 6: process 1 reads the state without 1, its own of line 2',
  ]);
});

test('looking ends after enough sentences', () => {
  const claims = Array.from({ length: 200 }, (_, i) => ({ name: 'Zoe', claimant: `p${i}` }));
  assert.equal(namesClaimedOnce(claims).length, SENTENCES_MAX);
});
