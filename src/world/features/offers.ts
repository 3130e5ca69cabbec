// Open offers: found by number, by player, and oldest first.
//
// `trade` keeps them; what they promise is locked in the ledger. All stay open equally long, so the
// oldest is the next to expire: a list linked through the offers gives it, and lets go of any other,
// at once (the front of a `Map` would grow long with holes).
// Invariant: a player has at most `OPEN_OFFERS_MAX` offers made and as many received.
import { OPEN_OFFERS_MAX, type Offer } from '../../wire/calls.ts';

interface Link {
  readonly offer: Offer;
  older: Link | undefined;
  newer: Link | undefined;
}

interface Side {
  readonly made: Set<Offer>;
  readonly received: Set<Offer>;
}

export class Offers {
  readonly #byNumber = new Map<number, Link>();
  readonly #byPlayer = new Map<number, Side>();
  #oldest: Link | undefined;
  #newest: Link | undefined;

  get count(): number {
    return this.#byNumber.size;
  }

  get oldest(): Offer | undefined {
    return this.#oldest?.offer;
  }

  find(number: number): Offer | undefined {
    return this.#byNumber.get(number)?.offer;
  }

  /** Whether one more from and to these players is within the bounds. */
  roomFor(from: number, to: number): boolean {
    const made = this.#byPlayer.get(from)?.made.size ?? 0;
    const received = this.#byPlayer.get(to)?.received.size ?? 0;
    return made < OPEN_OFFERS_MAX && received < OPEN_OFFERS_MAX;
  }

  /** Those he made, then those made to him, each oldest first. */
  of(player: number): readonly Offer[] {
    const side = this.#byPlayer.get(player);
    return side === undefined ? [] : [...side.made, ...side.received];
  }

  add(offer: Offer): void {
    const link: Link = { offer, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    this.#byNumber.set(offer.offer, link);
    this.#side(offer.from).made.add(offer);
    this.#side(offer.to).received.add(offer);
  }

  remove(offer: Offer): void {
    const link = this.#byNumber.get(offer.offer);
    if (link === undefined) return;
    const { older, newer } = link;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#byNumber.delete(offer.offer);
    this.#side(offer.from).made.delete(offer);
    this.#side(offer.to).received.delete(offer);
    this.#forgetIfIdle(offer.from);
    this.#forgetIfIdle(offer.to);
  }

  *oldestFirst(): Generator<Offer> {
    for (let link = this.#oldest; link !== undefined; link = link.newer) yield link.offer;
  }

  #side(player: number): Side {
    const known = this.#byPlayer.get(player);
    if (known !== undefined) return known;
    const side: Side = { made: new Set(), received: new Set() };
    this.#byPlayer.set(player, side);
    return side;
  }

  #forgetIfIdle(player: number): void {
    const side = this.#byPlayer.get(player);
    if (side?.made.size === 0 && side.received.size === 0) this.#byPlayer.delete(player);
  }
}
