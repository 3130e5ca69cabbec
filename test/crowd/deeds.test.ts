// What test players do: always something they can, and everything some day.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import { chooseCraft, chooseDeed, type Situation } from '../../src/crowd/deeds.ts';
import { give, makeOffer } from '../../src/wire/calls.ts';
import { gather, type Job, startCraft } from '../../src/wire/regional-calls.ts';

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

const NOW_MS = 1_000;
const job = (number: number, changes: Partial<Job>): Job => ({
  job: number,
  recipe: 'plank',
  item: 0,
  state: 'working',
  finishesAtMs: NOW_MS,
  made: 0,
  reason: '',
  ...changes,
});

test('what is finished is collected first, and what is not is left alone', () => {
  const o = { nowMs: NOW_MS, random: new Random('crafts') };
  const waiting = [
    job(1, { finishesAtMs: NOW_MS + 1 }),
    job(2, { state: 'claiming', item: 5, finishesAtMs: 0 }),
    job(3, { state: 'delivering', item: 5 }),
  ];
  const { mine } = rich;
  assert.equal(chooseCraft({ materials: [], jobs: waiting }, mine, o).kind, 'gather');
  for (const changes of [{}, { state: 'made', made: 9 }, { state: 'refused' }] as const) {
    const jobs = [...waiting, job(4, changes)];
    assert.deepEqual(chooseCraft({ materials: [], jobs }, mine, o), { kind: 'collect', job: 4 });
  }
});

test('a rare thing is made where it can be, out of an item that is free; else what it needs', () => {
  const o = { nowMs: NOW_MS, random: new Random('crafts') };
  const stock = [
    { kind: 'plank', count: 2 },
    { kind: 'cord', count: 1 },
  ];
  const items = [
    { id: 7, kind: 'rope', locked: true },
    { id: 8, kind: 'rope', locked: false },
  ];
  const mine = { ...rich.mine, items };
  const start = chooseCraft({ materials: stock, jobs: [] }, mine, o);
  assert.deepEqual(start, { kind: 'start', recipe: 'rope-ladder', item: 8 });
  startCraft.args.parse({ recipe: 'rope-ladder', item: 8 }, 'args');
  const inUse = [job(1, { state: 'claiming', item: 8 })];
  assert.equal(chooseCraft({ materials: stock, jobs: inUse }, mine, o).kind, 'gather');
  const wood = [{ kind: 'wood', count: 2 }];
  const plank = { kind: 'start', recipe: 'plank', item: null };
  assert.deepEqual(chooseCraft({ materials: wood, jobs: [] }, mine, o), plank);
  const found = chooseCraft({ materials: [], jobs: [] }, mine, o);
  assert.ok(found.kind === 'gather');
  gather.args.parse({ material: found.material }, 'args');
});
