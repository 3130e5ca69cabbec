// The economy against a model of it: random players, repeats, reordering, restarts, expiries.
//
// The model is as plain as the rules read: it scans everything, locks nothing, and knows no bytes.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../src/base/crc32c.ts';
import type { Audit, HoldingsView } from '../../src/wire/calls.ts';
import { FIRST_GOLD, FIRST_ITEMS, holdings } from '../../src/world/features/holdings.ts';
import { OFFER_OPEN_MS, trade } from '../../src/world/features/trade.ts';
import { AskedGroup, reasonOf, SESSION_END_MS } from '../support/asked-group.ts';
import { type Deed, EconomyModel, type Wish, type WishedStake } from '../support/economy-model.ts';

const PLAYERS = [1, 2, 3, 4];
const ITEMS: number = PLAYERS.length * FIRST_ITEMS.length;

const anyPlayer = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...PLAYERS) },
  { weight: 1, arbitrary: fc.constant(PLAYERS.length + 1) },
);
const anyStake: fc.Arbitrary<WishedStake> = fc.record(
  {
    gold: fc.oneof(fc.nat(20), fc.constant(0), fc.integer({ min: 1, max: FIRST_GOLD + 200 })),
    picks: fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat(9) }, fc.nat(ITEMS + 1)), {
      maxLength: 3,
    }),
  },
  { noNullPrototype: true },
);
const anyWish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ call: 'holdings.open' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constant('trade.give' as const), to: anyPlayer, give: anyStake }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      call: fc.constant('trade.offer' as const),
      to: anyPlayer,
      give: anyStake,
      want: anyStake,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      call: fc.constantFrom('trade.accept' as const, 'trade.accept' as const, 'trade.withdraw' as const),
      back: fc.nat(3),
      byTheInvited: fc.boolean(),
    }),
  },
);
const anyStep = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      player: anyPlayer,
      wish: anyWish,
      late: fc.constantFrom(true, false, false, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('repeat' as const), back: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const), place: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(OFFER_OPEN_MS / 2) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

test('the economy does what its model does, whatever players ask and however it arrives', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120, size: 'max' }), (steps) => {
      const run = new Run();
      for (const step of steps) run.take(step);
      run.end();
    }),
    { numRuns: 150 },
  );
});

interface Sent {
  readonly command: Uint8Array;
  readonly player: number;
  readonly deed: Deed;
}

class Run {
  readonly #group = new AskedGroup([holdings, trade]);
  readonly #replica = new AskedGroup([holdings, trade]);
  readonly #model = new EconomyModel();
  readonly #onTheWay: Sent[] = [];
  readonly #answered: { readonly sent: Sent; readonly reply: Uint8Array }[] = [];

  constructor() {
    for (const player of PLAYERS) this.#send(player, { call: 'holdings.open' }, false);
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'ask':
        this.#send(step.player, step.wish, step.late);
        break;
      case 'deliver':
        for (const sent of this.#onTheWay.splice(step.place, 1)) this.#deliver(sent);
        break;
      case 'repeat':
        this.#repeat(step.back);
        break;
      case 'wait':
        this.#group.timeMs += step.ms;
        break;
      case 'restart':
        this.#replica.restart();
        break;
    }
  }

  end(): void {
    for (const sent of this.#onTheWay.splice(0)) this.#deliver(sent);
    for (const { sent, reply } of this.#answered) {
      assert.deepEqual(this.#apply(sent.command), reply);
    }
    this.#compare();
    const bytes = this.#group.machine.snapshot();
    assert.deepEqual(this.#replica.machine.snapshot(), bytes);
    this.#replica.restart();
    assert.equal(crc32c(this.#replica.machine.snapshot()), crc32c(bytes));
    this.#group.timeMs = SESSION_END_MS;
    for (const { sent } of this.#answered) {
      const answer = this.#group.answer('', this.#apply(sent.command));
      assert.equal(reasonOf(answer), 'session-expired');
    }
  }

  #send(asker: number, wish: Wish, late: boolean): void {
    const { player, deed } = this.#model.resolve(wish, asker);
    // Nothing counts as answered, so that all of it may arrive late or again.
    const command = this.#group.command(player, deed.call, argsOf(deed), { answeredBelow: 1 });
    const sent = { command, player, deed };
    if (late) this.#onTheWay.push(sent);
    else this.#deliver(sent);
  }

  #deliver(sent: Sent): void {
    const { player, deed, command } = sent;
    const reply = this.#apply(command);
    const { index, timeMs } = this.#group;
    const expected = this.#model.apply(deed, { player, order: index, nowMs: timeMs });
    const answer = this.#group.answer(deed.call, reply);
    assert.equal(reasonOf(answer), expected, `${JSON.stringify(deed)} by ${player}`);
    this.#answered.push({ sent, reply });
    this.#compare();
  }

  #repeat(back: number): void {
    const chosen = this.#answered.at(-1 - back);
    if (chosen === undefined) return;
    assert.deepEqual(this.#apply(chosen.sent.command), chosen.reply);
    assert.deepEqual(this.#group.notices, []);
    this.#compare();
  }

  #apply(command: Uint8Array): Uint8Array {
    this.#replica.timeMs = this.#group.timeMs;
    const reply = this.#group.apply(command);
    assert.deepEqual(this.#replica.apply(command), reply);
    return reply;
  }

  #compare(): void {
    const audit = this.#value<Audit>('holdings.audit', null);
    assert.equal(audit.goldHeld + audit.goldLocked, audit.goldMinted);
    assert.equal(audit.itemsHeld + audit.itemsLocked, audit.itemsMinted);
    assert.equal(audit.goldMinted, audit.players * FIRST_GOLD);
    const owned: number[] = [];
    for (const [player, expected] of this.#model.views()) {
      const view = this.#value<HoldingsView>('holdings.of', { player });
      const items = view.items.map(({ id, locked }) => ({ id, locked }));
      owned.push(...items.map(({ id }) => id));
      items.sort((a, b) => a.id - b.id);
      assert.deepEqual({ gold: view.gold, goldLocked: view.goldLocked, items }, expected);
    }
    assert.equal(new Set(owned).size, owned.length);
    assert.equal(owned.length, audit.itemsMinted);
  }

  #value<Value>(call: string, args: unknown): Value {
    const answer = this.#group.query(0, call, args);
    return answer.kind === 'done' ? (answer.value as Value) : assert.fail(answer.reason);
  }
}

function argsOf(deed: Deed): unknown {
  if (deed.call === 'holdings.open') return null;
  if (deed.call === 'trade.give') return { to: deed.to, ...deed.give };
  const { call: _call, ...args } = deed;
  return args;
}
