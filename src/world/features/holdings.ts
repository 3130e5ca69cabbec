// Holdings: what a player has, given to him once, and the audit of all there is.
//
// Players open and read their own; operators read anyone's and the audit. Promise: linearizable.
// `trade` moves what is in it. Invariant: gold and items come into being here and nowhere else.
import { type Decision, done, rejected } from '../../base/errors.ts';
import {
  audit,
  type HoldingsView,
  holdingsOf,
  myHoldings,
  openHoldings,
} from '../../wire/calls.ts';
import { command, type CommandContext, type Feature, query } from '../feature.ts';
import { type Holder, Ledger } from './ledger.ts';

/** What every player begins with. */
export const FIRST_GOLD = 1_000;
export const FIRST_ITEMS: readonly string[] = ['lantern', 'compass', 'rope'];

export const holdings: Feature<Ledger> = {
  name: 'holdings',
  promise: 'linearizable',
  version: 1,
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
  create: () => new Ledger(),
  advance() {},
  save: (ledger, writer) => ledger.save(writer),
  load: (reader) => Ledger.load(reader),
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
