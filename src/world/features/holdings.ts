// Holdings: what a player has, given to him once, and the audit of all there is.
//
// Players open and read their own; operators read anyone's and the audit. Promise: linearizable.
// `trade` moves what is in it; workshops in the regions have items consumed and made by events, each of
// which is answered by one. Invariant: gold and items come into being, and items end, here and nowhere else.
import { type Decision, done, invariant, rejected } from '../../base/errors.ts';
import type { EventShape } from '../../wire/events.ts';
import {
  audit,
  type HoldingsView,
  holdingsOf,
  myHoldings,
  openHoldings,
  type RoomRefusal,
} from '../../wire/calls.ts';
import {
  command,
  type CommandContext,
  type EventContext,
  type Feature,
  query,
  taker,
} from '../feature.ts';
import {
  ALREADY_MADE,
  consumeItem,
  itemConsumed,
  itemMade,
  lastWord,
  lastWordSaid,
  makeItem,
} from './crafting-events.ts';
import { type Holder, Ledger } from './ledger.ts';

/** What every player begins with. */
export const FIRST_GOLD = 1_000;
export const FIRST_ITEMS: readonly string[] = ['lantern', 'compass', 'rope'];

export const holdings: Feature<Ledger> = {
  name: 'holdings',
  promise: 'linearizable',
  version: 3,
  needs: [],
  commands: {
    open: command('player', openHoldings, applyOpen),
  },
  queries: {
    mine: query('player', myHoldings, (ledger: Ledger, _none, { player }) =>
      readOf(ledger, player),
    ),
    of: query('operator', holdingsOf, (ledger: Ledger, { player }) => readOf(ledger, player)),
    audit: query('operator', audit, (ledger: Ledger) => done(ledger.audit())),
  },
  events: [
    taker(consumeItem, (ledger: Ledger, wish, context) => {
      const { player, job, item, kind } = wish;
      const reason = consumptionRefusal(ledger, { player, item, kind });
      if (reason === '') ledger.consume(item);
      answer(context, itemConsumed, { player, job, reason });
    }),
    taker(makeItem, (ledger: Ledger, { player, job, item, kind }, context) => {
      const holder = ledger.holder(player);
      const reason = makingRefusal(ledger, holder, item);
      const made = holder !== undefined && reason === '' ? ledger.makeOf(item, kind, holder).id : 0;
      answer(context, itemMade, { player, job, item: made, reason });
    }),
    taker(lastWord, (_ledger: Ledger, job, context) => answer(context, lastWordSaid, job)),
  ],
  create: () => new Ledger(),
  advance() {},
  save: (ledger, writer) => ledger.save(writer),
  load: (reader) => Ledger.load(reader),
  slices: (ledger) => ledger.slices(),
};

function applyOpen(
  ledger: Ledger,
  _none: null,
  { player }: CommandContext,
): Decision<HoldingsView, 'already-open' | 'world-full'> {
  if (ledger.holder(player) !== undefined) return rejected('already-open');
  if (ledger.full) return rejected('world-full');
  const holder = ledger.open(player);
  ledger.move(ledger.mint, holder.gold, FIRST_GOLD);
  for (const kind of FIRST_ITEMS) ledger.mintItem(kind, holder);
  return done(viewOf(holder));
}

function consumptionRefusal(
  ledger: Ledger,
  { player, item: id, kind }: { readonly player: number; readonly item: number; readonly kind: string },
): '' | 'not-open' | 'not-yours' | 'item-locked' | 'wrong-kind' {
  if (ledger.holder(player) === undefined) return 'not-open';
  const item = ledger.item(id);
  if (item === undefined || item.owner !== player) return 'not-yours';
  if (item.lockedIn !== 0) return 'item-locked';
  return item.kind === kind ? '' : 'wrong-kind';
}

function makingRefusal(
  ledger: Ledger,
  holder: Holder | undefined,
  item: number,
): '' | 'not-open' | typeof ALREADY_MADE | RoomRefusal {
  if (holder === undefined) return 'not-open';
  if (!ledger.isInWork(item)) return ALREADY_MADE;
  return ledger.roomRefusal(holder, { gold: 0, items: 1 }) ?? '';
}

function answer<Args>({ emit, origin }: EventContext, event: EventShape<Args>, args: Args): void {
  const emitted = emit(event, args, { to: origin, keep: 'always' });
  invariant(emitted, 'an event is taken only where there is room for its answer');
}

function readOf(ledger: Ledger, player: number): Decision<HoldingsView, 'not-open'> {
  const holder = ledger.holder(player);
  return holder === undefined ? rejected('not-open') : done(viewOf(holder));
}

function viewOf({ gold, goldLocked, items }: Holder): HoldingsView {
  return {
    gold: gold.balance,
    goldLocked: goldLocked.balance,
    items: Array.from(items, ({ id, kind, lockedIn }) => ({ id, kind, locked: lockedIn !== 0 })),
  };
}
