// The calls of the stock world's groups, described once, and the names of all that players may ask.
//
// Features implement them, the gateway checks what players send against them, the client takes its
// types from `StockCalls`. Gold is a whole number; ids are whole numbers; texts are bounded.
import { type PlaceAtOne, PLACES_AT_ONE_MAX } from '../base/told-at-one.ts';
import { type Shape, shape } from './call-shape.ts';
import type {
  chatHistory,
  collectCraft,
  gather,
  myWorkshop,
  say,
  startCraft,
} from './regional-calls.ts';
import {
  boolean,
  distinct,
  integer,
  list,
  nothing,
  nullable,
  object,
  octets,
  type Schema,
  text,
} from './schema.ts';

/** No one can hold more: sums of all balances then stay exact in a double. */
export const GOLD_MAX = 1_000_000_000_000;
export const TRADE_ITEMS_MAX = 16;
export const HELD_ITEMS_MAX = 1_000;
/** Of those that a player made, and again of those made to him. */
export const OPEN_OFFERS_MAX = 32;
const ID_MAX: number = Number.MAX_SAFE_INTEGER;

/** Latitude and longitude in units of 1e-7 degree (WGS84): about 1.1 cm at the equator. */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}
export interface LogIn {
  readonly name: string;
  readonly password: string;
}
/**
 * `token` proves the session to any gateway until `expiresAtMs` (Unix ms). `region` is that of the gateway:
 * regional calls go there while the player stands nowhere and names no other.
 */
export interface LoggedIn {
  readonly player: number;
  readonly session: number;
  readonly expiresAtMs: number;
  readonly token: string;
  readonly region: string;
}
/** `atOne`: what the player was told at `one` before, so that he hears what has become of it. */
export interface Resumption {
  readonly token: string;
  readonly atOne: readonly PlaceAtOne[] | null;
}
export interface OpenedSession {
  readonly player: number;
  readonly session: number;
  readonly expiresAtMs: number;
}
/** `nonce` makes a repeat of the same registration the same registration. */
export interface RegisterAccount {
  readonly name: string;
  readonly credential: Uint8Array;
  readonly nonce: string;
}
export interface Credential {
  readonly player: number;
  readonly credential: Uint8Array;
}
export interface Item {
  readonly id: number;
  readonly kind: string;
  /** Promised in an open offer: it cannot be given or offered again until that is settled. */
  readonly locked: boolean;
}
export interface HoldingsView {
  readonly gold: number;
  readonly goldLocked: number;
  readonly items: readonly Item[];
}
/** Expected equals counted when `minted = held + locked (+ consumed)`, for gold and for items. */
export interface Audit {
  readonly players: number;
  readonly goldMinted: number;
  readonly goldHeld: number;
  readonly goldLocked: number;
  readonly itemsMinted: number;
  readonly itemsHeld: number;
  readonly itemsLocked: number;
  /** Items that went into crafting and are no more. */
  readonly itemsConsumed: number;
}
export interface Stake {
  readonly gold: number;
  readonly items: readonly number[];
}
export interface Gift extends Stake {
  readonly to: number;
}
export interface MakeOffer {
  readonly to: number;
  readonly give: Stake;
  readonly want: Stake;
}
export interface Offer extends MakeOffer {
  readonly offer: number;
  readonly from: number;
  readonly expiresAtMs: number;
}
export interface OfferNumber {
  readonly offer: number;
}
export interface GoldLeft {
  readonly gold: number;
}
export interface Entered {
  readonly region: string;
  readonly tickMs: number;
  /** How far others are seen, in metres. */
  readonly sightMetres: number;
}

const id = integer(1, ID_MAX);
const gold = integer(0, GOLD_MAX);
const loginName = text(3, 32, /^[a-z0-9_.-]+$/, 'a-z 0-9 _ . -');
const worldName = text(3, 20, /^[A-Za-z0-9]+(?:[ '_-][A-Za-z0-9]+)*$/, "letters, digits, single ' _ -");
const timeMs = integer(0, ID_MAX);
const itemIds = distinct(list(id, TRADE_ITEMS_MAX));
const stake: Schema<Stake> = object({ gold, items: itemIds });
const item: Schema<Item> = object({ id, kind: text(1, 32), locked: boolean() });
const holdingsView: Schema<HoldingsView> = object({
  gold,
  goldLocked: gold,
  items: list(item, HELD_ITEMS_MAX),
});
const openedSession: Schema<OpenedSession> = object({ player: id, session: id, expiresAtMs: timeMs });
const logIn: Schema<LogIn> = object({ name: loginName, password: text(8, 128) });
const loggedIn: Schema<LoggedIn> = object({
  player: id,
  session: id,
  expiresAtMs: timeMs,
  token: text(1, 512),
  region: text(1, 32),
});
const count = integer(0, ID_MAX);
const place: Schema<Place> = object({
  lat: integer(-900_000_000, 900_000_000),
  lon: integer(-1_800_000_000, 1_800_000_000),
});

// Asked by our own services and by operators, never by players.
export const registerAccount: Shape<RegisterAccount, OpenedSession, 'name-taken' | 'world-full'> =
  shape(object({ name: loginName, credential: octets(512), nonce: text(1, 64) }), openedSession, [
    'name-taken',
    'world-full',
  ]);
export const readCredential: Shape<{ readonly name: string }, Credential, 'no-such-account'> = shape(
  object({ name: loginName }),
  object({ player: id, credential: octets(512) }),
  ['no-such-account'],
);
export const openSession: Shape<{ readonly player: number }, OpenedSession, 'no-such-account'> =
  shape(object({ player: id }), openedSession, ['no-such-account']);
export const audit: Shape<null, Audit, never> = shape(
  nothing,
  object({
    players: count,
    goldMinted: count,
    goldHeld: count,
    goldLocked: count,
    itemsMinted: count,
    itemsHeld: count,
    itemsLocked: count,
    itemsConsumed: count,
  }),
  [],
);
export const holdingsOf: Shape<{ readonly player: number }, HoldingsView, 'not-open'> = shape(
  object({ player: id }),
  holdingsView,
  ['not-open'],
);

// Asked by players.
export const register: Shape<LogIn, LoggedIn, 'name-taken' | 'world-full'> = shape(logIn, loggedIn, [
  'name-taken',
  'world-full',
]);
export const logInCall: Shape<LogIn, LoggedIn, 'wrong-credentials'> = shape(logIn, loggedIn, [
  'wrong-credentials',
]);
export const resume: Shape<Resumption, LoggedIn, 'token-invalid' | 'token-expired'> = shape(
  object({
    token: text(1, 512),
    atOne: nullable(list(object({ region: text(1, 32), epoch: count, order: count }), PLACES_AT_ONE_MAX)),
  }),
  loggedIn,
  ['token-invalid', 'token-expired'],
);
/** Names that differ only in case or in the kind of separator are the same name. */
export const claimName: Shape<
  { readonly name: string },
  { readonly name: string },
  'name-taken' | 'has-a-name'
> = shape(object({ name: worldName }), object({ name: worldName }), ['name-taken', 'has-a-name']);
export const releaseName: Shape<null, null, 'no-name'> = shape(nothing, nothing, ['no-name']);
export const ownerOfName: Shape<
  { readonly name: string },
  { readonly player: number | null },
  never
> = shape(object({ name: worldName }), object({ player: nullable(id) }), []);
export const nameOf: Shape<{ readonly player: number }, { readonly name: string | null }, never> =
  shape(object({ player: id }), object({ name: nullable(worldName) }), []);
export const openHoldings: Shape<null, HoldingsView, 'already-open' | 'world-full'> = shape(
  nothing,
  holdingsView,
  ['already-open', 'world-full'],
);
export const myHoldings: Shape<null, HoldingsView, 'not-open'> = shape(nothing, holdingsView, [
  'not-open',
]);

const partnerRefusals = ['not-open', 'no-such-player', 'same-player', 'nothing-given'] as const;
/** Why somebody can not part with a stake now. */
const stakeRefusals = ['not-enough-gold', 'not-yours', 'item-locked'] as const;
/** Why somebody can not take one: he would hold more than anyone may. */
const roomRefusals = ['too-much-gold', 'too-many-items'] as const;
export type PartnerRefusal = (typeof partnerRefusals)[number];
export type StakeRefusal = (typeof stakeRefusals)[number];
export type RoomRefusal = (typeof roomRefusals)[number];
export type GiveRefusal = PartnerRefusal | StakeRefusal | RoomRefusal;
export type MakeOfferRefusal = PartnerRefusal | StakeRefusal | 'too-many-offers';
export type AcceptOfferRefusal = 'no-such-offer' | 'not-for-you' | StakeRefusal | RoomRefusal;

export const give: Shape<Gift, GoldLeft, GiveRefusal> = shape(
  object({ to: id, gold, items: itemIds }),
  object({ gold }),
  [...partnerRefusals, ...stakeRefusals, ...roomRefusals],
);
/** What is given is locked until the offer is settled; to want nothing for it is allowed. */
export const makeOffer: Shape<MakeOffer, OfferNumber, MakeOfferRefusal> = shape(
  object({ to: id, give: stake, want: stake }),
  object({ offer: id }),
  [...partnerRefusals, ...stakeRefusals, 'too-many-offers'],
);
/** Stakes are refused as the accepter's; room is looked for on both sides. */
export const acceptOffer: Shape<OfferNumber, GoldLeft, AcceptOfferRefusal> = shape(
  object({ offer: id }),
  object({ gold }),
  ['no-such-offer', 'not-for-you', ...stakeRefusals, ...roomRefusals],
);
/** Either side may: who made the offer, and who was invited. */
export const withdrawOffer: Shape<OfferNumber, null, 'no-such-offer' | 'not-for-you'> = shape(
  object({ offer: id }),
  nothing,
  ['no-such-offer', 'not-for-you'],
);
/** Those he made, then those made to him, each in the order in which they were made. */
export const myOffers: Shape<null, readonly Offer[], never> = shape(
  nothing,
  list(
    object({ offer: id, from: id, to: id, give: stake, want: stake, expiresAtMs: timeMs }),
    OPEN_OFFERS_MAX * 2,
  ),
  [],
);
export const enter: Shape<Place, Entered, 'not-on-land' | 'region-full'> = shape(
  place,
  object({ region: text(1, 32), tickMs: integer(1, 10_000), sightMetres: integer(1, 100_000) }),
  ['not-on-land', 'region-full'],
);
export const leave: Shape<null, null, 'not-in-the-world'> = shape(nothing, nothing, [
  'not-in-the-world',
]);

/** Every call that a player may make, by name: the client's types. */
export interface StockCalls {
  readonly 'account.register': typeof register;
  readonly 'account.logIn': typeof logInCall;
  readonly 'account.resume': typeof resume;
  readonly 'names.claim': typeof claimName;
  readonly 'names.release': typeof releaseName;
  readonly 'names.owner': typeof ownerOfName;
  readonly 'names.of': typeof nameOf;
  readonly 'holdings.open': typeof openHoldings;
  readonly 'holdings.mine': typeof myHoldings;
  readonly 'trade.give': typeof give;
  readonly 'trade.offer': typeof makeOffer;
  readonly 'trade.accept': typeof acceptOffer;
  readonly 'trade.withdraw': typeof withdrawOffer;
  readonly 'trade.offers': typeof myOffers;
  readonly 'chat.say': typeof say;
  readonly 'chat.history': typeof chatHistory;
  readonly 'crafting.gather': typeof gather;
  readonly 'crafting.start': typeof startCraft;
  readonly 'crafting.collect': typeof collectCraft;
  readonly 'crafting.mine': typeof myWorkshop;
  readonly 'position.enter': typeof enter;
  readonly 'position.leave': typeof leave;
}
