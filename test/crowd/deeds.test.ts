// What test players do: always something they can, and everything some day.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import { chooseDeed, type Situation } from '../../src/crowd/deeds.ts';
import { give, makeOffer } from '../../src/wire/calls.ts';

const rich: Situation = {
  mine: {
    gold: 100,
    goldLocked: 0,
    items: [
      { id: 1, kind: 'lamp', locked: false },
      { id: 2, kind: 'rope', locked: true },
    ],
  },
  openOffers: [70],
  partner: 5,
  partnerItems: [9],
};

test('every kind of deed comes up, with arguments that the calls accept', () => {
  const random = new Random('deeds');
  const kinds = new Set<string>();
  for (let i = 0; i < 500; i++) {
    const deed = chooseDeed(rich, random);
    assert.ok(deed !== undefined);
    if (deed.kind === 'give') {
      const { gold, items } = give.args.parse(deed.gift, 'gift');
      kinds.add(items.length > 0 ? 'give item' : 'give gold');
      assert.ok(gold > 0 || items.length > 0);
    } else if (deed.kind === 'offer') {
      const { give: given, want } = makeOffer.args.parse(deed.offer, 'offer');
      const side = (stake: { items: readonly number[] }) => (stake.items.length > 0 ? 'item' : 'gold');
      kinds.add(`offer ${side(given)} for ${side(want)}`);
    } else {
      kinds.add(deed.kind);
    }
  }
  assert.deepEqual([...kinds].sort(), [
    'give gold',
    'give item',
    'offer gold for item',
    'offer item for gold',
    'offer item for item',
    'withdraw',
  ]);
});

test('an item that is locked is neither given nor offered', () => {
  const random = new Random('locked');
  for (let i = 0; i < 500; i++) {
    const deed = chooseDeed(rich, random);
    const items =
      deed?.kind === 'give' ? deed.gift.items : deed?.kind === 'offer' ? deed.offer.give.items : [];
    assert.ok(!items.includes(2));
  }
});

test('a player with too many open offers withdraws one of them', () => {
  const openOffers = [1, 2, 3, 4, 5, 6, 7, 8];
  const deed = chooseDeed({ ...rich, openOffers }, new Random('many'));
  assert.equal(deed?.kind, 'withdraw');
});

test('a player with nothing does nothing', () => {
  const mine = { gold: 0, goldLocked: 50, items: [] };
  const poor = { ...rich, mine, openOffers: [] };
  const random = new Random('poor');
  for (let i = 0; i < 50; i++) assert.equal(chooseDeed(poor, random), undefined);
});

test('the same random stream gives the same deeds', () => {
  const deeds = (seed: string) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => chooseDeed(rich, random));
  };
  assert.deepEqual(deeds('same'), deeds('same'));
  assert.notDeepEqual(deeds('same'), deeds('other'));
});
