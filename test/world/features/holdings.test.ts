import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError, InvariantError, rejected } from '../../../src/base/errors.ts';
import { ByteReader, ByteWriter } from '../../../src/base/bytes.ts';
import { playerId } from '../../../src/base/id.ts';
import { atOnce } from '../../../src/base/slices.ts';
import { FIRST_GOLD, FIRST_ITEMS, holdings } from '../../../src/world/features/holdings.ts';
import { Ledger } from '../../../src/world/features/ledger.ts';
import { AskedGroup, reasonOf } from '../../support/asked-group.ts';
import { entryContext } from '../../support/entry-context.ts';

test('every player begins with the same gold and with items of his own', () => {
  const group = new AskedGroup([holdings]);
  for (const player of [1, 2]) {
    const answer = group.ask(player, 'holdings.open');
    const items = FIRST_ITEMS.map((kind, place) => ({
      id: (player - 1) * FIRST_ITEMS.length + place + 1,
      kind,
      locked: false,
    }));
    const view = { gold: FIRST_GOLD, goldLocked: 0, items };
    assert.deepEqual(answer.kind === 'done' && answer.value, view);
    const mine = group.query(player, 'holdings.mine');
    assert.deepEqual(mine.kind === 'done' && mine.value, view);
    const seen = group.query(0, 'holdings.of', { player });
    assert.deepEqual(seen.kind === 'done' && seen.value, view);
  }
});

test('holdings are opened once, and only then read', () => {
  const group = new AskedGroup([holdings]);
  assert.equal(reasonOf(group.query(1, 'holdings.mine')), 'not-open');
  assert.equal(reasonOf(group.query(0, 'holdings.of', { player: 1 })), 'not-open');
  group.ask(1, 'holdings.open');
  assert.equal(reasonOf(group.ask(1, 'holdings.open')), 'already-open');
  group.restart();
  assert.equal(reasonOf(group.ask(1, 'holdings.open')), 'already-open');
});

test('the audit finds as much as was minted', () => {
  const group = new AskedGroup([holdings]);
  const audited = (): unknown => {
    const answer = group.query(0, 'holdings.audit');
    return answer.kind === 'done' ? answer.value : answer;
  };
  const none = { goldLocked: 0, itemsLocked: 0, itemsConsumed: 0 };
  const empty = { players: 0, goldMinted: 0, goldHeld: 0, itemsMinted: 0, itemsHeld: 0 };
  assert.deepEqual(audited(), { ...none, ...empty });
  for (const player of [5, 3]) group.ask(player, 'holdings.open');
  const gold = { goldMinted: 2 * FIRST_GOLD, goldHeld: 2 * FIRST_GOLD };
  assert.deepEqual(audited(), { ...none, ...gold, players: 2, itemsMinted: 6, itemsHeld: 6 });
  group.restart();
  assert.deepEqual(audited(), { ...none, ...gold, players: 2, itemsMinted: 6, itemsHeld: 6 });
});

test('a full world opens no new holdings', () => {
  const open = holdings.commands['open'] ?? assert.fail();
  const ledger = new Ledger(1);
  const as = (player: number): Parameters<typeof open.apply>[2] => ({
    ...entryContext(player, 1),
    player: playerId(player),
  });
  assert.equal(open.apply(ledger, null, as(1)).kind, 'done');
  assert.deepEqual(open.apply(ledger, null, as(2)), rejected('world-full'));
  assert.deepEqual(open.apply(ledger, null, as(1)), rejected('already-open'));
});

test('gold moves in whole amounts, and no account but the mint is overdrawn', () => {
  const ledger = new Ledger();
  const [ada, bob] = [ledger.open(playerId(1)), ledger.open(playerId(2))];
  ledger.move(ledger.mint, ada.gold, 10);
  for (const amount of [11, -1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => ledger.move(ada.gold, bob.gold, amount), InvariantError);
  }
  ledger.move(ada.gold, bob.gold, 10);
  const balances = [ledger.mint, ada.gold, bob.gold].map(({ balance }) => balance);
  assert.deepEqual(balances, [-10, 0, 10]);
});

test('saved holdings that name a player or an item twice, or an unminted item, are refused', () => {
  const saved = (...values: readonly (number | string)[]): ByteReader => {
    const writer = new ByteWriter();
    for (const value of values) {
      if (typeof value === 'string') writer.text(value);
      else writer.varint(value);
    }
    return new ByteReader(writer.finish());
  };
  const one = [7, 10, 0, 1, 1, 0, 0, 'rope'];
  assert.equal(atOnce(Ledger.load(saved(1, 0, 0, 1, ...one))).audit().goldMinted, 10);
  const bad = [
    saved(2, 0, 0, 2, ...one, 7, 10, 0, 0),
    saved(2, 0, 0, 2, ...one, 8, 10, 0, 1, 1, 0, 0),
    saved(0, 0, 0, 1, ...one),
    saved(1, 0, 0, 1, 7, 10, 0, 1, 1, 0, 5),
  ];
  for (const reader of bad) assert.throws(() => atOnce(Ledger.load(reader)), CorruptionError);
});
