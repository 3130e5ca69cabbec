import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../../../src/base/bytes.ts';
import { CorruptionError, rejected } from '../../../src/base/errors.ts';
import { playerId } from '../../../src/base/id.ts';
import { atOnce } from '../../../src/base/slices.ts';
import {
  GOLD_MAX,
  HELD_ITEMS_MAX,
  type HoldingsView,
  OPEN_OFFERS_MAX,
  type Stake,
} from '../../../src/wire/calls.ts';
import type { CommandContext } from '../../../src/world/feature.ts';
import { holdings } from '../../../src/world/features/holdings.ts';
import { Ledger } from '../../../src/world/features/ledger.ts';
import { Offers } from '../../../src/world/features/offers.ts';
import { OFFER_OPEN_MS, trade } from '../../../src/world/features/trade.ts';
import { type Answer, AskedGroup, reasonOf } from '../../support/asked-group.ts';
import { entryContext } from '../../support/entry-context.ts';

const stake = (gold: number, ...items: readonly number[]): Stake => ({ gold, items });

test('a gift moves gold and items in one step, and tells who got it', () => {
  const group = economy();
  const answer = group.ask(1, 'trade.give', { to: 2, gold: 300, items: [1, 3] });
  assert.deepEqual(answer.kind === 'done' && answer.value, { gold: 700 });
  assert.deepEqual(has(group, 1), { gold: 700, goldLocked: 0, items: [2] });
  assert.deepEqual(has(group, 2), { gold: 1300, goldLocked: 0, items: [4, 5, 6, 1, 3] });
  const received = { from: 1, gold: 300, items: [1, 3] };
  assert.deepEqual(group.notices, [{ player: 2, push: 'trade.received', value: received }]);
});

test('a gift that can not be given whole is not given in part', () => {
  const group = economy();
  const before = [1, 2, 3].map((player) => has(group, player));
  const gifts: readonly (readonly [string, number, object])[] = [
    ['not-enough-gold', 1, { to: 2, gold: 1001, items: [1] }],
    ['not-yours', 1, { to: 2, gold: 1, items: [1, 4] }],
    ['not-yours', 1, { to: 2, gold: 1, items: [1, 99] }],
    ['same-player', 1, { to: 1, gold: 1, items: [] }],
    ['no-such-player', 1, { to: 9, gold: 1, items: [] }],
    ['nothing-given', 1, { to: 2, gold: 0, items: [] }],
    ['not-open', 9, { to: 2, gold: 1, items: [] }],
  ];
  for (const [reason, player, gift] of gifts) {
    assert.equal(reasonOf(group.ask(player, 'trade.give', gift)), reason);
    assert.deepEqual(group.notices, []);
  }
  assert.deepEqual([1, 2, 3].map((player) => has(group, player)), before);
});

test('what is offered is locked, and the one invited is told', () => {
  const group = economy();
  const number = offer(group, [1, 2], stake(400, 1), stake(0, 4));
  assert.deepEqual(has(group, 1), { gold: 600, goldLocked: 400, items: [1, 2, 3] });
  assert.deepEqual(locked(group, 1), [1]);
  const open = {
    offer: number,
    from: 1,
    to: 2,
    give: stake(400, 1),
    want: stake(0, 4),
    expiresAtMs: group.timeMs + OFFER_OPEN_MS,
  };
  assert.deepEqual(group.notices, [{ player: 2, push: 'trade.offered', value: open }]);
  for (const player of [1, 2]) assert.deepEqual(offersOf(group, player), [open]);
  assert.deepEqual(offersOf(group, 3), []);
});

test('an item that is locked in a trade cannot be given away or offered again', () => {
  const group = economy();
  offer(group, [1, 2], stake(400, 1), stake(0));
  const gift = { to: 3, gold: 0, items: [1] };
  assert.equal(reasonOf(group.ask(1, 'trade.give', gift)), 'item-locked');
  const again = { to: 3, give: stake(0, 1), want: stake(0) };
  assert.equal(reasonOf(group.ask(1, 'trade.offer', again)), 'item-locked');
  const spent = { to: 3, gold: 601, items: [] };
  assert.equal(reasonOf(group.ask(1, 'trade.give', spent)), 'not-enough-gold');
});

test('an accepted offer moves both sides, once', () => {
  const group = economy();
  const number = offer(group, [1, 2], stake(400, 1), stake(50, 4, 5));
  const answer = group.ask(2, 'trade.accept', { offer: number });
  assert.deepEqual(answer.kind === 'done' && answer.value, { gold: 1350 });
  assert.deepEqual(has(group, 1), { gold: 650, goldLocked: 0, items: [2, 3, 4, 5] });
  assert.deepEqual(has(group, 2), { gold: 1350, goldLocked: 0, items: [6, 1] });
  assert.deepEqual([...locked(group, 1), ...locked(group, 2)], []);
  const settled = { offer: number, result: 'accepted' };
  assert.deepEqual(group.notices, [{ player: 1, push: 'trade.settled', value: settled }]);
  assert.equal(reasonOf(group.ask(2, 'trade.accept', { offer: number })), 'no-such-offer');
  assert.deepEqual(offersOf(group, 1), []);
});

test('an offer is refused by what the accepter has at that moment, and stays open', () => {
  const group = economy();
  const number = offer(group, [1, 2], stake(10), stake(1001, 4));
  const accept = (): string => reasonOf(group.ask(2, 'trade.accept', { offer: number }));
  assert.equal(accept(), 'not-enough-gold');
  group.ask(3, 'trade.give', { to: 2, gold: 1, items: [] });
  const other = offer(group, [2, 3], stake(0, 4), stake(0));
  assert.equal(accept(), 'item-locked');
  group.ask(3, 'trade.accept', { offer: other });
  assert.equal(accept(), 'not-yours');
  group.ask(3, 'trade.give', { to: 2, gold: 0, items: [4] });
  assert.equal(accept(), 'done');
  assert.deepEqual(has(group, 1).gold, 1991);
});

test('only who was invited accepts, and only the two withdraw', () => {
  const group = economy();
  const number = offer(group, [1, 2], stake(10), stake(0));
  const strangers: readonly (readonly [number, string])[] = [
    [1, 'trade.accept'],
    [3, 'trade.accept'],
    [3, 'trade.withdraw'],
    [9, 'trade.withdraw'],
  ];
  for (const [player, call] of strangers) {
    assert.equal(reasonOf(group.ask(player, call, { offer: number })), 'not-for-you');
  }
  assert.equal(reasonOf(group.ask(1, 'trade.withdraw', { offer: 999 })), 'no-such-offer');
  assert.equal(reasonOf(group.ask(1, 'trade.accept', { offer: 999 })), 'no-such-offer');
});

test('a withdrawn offer returns its stake, and the other side is told', () => {
  for (const [player, other] of [[1, 2], [2, 1]] as const) {
    const group = economy();
    const before = has(group, 1);
    const number = offer(group, [1, 2], stake(10, 1, 2), stake(0));
    assert.equal(reasonOf(group.ask(player, 'trade.withdraw', { offer: number })), 'done');
    assert.deepEqual(has(group, 1), before);
    assert.deepEqual(locked(group, 1), []);
    const settled = { offer: number, result: 'withdrawn' };
    assert.deepEqual(group.notices, [{ player: other, push: 'trade.settled', value: settled }]);
  }
});

test('an offer expires by the time of the log: its stake returns and both are told', () => {
  const group = economy();
  const before = has(group, 1);
  const number = offer(group, [1, 2], stake(10, 1), stake(0));
  group.timeMs += OFFER_OPEN_MS - 1;
  group.ask(3, 'trade.withdraw', { offer: 999 });
  assert.equal(offersOf(group, 2).length, 1);
  group.timeMs += 1;
  assert.equal(offersOf(group, 2).length, 0);
  assert.equal(reasonOf(group.ask(2, 'trade.accept', { offer: number })), 'no-such-offer');
  assert.deepEqual(has(group, 1), before);
  const settled = { offer: number, result: 'expired' };
  assert.deepEqual(group.notices, [
    { player: 1, push: 'trade.settled', value: settled },
    { player: 2, push: 'trade.settled', value: settled },
  ]);
});

test('a crowd of offers that are due is settled over several commands, and none of it is open', () => {
  const state = { ledger: new Ledger(), offers: new Offers() };
  const players = Array.from({ length: 40 }, (_, place) => state.ledger.open(playerId(place + 1)));
  for (const { gold } of players) state.ledger.move(state.ledger.mint, gold, 100);
  for (let order = 1; order <= 600; order++) {
    const to = ((order + 1) % 40) + 1;
    const asked = { to, give: stake(1), want: stake(0) };
    call('offer', state, asked, context({ player: (order % 40) + 1, order, nowMs: 0 }));
  }
  const told: unknown[] = [];
  const due = { offer: state.offers.oldest?.offer ?? 0 };
  const settle = (): void => trade.advance(state, OFFER_OPEN_MS, (player) => told.push(player));
  settle();
  assert.ok(state.offers.count > 0 && state.offers.count < 600);
  const last = [...state.offers.oldestFirst()].at(-1) ?? assert.fail();
  const later = context({ player: last.to, order: 700, nowMs: OFFER_OPEN_MS });
  assert.deepEqual(call('accept', state, { offer: last.offer }, later), rejected('no-such-offer'));
  assert.deepEqual(call('withdraw', state, due, later), rejected('no-such-offer'));
  settle();
  settle();
  assert.equal(state.offers.count, 0);
  assert.equal(told.length, 1200);
  assert.equal(state.ledger.audit().goldLocked, 0);
});

test('offers made and offers received are bounded, each on its own', () => {
  const group = economy();
  const made = Array.from({ length: OPEN_OFFERS_MAX }, () =>
    offer(group, [1, 2], stake(1), stake(0)),
  );
  const asked = (to: number): object => ({ to, give: stake(1), want: stake(0) });
  assert.equal(reasonOf(group.ask(1, 'trade.offer', asked(3))), 'too-many-offers');
  assert.equal(reasonOf(group.ask(3, 'trade.offer', asked(2))), 'too-many-offers');
  assert.equal(reasonOf(group.ask(2, 'trade.offer', asked(1))), 'done');
  assert.equal(reasonOf(group.ask(3, 'trade.offer', asked(1))), 'done');
  assert.deepEqual(offersOf(group, 2).length, OPEN_OFFERS_MAX + 1);
  group.ask(2, 'trade.withdraw', { offer: made[5] });
  assert.equal(reasonOf(group.ask(1, 'trade.offer', asked(2))), 'done');
});

test('nobody comes to hold more than anyone may, by gift or by offer', () => {
  const rich = tooRich();
  const gift = { to: 2, gold: 1, items: [] };
  assert.deepEqual(call('give', rich, gift, context({ player: 1 })), rejected('too-much-gold'));
  const item = { to: 2, gold: 0, items: [1] };
  assert.deepEqual(call('give', rich, item, context({ player: 1 })), rejected('too-many-items'));
  const accept = (from: number, give: Stake, want: Stake): unknown => {
    const to = from === 1 ? 2 : 1;
    const order = 10 + rich.offers.count;
    call('offer', rich, { to, give, want }, context({ player: from, order }));
    return call('accept', rich, { offer: order }, context({ player: to, order: order + 1 }));
  };
  assert.deepEqual(accept(1, stake(2), stake(1)), rejected('too-much-gold'));
  assert.deepEqual(accept(2, stake(1), stake(2)), rejected('too-much-gold'));
  assert.deepEqual(accept(1, stake(1, 1), stake(1)), rejected('too-many-items'));
  assert.deepEqual(accept(2, stake(1), stake(1, 2)), rejected('too-many-items'));
  assert.deepEqual(accept(2, stake(1, 4), stake(1, 2)), { kind: 'done', value: { gold: 1 } });
});

test('open offers outlive a restart: what is locked stays locked, and they can be settled', () => {
  const group = economy();
  const first = offer(group, [1, 2], stake(10, 1), stake(0, 4));
  const second = offer(group, [3, 1], stake(0, 7), stake(5));
  group.restart();
  assert.deepEqual(offersOf(group, 1).map((one) => one.offer), [first, second]);
  assert.equal(reasonOf(group.ask(1, 'trade.give', { to: 2, gold: 0, items: [1] })), 'item-locked');
  assert.equal(reasonOf(group.ask(2, 'trade.accept', { offer: first })), 'done');
  group.timeMs += OFFER_OPEN_MS;
  group.ask(2, 'trade.accept', { offer: second });
  assert.deepEqual(has(group, 3), { gold: 1000, goldLocked: 0, items: [7, 8, 9] });
  assert.deepEqual(has(group, 1), { gold: 990, goldLocked: 0, items: [2, 3, 4] });
});

test('saved offers of nobody, or of items that are not locked in them, are refused', () => {
  const ledger = new Ledger();
  const ada = ledger.open(playerId(1));
  ledger.open(playerId(2));
  const rope = ledger.mintItem('rope', ada);
  const load = (from: number, item: number): unknown => {
    const writer = new ByteWriter().varint(1).varint(7).varint(from).varint(2).varint(50);
    const bytes = writer.varint(0).varint(1).varint(item).varint(3).varint(0).finish();
    return atOnce(trade.load(new ByteReader(bytes), new Map([['holdings', ledger]])));
  };
  assert.throws(() => load(1, rope.id), CorruptionError);
  ledger.lock(rope.id, 7);
  load(1, rope.id);
  assert.throws(() => load(9, rope.id), CorruptionError);
  assert.throws(() => load(1, rope.id + 1), CorruptionError);
});

type State = { readonly ledger: Ledger; readonly offers: Offers };

/** Players 1 to 3 with 1,000 gold each and the items 1-3, 4-6, 7-9. */
function economy(): AskedGroup {
  const group = new AskedGroup([holdings, trade]);
  for (const player of [1, 2, 3]) group.ask(player, 'holdings.open');
  return group;
}

/** Player 1 has items 1 to 3 and 4 gold; player 2 has as much of everything as anyone may. */
function tooRich(): State {
  const ledger = new Ledger();
  const [poor, rich] = [ledger.open(playerId(1)), ledger.open(playerId(2))];
  ledger.move(ledger.mint, poor.gold, 4);
  ledger.move(ledger.mint, rich.gold, GOLD_MAX);
  for (let item = 1; item <= 3; item++) ledger.mintItem('rope', poor);
  for (let item = 0; item < HELD_ITEMS_MAX; item++) ledger.mintItem('rope', rich);
  return { ledger, offers: new Offers() };
}

function offer(
  group: AskedGroup,
  [from, to]: readonly [number, number],
  give: Stake,
  want: Stake,
): number {
  const answer = group.ask(from, 'trade.offer', { to, give, want });
  assert.deepEqual(answer, { kind: 'done', order: answer.order, value: { offer: answer.order } });
  return answer.order;
}

function offersOf(group: AskedGroup, player: number): readonly { readonly offer: number }[] {
  return valueOf(group.query(player, 'trade.offers')) as readonly { readonly offer: number }[];
}

function has(group: AskedGroup, player: number): { gold: number; goldLocked: number; items: number[] } {
  const { gold, goldLocked, items } = viewOf(group, player);
  return { gold, goldLocked, items: items.map(({ id }) => id) };
}

function locked(group: AskedGroup, player: number): readonly number[] {
  return viewOf(group, player).items.filter((item) => item.locked).map(({ id }) => id);
}

function viewOf(group: AskedGroup, player: number): HoldingsView {
  return valueOf(group.query(0, 'holdings.of', { player })) as HoldingsView;
}

function valueOf(answer: Answer): unknown {
  return answer.kind === 'done' ? answer.value : assert.fail(answer.reason);
}

function call(name: string, state: State, args: unknown, as: CommandContext): unknown {
  return trade.commands[name]?.apply(state, args, as);
}

function context(given: { player: number; order?: number; nowMs?: number }): CommandContext {
  const { player, order = 1, nowMs = 0 } = given;
  return { ...entryContext(order, nowMs), player: playerId(player) };
}
