// The crowd's books: what they must notice, and what they must not complain of.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ledger, movesOf } from '../../src/crowd/ledger.ts';
import type { HoldingsView } from '../../src/wire/calls.ts';

const ANNA = 1;
const BERT = 2;
const CARA = 3;

function holds(gold: number, ...items: number[]): HoldingsView {
  return {
    gold,
    goldLocked: 0,
    items: items.map((id) => ({ id, kind: 'lamp', locked: false })),
  };
}

function opened(): Ledger {
  const ledger = new Ledger();
  ledger.open(ANNA, holds(100, 11, 12));
  ledger.open(BERT, holds(100, 21));
  ledger.open(CARA, holds(100, 31));
  return ledger;
}

function gift(from: number, to: number, gold: number, ...items: number[]) {
  return [{ from, to, stake: { gold, items } }];
}

function compare(ledger: Ledger, anna: HoldingsView, bert: HoldingsView, cara: HoldingsView) {
  return ledger.compare(new Map([[ANNA, anna], [BERT, bert], [CARA, cara]]));
}

test('books in which nothing happened agree with the opening holdings', () => {
  const result = compare(opened(), holds(100, 11, 12), holds(100, 21), holds(100, 31));
  assert.deepEqual(result.gold, { expected: 300, counted: 300 });
  assert.deepEqual(result.items, { expected: 4, counted: 4 });
  assert.equal(result.differences, 0);
});

test('an acknowledged gift is expected at its receiver', () => {
  const ledger = opened();
  ledger.done(gift(ANNA, BERT, 30, 11), 5);
  const kept = compare(ledger, holds(70, 12), holds(130, 21, 11), holds(100, 31));
  assert.equal(kept.differences, 0);
  const lost = compare(ledger, holds(100, 11, 12), holds(100, 21), holds(100, 31));
  assert.equal(lost.gold.counted, 300);
  assert.equal(lost.differences, 3);
});

test('an accepted offer moves both sides', () => {
  const ledger = opened();
  const give = { gold: 0, items: [11] };
  const want = { gold: 5, items: [21] };
  ledger.done(movesOf({ offer: 9, from: ANNA, to: BERT, give, want, expiresAtMs: 0 }), 6);
  const result = compare(ledger, holds(105, 12, 21), holds(95, 11), holds(100, 31));
  assert.equal(result.differences, 0);
});

test('gold that is locked in an open offer still belongs to its owner', () => {
  const ledger = opened();
  const locked: HoldingsView = { ...holds(60, 11, 12), goldLocked: 40 };
  assert.equal(compare(ledger, locked, holds(100, 21), holds(100, 31)).differences, 0);
});

test('the last owner of an item is decided by the order of the log, not of the answers', () => {
  const ledger = opened();
  ledger.done(gift(BERT, CARA, 0, 11), 8);
  ledger.done(gift(ANNA, BERT, 0, 11), 7);
  const result = compare(ledger, holds(100, 12), holds(100, 21), holds(100, 31, 11));
  assert.equal(result.differences, 0);
});

test('an item that two players hold is noticed, and counted twice', () => {
  const result = compare(opened(), holds(100, 11, 12), holds(100, 21, 11), holds(100, 31));
  assert.deepEqual(result.items, { expected: 4, counted: 5 });
  assert.ok(result.described.some((text) => text.includes('item 11')));
});

test('an item that vanished and one that came from nowhere are both noticed', () => {
  const result = compare(opened(), holds(100, 11), holds(100, 21, 99), holds(100, 31));
  assert.equal(result.items.counted, 4);
  assert.equal(result.differences, 2);
});

test('gold that was doubled is noticed in the sum and at the player', () => {
  const result = compare(opened(), holds(200, 11, 12), holds(100, 21), holds(100, 31));
  assert.deepEqual(result.gold, { expected: 300, counted: 400 });
  assert.equal(result.differences, 1);
});

test('an uncertain gift may have happened or not, as a whole', () => {
  const ledger = opened();
  ledger.uncertain(gift(ANNA, BERT, 30, 11));
  const not = compare(ledger, holds(100, 11, 12), holds(100, 21), holds(100, 31));
  const yes = compare(ledger, holds(70, 12), holds(130, 21, 11), holds(100, 31));
  assert.equal(not.differences, 0);
  assert.equal(yes.differences, 0);
  assert.equal(yes.uncertain, 1);
});

test('an uncertain gift excuses no gold that vanished between its two players', () => {
  const ledger = opened();
  ledger.uncertain(gift(ANNA, BERT, 30));
  const result = compare(ledger, holds(70, 11, 12), holds(100, 21), holds(100, 31));
  assert.equal(result.differences, 1);
});

test('an uncertain gift excuses nobody whom it did not touch', () => {
  const ledger = opened();
  ledger.uncertain(gift(ANNA, BERT, 30));
  const result = compare(ledger, holds(70, 11, 12), holds(100, 21), holds(130, 31));
  assert.ok(result.described.some((text) => text.includes(`player ${CARA}`)));
});

test('a player who could not be read is a difference', () => {
  const result = opened().compare(new Map([[ANNA, holds(100, 11, 12)]]));
  assert.ok(result.described.includes(`player ${BERT} could not be read`));
});

test('what a workshop took is expected nowhere, and what it made at its maker or where it went', () => {
  const ledger = opened();
  ledger.consumed(11);
  ledger.made(41, ANNA);
  ledger.made(42, ANNA);
  ledger.done(gift(ANNA, CARA, 0, 42), 9);
  const right = compare(ledger, holds(100, 12, 41), holds(100, 21), holds(100, 31, 42));
  assert.deepEqual(right.items, { expected: 5, counted: 5 });
  assert.deepEqual(right.described, []);
  const doubled = compare(ledger, holds(100, 11, 12, 41), holds(100, 21), holds(100, 31, 42));
  assert.deepEqual(doubled.described, ['item 11 is with 1, but it was consumed']);
  const lost = compare(ledger, holds(100, 12), holds(100, 21), holds(100, 31, 42));
  assert.deepEqual(lost.described, ['item 41 is with nobody, it was with 1']);
});

test('what was made and traded before the books heard of its making has the owner of the trade', () => {
  const ledger = opened();
  ledger.done(gift(ANNA, BERT, 0, 41), 9);
  ledger.made(41, ANNA);
  const result = compare(ledger, holds(100, 11, 12), holds(100, 21, 41), holds(100, 31));
  assert.equal(result.differences, 0);
});
