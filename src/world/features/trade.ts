// Trade: gifts, and offers in which both sides move or neither.
//
// Players ask. Promise: linearizable. Every call is one command over the ledger of `holdings`, so
// there is no moment in which one side has given and the other has not, and no lock to lose.
// 1. A command first looks at everything, then moves everything: a refusal changes nothing.
// 2. What is offered is locked (gold moved aside, items marked) until the offer is settled: accepted,
//    withdrawn by either side, or expired by the log's time.
// Source: seed, Part V (ExecuteItemTrade), without its saga: both sides live in one group.
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CorruptionError, type Decision, done, invariant, rejected } from '../../base/errors.ts';
import { playerId } from '../../base/id.ts';
import { loadedInSlices, type Loading, savedInSlices } from '../../base/slices.ts';
import {
  acceptOffer,
  type AcceptOfferRefusal,
  type Gift,
  give,
  type GiveRefusal,
  type GoldLeft,
  type MakeOffer,
  makeOffer,
  type MakeOfferRefusal,
  myOffers,
  type Offer,
  type OfferNumber,
  type PartnerRefusal,
  type Stake,
  type StakeRefusal,
  withdrawOffer,
} from '../../wire/calls.ts';
import { command, type CommandContext, type Feature, query, type Tell } from '../feature.ts';
import { type Holder, Ledger } from './ledger.ts';
import { Offers } from './offers.ts';

/** By the log's time: an idle group settles what is due when its next command comes. */
export const OFFER_OPEN_MS = 60_000;
/** A crowd of offers that are due at once is settled over several commands; none is open meanwhile. */
const EXPIRED_PER_COMMAND_MAX = 256;

export interface Trade {
  readonly ledger: Ledger;
  readonly offers: Offers;
}

/** Pushed as `trade.received` to whom something was given. */
export interface Received extends Stake {
  readonly from: number;
}

/** Pushed as `trade.settled`: to who did not do it himself, and to both when it expired. */
export interface Settled {
  readonly offer: number;
  readonly result: 'accepted' | 'withdrawn' | 'expired';
}

export const trade: Feature<Trade> = {
  name: 'trade',
  promise: 'linearizable',
  version: 1,
  needs: ['holdings'],
  commands: {
    give: command('player', give, applyGive),
    offer: command('player', makeOffer, applyOffer),
    accept: command('player', acceptOffer, applyAccept),
    withdraw: command('player', withdrawOffer, applyWithdraw),
  },
  queries: {
    offers: query('player', myOffers, ({ offers }: Trade, _none, { player, nowMs }) =>
      done(offers.of(player).filter((offer) => offer.expiresAtMs > nowMs)),
    ),
  },
  create: (needed) => ({ ledger: ledgerOf(needed), offers: new Offers() }),
  advance: expireOffers,
  save: ({ offers }, writer) => saveOffers(offers, writer),
  *load(reader, needed) {
    const ledger = ledgerOf(needed);
    return { ledger, offers: yield* loadOffers(reader, ledger) };
  },
  slices({ offers }) {
    // Offers never change, and few are open at a time: a list of them is made at once.
    const head = new ByteWriter().varint(offers.count);
    return savedInSlices(head, [...offers.oldestFirst()], saveOffer);
  },
};

function applyGive(
  { ledger }: Trade,
  { to, gold, items }: Gift,
  { player, tell }: CommandContext,
): Decision<GoldLeft, GiveRefusal> {
  const stake = { gold, items };
  const partners = partnersOf(ledger, player, { to, stake });
  if (typeof partners === 'string') return rejected(partners);
  const { giver, taker } = partners;
  const refusal =
    stakeRefusal(ledger, giver, stake) ?? ledger.roomRefusal(taker, { gold, items: items.length });
  if (refusal !== undefined) return rejected(refusal);
  ledger.move(giver.gold, taker.gold, gold);
  for (const id of items) ledger.pass(id, taker);
  const received: Received = { from: player, gold, items };
  tell(taker.player, 'trade.received', received);
  return done({ gold: giver.gold.balance });
}

function applyOffer(
  { ledger, offers }: Trade,
  { to, give: stake, want }: MakeOffer,
  { player, order, nowMs, tell }: CommandContext,
): Decision<OfferNumber, MakeOfferRefusal> {
  const partners = partnersOf(ledger, player, { to, stake });
  if (typeof partners === 'string') return rejected(partners);
  const { giver, taker } = partners;
  const refusal = stakeRefusal(ledger, giver, stake);
  if (refusal !== undefined) return rejected(refusal);
  if (!offers.roomFor(player, to)) return rejected('too-many-offers');
  const expiresAtMs = nowMs + OFFER_OPEN_MS;
  const offer: Offer = { offer: order, from: player, to, give: stake, want, expiresAtMs };
  ledger.move(giver.gold, giver.goldLocked, stake.gold);
  for (const id of stake.items) ledger.lock(id, order);
  offers.add(offer);
  tell(taker.player, 'trade.offered', offer);
  return done({ offer: order });
}

function applyAccept(
  { ledger, offers }: Trade,
  { offer: number }: OfferNumber,
  { player, nowMs, tell }: CommandContext,
): Decision<GoldLeft, AcceptOfferRefusal> {
  const offer = openOffer(offers, number, nowMs);
  if (offer === undefined) return rejected('no-such-offer');
  if (offer.to !== player) return rejected('not-for-you');
  const giver = holderOf(ledger, offer.from);
  const taker = holderOf(ledger, offer.to);
  const gold = offer.give.gold - offer.want.gold;
  const items = offer.give.items.length - offer.want.items.length;
  const refusal =
    stakeRefusal(ledger, taker, offer.want) ??
    ledger.roomRefusal(taker, { gold, items }) ??
    ledger.roomRefusal(giver, { gold: -gold, items: -items });
  if (refusal !== undefined) return rejected(refusal);
  offers.remove(offer);
  ledger.move(giver.goldLocked, taker.gold, offer.give.gold);
  ledger.move(taker.gold, giver.gold, offer.want.gold);
  for (const id of offer.give.items) ledger.pass(id, taker);
  for (const id of offer.want.items) ledger.pass(id, giver);
  tellSettled(tell, offer.from, { offer: number, result: 'accepted' });
  return done({ gold: taker.gold.balance });
}

function applyWithdraw(
  { ledger, offers }: Trade,
  { offer: number }: OfferNumber,
  { player, nowMs, tell }: CommandContext,
): Decision<null, 'no-such-offer' | 'not-for-you'> {
  const offer = openOffer(offers, number, nowMs);
  if (offer === undefined) return rejected('no-such-offer');
  if (offer.from !== player && offer.to !== player) return rejected('not-for-you');
  returnStake(ledger, offers, offer);
  const other = offer.from === player ? offer.to : offer.from;
  tellSettled(tell, other, { offer: number, result: 'withdrawn' });
  return done(null);
}

function expireOffers({ ledger, offers }: Trade, nowMs: number, tell: Tell): void {
  for (let count = 0; count < EXPIRED_PER_COMMAND_MAX; count++) {
    const offer = offers.oldest;
    if (offer === undefined || offer.expiresAtMs > nowMs) return;
    returnStake(ledger, offers, offer);
    const settled: Settled = { offer: offer.offer, result: 'expired' };
    tellSettled(tell, offer.from, settled);
    tellSettled(tell, offer.to, settled);
  }
}

function returnStake(ledger: Ledger, offers: Offers, offer: Offer): void {
  const giver = holderOf(ledger, offer.from);
  offers.remove(offer);
  ledger.move(giver.goldLocked, giver.gold, offer.give.gold);
  for (const id of offer.give.items) ledger.lock(id, 0);
}

function tellSettled(tell: Tell, player: number, settled: Settled): void {
  tell(playerId(player), 'trade.settled', settled);
}

function partnersOf(
  ledger: Ledger,
  from: number,
  { to, stake }: { readonly to: number; readonly stake: Stake },
): { readonly giver: Holder; readonly taker: Holder } | PartnerRefusal {
  const giver = ledger.holder(from);
  if (giver === undefined) return 'not-open';
  if (to === from) return 'same-player';
  const taker = ledger.holder(to);
  if (taker === undefined) return 'no-such-player';
  return stake.gold === 0 && stake.items.length === 0 ? 'nothing-given' : { giver, taker };
}

/** Why a holder can not part with a stake; a schema has seen to it that no item stands in it twice. */
function stakeRefusal(ledger: Ledger, holder: Holder, stake: Stake): StakeRefusal | undefined {
  if (stake.gold > holder.gold.balance) return 'not-enough-gold';
  for (const id of stake.items) {
    const item = ledger.item(id);
    if (item === undefined || item.owner !== holder.player) return 'not-yours';
    if (item.lockedIn !== 0) return 'item-locked';
  }
  return undefined;
}

/** An offer that is due is no longer open, even if it is not settled yet. */
function openOffer(offers: Offers, number: number, nowMs: number): Offer | undefined {
  const offer = offers.find(number);
  return offer !== undefined && offer.expiresAtMs > nowMs ? offer : undefined;
}

function holderOf(ledger: Ledger, player: number): Holder {
  const holder = ledger.holder(player);
  invariant(holder !== undefined, 'both sides of an offer have holdings');
  return holder;
}

function ledgerOf(needed: ReadonlyMap<string, unknown>): Ledger {
  const ledger = needed.get('holdings');
  invariant(ledger instanceof Ledger, 'trade works on the ledger of holdings');
  return ledger;
}

function saveOffers(offers: Offers, writer: ByteWriter): void {
  writer.varint(offers.count);
  for (const offer of offers.oldestFirst()) saveOffer(writer, offer);
}

function saveOffer(writer: ByteWriter, offer: Offer): void {
  writer.varint(offer.offer).varint(offer.from).varint(offer.to).varint(offer.expiresAtMs);
  saveStake(offer.give, writer);
  saveStake(offer.want, writer);
}

function* loadOffers(reader: ByteReader, ledger: Ledger): Loading<Offers> {
  const offers = new Offers();
  yield* loadedInSlices(reader, reader.varint(), () => {
    const [offer, from, to] = [reader.varint(), reader.varint(), reader.varint()];
    const expiresAtMs = reader.varint();
    const [given, want] = [loadStake(reader), loadStake(reader)];
    if (ledger.holder(from) === undefined || ledger.holder(to) === undefined) {
      throw new CorruptionError(`offer ${offer} is of players who have no holdings`);
    }
    if (given.items.some((id) => ledger.item(id)?.lockedIn !== offer)) {
      throw new CorruptionError(`offer ${offer} is of items that are not locked in it`);
    }
    offers.add({ offer, from, to, give: given, want, expiresAtMs });
  });
  return offers;
}

function saveStake({ gold, items }: Stake, writer: ByteWriter): void {
  writer.varint(gold).varint(items.length);
  for (const id of items) writer.varint(id);
}

function loadStake(reader: ByteReader): Stake {
  const gold = reader.varint();
  const count = reader.varint();
  const items: number[] = [];
  for (let i = 0; i < count; i++) items.push(reader.varint());
  return { gold, items };
}
