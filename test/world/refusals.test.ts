// The closed lists of refusals: each reason that a call declares is answered here, and no other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { playerId } from '../../src/base/id.ts';
import { GOLD_MAX, HELD_ITEMS_MAX, OPEN_OFFERS_MAX } from '../../src/wire/calls.ts';
import { groupRefusals } from '../../src/wire/command.ts';
import { CRAFT_JOBS_MAX, STOCK_MAX } from '../../src/wire/regional-calls.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import type { Feature } from '../../src/world/feature.ts';
import { Accounts, accounts } from '../../src/world/features/accounts.ts';
import { SAY_PACE } from '../../src/world/features/chat.ts';
import { crafting, newCrafting } from '../../src/world/features/crafting.ts';
import { stockRules } from '../../src/world/features/recipes.ts';
import { holdings } from '../../src/world/features/holdings.ts';
import { Ledger } from '../../src/world/features/ledger.ts';
import { Offers } from '../../src/world/features/offers.ts';
import { trade } from '../../src/world/features/trade.ts';
import { type Answer, AskedGroup, reasonOf } from '../support/asked-group.ts';
import { entryContext, NOWHERE } from '../support/entry-context.ts';

const stake = (gold: number, ...items: readonly number[]): object => ({ gold, items });
const offer = (to: number, give: object, want: object = stake(0)): object => ({ to, give, want });
const ada = { name: 'ada', credential: new Uint8Array(0), nonce: 'one' };

/** What was refused, per call: the reasons that were seen. */
class Seen {
  readonly reasons = new Map<string, Set<string>>();
  /** The economy is this very log, so that claims are made, and wait. */
  readonly group = new AskedGroup(stockFeatures, { ...NOWHERE, homeOf: () => 1 });

  ask(player: number, call: string, args: unknown = null): Answer {
    return this.#note(call, this.group.ask(player, call, args));
  }

  serve(call: string, args: unknown): void {
    this.#note(call, this.group.serve(call, args));
  }

  query(player: number, call: string, args: unknown = null): void {
    this.#note(call, this.group.query(player, call, args));
  }

  /** For what only a world of another size would answer. */
  apply(feature: Feature, call: string, o: Applying): void {
    const command = feature.commands[call] ?? assert.fail(call);
    const context = { ...entryContext(o.order), player: playerId(o.player ?? 0) };
    const decision = command.apply(o.state, o.args, context);
    this.#add(`${feature.name}.${call}`, decision.kind === 'done' ? 'done' : decision.reason);
  }

  #note(call: string, answer: Answer): Answer {
    this.#add(call, reasonOf(answer));
    return answer;
  }

  #add(call: string, reason: string): void {
    const reasons = this.reasons.get(call) ?? new Set();
    this.reasons.set(call, reasons.add(reason));
  }
}

interface Applying {
  readonly state: unknown;
  readonly args: unknown;
  readonly player?: number;
  readonly order?: number;
}

test('every call answers each of its declared refusals, and no other', () => {
  const seen = new Seen();
  refuseAccounts(seen);
  refuseNames(seen);
  refuseGifts(seen);
  refuseOffers(seen);
  refuseFullness(seen);
  refusePlacement(seen);
  refuseChat(seen);
  refuseCrafting(seen);
  for (const { name, commands, queries } of stockFeatures) {
    for (const [call, { refusals }] of Object.entries({ ...commands, ...queries })) {
      const reasons = [...(seen.reasons.get(`${name}.${call}`) ?? [])];
      const expected = new Set(['done', ...refusals]);
      assert.deepEqual(new Set(reasons), expected, `${name}.${call}`);
    }
  }
});

test('the reasons of calls and those of groups are different words', () => {
  const common: ReadonlySet<string> = new Set(groupRefusals);
  for (const { commands, queries } of stockFeatures) {
    for (const { refusals } of [...Object.values(commands), ...Object.values(queries)]) {
      assert.deepEqual(refusals.filter((reason) => common.has(reason)), []);
      assert.equal(new Set(refusals).size, refusals.length);
    }
  }
});

function refuseAccounts(seen: Seen): void {
  seen.serve('accounts.register', ada);
  seen.serve('accounts.register', { ...ada, nonce: 'two' });
  seen.serve('accounts.openSession', { player: 1 });
  seen.serve('accounts.openSession', { player: 2 });
  seen.query(0, 'accounts.readCredential', { name: 'ada' });
  seen.query(0, 'accounts.readCredential', { name: 'bob' });
  const state = new Accounts(0);
  seen.apply(accounts, 'register', { state, args: ada });
}

function refuseNames(seen: Seen): void {
  seen.ask(1, 'names.release');
  seen.ask(1, 'names.claim', { name: 'Ada' });
  seen.ask(1, 'names.claim', { name: 'Bob' });
  seen.ask(2, 'names.claim', { name: 'ADA' });
  seen.ask(1, 'names.release');
  seen.query(1, 'names.owner', { name: 'Ada' });
  seen.query(1, 'names.of', { player: 1 });
}

function refuseGifts(seen: Seen): void {
  seen.query(1, 'holdings.mine');
  seen.query(0, 'holdings.of', { player: 1 });
  for (const player of [1, 2, 1]) seen.ask(player, 'holdings.open');
  seen.query(1, 'holdings.mine');
  seen.query(0, 'holdings.of', { player: 1 });
  seen.query(0, 'holdings.audit');
  const gifts = [
    { to: 9, ...stake(1) },
    { to: 1, ...stake(1) },
    { to: 2, ...stake(0) },
    { to: 2, ...stake(1_001) },
    { to: 2, ...stake(0, 4) },
    { to: 2, ...stake(1) },
  ];
  for (const gift of gifts) seen.ask(1, 'trade.give', gift);
  seen.ask(9, 'trade.give', { to: 1, ...stake(1) });
  seen.ask(1, 'trade.offer', offer(2, stake(0, 1)));
  seen.ask(1, 'trade.give', { to: 2, ...stake(0, 1) });
}

function refuseOffers(seen: Seen): void {
  const offers = [
    offer(9, stake(1)),
    offer(1, stake(1)),
    offer(2, stake(0)),
    offer(2, stake(1_000)),
    offer(2, stake(0, 4)),
    offer(2, stake(0, 1)),
  ];
  for (const args of offers) seen.ask(1, 'trade.offer', args);
  seen.ask(9, 'trade.offer', offer(1, stake(1)));
  const wants = [stake(1_002), stake(0, 2), stake(0, 4), stake(1)];
  seen.ask(2, 'trade.offer', offer(1, stake(0, 4)));
  for (const want of wants) {
    const { order } = seen.ask(1, 'trade.offer', offer(2, stake(1), want));
    seen.ask(1, 'trade.accept', { offer: order });
    seen.ask(2, 'trade.accept', { offer: order });
    seen.ask(2, 'trade.accept', { offer: order });
  }
  const last = seen.ask(1, 'trade.offer', offer(2, stake(1)));
  for (const player of [9, 1, 1]) seen.ask(player, 'trade.withdraw', { offer: last.order });
  for (let i = 0; i < OPEN_OFFERS_MAX; i++) seen.ask(1, 'trade.offer', offer(2, stake(1)));
  seen.query(1, 'trade.offers');
}

function refuseFullness(seen: Seen): void {
  seen.apply(holdings, 'open', { state: new Ledger(0), args: null, player: 1 });
  const ledger = new Ledger();
  const state = { ledger, offers: new Offers() };
  const [poor, rich] = [ledger.open(playerId(1)), ledger.open(playerId(2))];
  ledger.move(ledger.mint, poor.gold, 9);
  ledger.move(ledger.mint, rich.gold, GOLD_MAX);
  ledger.mintItem('rope', poor);
  for (let item = 0; item < HELD_ITEMS_MAX; item++) ledger.mintItem('rope', rich);
  for (const give of [stake(1), stake(0, 1)]) {
    seen.apply(trade, 'give', { state, args: { to: 2, ...give }, player: 1 });
    const order = 10 + state.offers.count;
    seen.apply(trade, 'offer', { state, args: offer(2, give), player: 1, order });
    seen.apply(trade, 'accept', { state, args: { offer: order }, player: 2 });
  }
}

function refusePlacement(seen: Seen): void {
  const none = { epoch: 0, sequence: 0 };
  const say = (witness: number, number: number, ...failed: readonly number[]): void => {
    const opinions = failed.map((node) => ({ node, incarnation: 1, opinion: 'failed' }));
    seen.serve('placement.observe', { witness, number, opinions });
  };
  const promise = (node: number, region: number, epoch: number, isBlank: boolean = true): void => {
    const empty = { last: none, isBlank, heard: none };
    seen.serve('placement.promise', { region, epoch, node, ...empty });
  };
  const move = (to: number, o: { region?: number; acceptLoss?: boolean } = {}): void => {
    seen.serve('placement.move', { region: 103, to, acceptLoss: false, ...o });
  };
  const regions = [{ number: 103, copies: [8, 9, 6] }];
  seen.serve('placement.found', { version: 0, witnesses: [1, 2, 3], regions });
  say(4, 1);
  say(1, 1);
  promise(8, 109, 2);
  promise(7, 103, 2);
  promise(8, 103, 3);
  promise(8, 103, 2);
  promise(9, 103, 2);
  move(8);
  move(7);
  move(6, { region: 109 });
  move(6, { acceptLoss: true });
  move(6);
  move(9);
  for (const witness of [1, 2]) say(witness, 2, 9);
  move(9);
  for (const region of [103, 109]) seen.serve('placement.wiped', { region, epoch: 2, node: 8 });
  seen.serve('placement.wiped', { region: 103, epoch: 2, node: 6 });
  const tail = { node: 8, from: none, to: none };
  seen.serve('placement.lost', { region: 103, epoch: 2, ...tail });
  seen.serve('placement.lost', { region: 103, epoch: 9, ...tail });
  seen.serve('placement.lost', { region: 109, epoch: 2, ...tail });
  const goHome = (node: number, epoch: number, region: number = 103): void => {
    seen.serve('placement.return', { region, epoch, node });
  };
  goHome(8, 2, 109);
  goHome(9, 2);
  goHome(8, 2);
  for (const node of [8, 9, 6]) promise(node, 103, 3);
  goHome(6, 3);
  goHome(6, 3);
  for (const witness of [1, 2]) say(witness, 3, 8);
  goHome(6, 3);
  for (const node of [8, 9, 6]) promise(node, 103, 4);
  refuseLeaving(seen);
  for (const region of [103, 109]) seen.serve('placement.begun', { region, epoch: 4, node: 6 });
  seen.serve('placement.begun', { region: 103, epoch: 4, node: 8 });
  for (const node of [9, 6]) promise(node, 103, 5, false);
  refuseDesertion(seen);
  seen.query(0, 'placement.map');
}

/** Node 6 is primary of region 103 in epoch 4, and 8 has failed. */
function refuseLeaving(seen: Seen): void {
  const leave = (to: number, node: number = 6, region: number = 103): void => {
    seen.serve('placement.leave', { region, epoch: 4, node, to });
  };
  leave(9, 6, 109);
  leave(9, 8);
  leave(7);
  leave(6);
  leave(8);
  leave(9);
  leave(9);
}

/** Node 9 is primary of region 103 in epoch 5, and 8 has failed. */
function refuseDesertion(seen: Seen): void {
  const desert = (node: number, epoch: number = 5, region: number = 103): void => {
    seen.serve('placement.deserted', { region, epoch, node });
  };
  desert(6, 5, 109);
  desert(6, 4);
  desert(7);
  desert(9);
  desert(8);
  desert(6);
  desert(6);
}

function refuseChat(seen: Seen): void {
  for (let count = 0; count <= SAY_PACE.burst; count++) {
    seen.ask(1, 'chat.say', { channel: 'region', text: 'hello' });
  }
  seen.ask(1, 'chat.say', { channel: 'guild', text: 'hello' });
  for (const channel of ['world', 'guild']) seen.query(1, 'chat.history', { channel });
}

function refuseCrafting(seen: Seen): void {
  seen.serve('crafting.wentBack', null);
  const start = (recipe: string, item: number | null = null): Answer =>
    seen.ask(1, 'crafting.start', { recipe, item });
  const gather = (material: string): Answer => seen.ask(1, 'crafting.gather', { material });
  gather('gold');
  start('plank');
  for (let round = 0; round <= STOCK_MAX; round++) {
    gather('wood');
    gather('wood');
    seen.group.timeMs += stockRules.gatherEveryMs;
  }
  seen.query(1, 'crafting.mine');
  const full = newCrafting({ workshopsMax: 0 });
  seen.apply(crafting, 'gather', { state: full, args: { material: 'wood' }, player: 1 });
  for (const recipe of ['gold', 'sextant']) start(recipe);
  start('plank', 7);
  const { order } = start('plank');
  for (let count = 0; count <= CRAFT_JOBS_MAX; count++) start('plank');
  for (const job of [9_999_999, order]) seen.ask(1, 'crafting.collect', { job });
  seen.group.timeMs += 60_000;
  seen.ask(1, 'crafting.collect', { job: order });
  const materials = ['plank', 'brick'].map((kind) => ({ kind, count: STOCK_MAX }));
  const finished = { finishesAtMs: 0, state: 'working', made: 0, reason: '' } as const;
  const jobs = [
    { ...finished, job: 1, recipe: 'plank', item: 0 },
    { ...finished, job: 2, recipe: 'sextant', item: 5 },
    { ...finished, job: 3, recipe: 'sextant', item: 6, state: 'claiming' as const },
  ];
  const state = newCrafting();
  state.workshops.set(1, { materials, jobs, gatherAtMs: 0, busyUntilMs: 0 });
  for (const job of [1, 2]) seen.apply(crafting, 'collect', { state, args: { job }, player: 1 });
  for (const item of [6, 7]) {
    const args = { recipe: 'sextant', item };
    seen.apply(crafting, 'start', { state, args, player: 1 });
  }
}
