// The rules of holdings and trade, written down once more in the plainest way, to test against.
import type { Stake } from '../../src/wire/calls.ts';
import { FIRST_GOLD, FIRST_ITEMS } from '../../src/world/features/holdings.ts';
import { OFFER_OPEN_MS } from '../../src/world/features/trade.ts';

/** What somebody does. */
export type Deed =
  | { readonly call: 'holdings.open' }
  | { readonly call: 'trade.give'; readonly to: number; readonly give: Stake }
  | {
      readonly call: 'trade.offer';
      readonly to: number;
      readonly give: Stake;
      readonly want: Stake;
    }
  | { readonly call: 'trade.accept' | 'trade.withdraw'; readonly offer: number };

/** A deed that is mostly possible: items are picked among what is owned, offers counted back. */
export type Wish =
  | { readonly call: 'holdings.open' }
  | { readonly call: 'trade.give'; readonly to: number; readonly give: WishedStake }
  | {
      readonly call: 'trade.offer';
      readonly to: number;
      readonly give: WishedStake;
      readonly want: WishedStake;
    }
  | {
      readonly call: 'trade.accept' | 'trade.withdraw';
      readonly back: number;
      readonly byTheInvited: boolean;
    };

/** A pick below 10 is one of the owner's items, whichever that is; above, any item. */
export interface WishedStake {
  readonly gold: number;
  readonly picks: readonly number[];
}

interface Made {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly give: Stake;
  readonly want: Stake;
  readonly untilMs: number;
}

export interface View {
  readonly gold: number;
  readonly goldLocked: number;
  readonly items: readonly { readonly id: number; readonly locked: boolean }[];
}

export class EconomyModel {
  /** All gold of a player, locked or not. */
  readonly #gold = new Map<number, number>();
  readonly #owners: { readonly id: number; owner: number }[] = [];
  readonly #everMade: Made[] = [];
  #open: Made[] = [];

  /** What a wish comes to as things stand, and who then does it. */
  resolve(wish: Wish, player: number): { readonly player: number; readonly deed: Deed } {
    switch (wish.call) {
      case 'holdings.open':
        return { player, deed: wish };
      case 'trade.give':
        return { player, deed: { ...wish, give: this.#stake(wish.give, player) } };
      case 'trade.offer': {
        const give = this.#stake(wish.give, player);
        return { player, deed: { ...wish, give, want: this.#stake(wish.want, wish.to) } };
      }
      default: {
        const { call, back, byTheInvited } = wish;
        const made = this.#open.at(-1 - back) ?? this.#everMade.at(-1 - back);
        const by = byTheInvited && made !== undefined ? made.to : player;
        return { player: by, deed: { call, offer: made?.number ?? 999_999 } };
      }
    }
  }

  /** `done`, or the reason. */
  apply(deed: Deed, by: { player: number; order: number; nowMs: number }): string {
    this.#open = this.#open.filter((offer) => offer.untilMs > by.nowMs);
    switch (deed.call) {
      case 'holdings.open':
        return this.#openHoldings(by.player);
      case 'trade.give': {
        const refusal = this.#unable(by.player, deed.to, deed.give);
        if (refusal === undefined) this.#hand(deed.give, by.player, deed.to);
        return refusal ?? 'done';
      }
      case 'trade.offer': {
        const { to, give, want } = deed;
        const refusal = this.#unable(by.player, to, give);
        if (refusal !== undefined) return refusal;
        const untilMs = by.nowMs + OFFER_OPEN_MS;
        const made = { number: by.order, from: by.player, to, give, want, untilMs };
        this.#open.push(made);
        this.#everMade.push(made);
        return 'done';
      }
      default:
        return this.#settle(deed.call, by.player, deed.offer);
    }
  }

  views(): ReadonlyMap<number, View> {
    return new Map(
      [...this.#gold].map(([player, gold]) => {
        const goldLocked = this.#lockedGold(player);
        const items = this.#owners
          .filter(({ owner }) => owner === player)
          .map(({ id }) => ({ id, locked: this.#isLocked(id) }));
        return [player, { gold: gold - goldLocked, goldLocked, items }];
      }),
    );
  }

  #stake({ gold, picks }: WishedStake, owner: number): Stake {
    const own = this.#owners.filter((item) => item.owner === owner);
    const items = picks.map((pick) => (pick < 10 ? own[pick % own.length]?.id : undefined) ?? pick);
    return { gold, items: [...new Set(items)].filter((id) => id > 0) };
  }

  #openHoldings(player: number): string {
    if (this.#gold.has(player)) return 'already-open';
    this.#gold.set(player, FIRST_GOLD);
    for (const _kind of FIRST_ITEMS) {
      this.#owners.push({ id: this.#owners.length + 1, owner: player });
    }
    return 'done';
  }

  #settle(call: string, player: number, number: number): string {
    const offer = this.#open.find((one) => one.number === number);
    if (offer === undefined) return 'no-such-offer';
    const invited = offer.to === player;
    if (!invited && (call === 'trade.accept' || offer.from !== player)) return 'not-for-you';
    const refusal = call === 'trade.accept' ? this.#lacks(player, offer.want) : undefined;
    if (refusal !== undefined) return refusal;
    this.#open = this.#open.filter((one) => one !== offer);
    if (call === 'trade.accept') {
      this.#hand(offer.give, offer.from, offer.to);
      this.#hand(offer.want, offer.to, offer.from);
    }
    return 'done';
  }

  #unable(from: number, to: number, give: Stake): string | undefined {
    if (!this.#gold.has(from)) return 'not-open';
    if (from === to) return 'same-player';
    if (!this.#gold.has(to)) return 'no-such-player';
    if (give.gold === 0 && give.items.length === 0) return 'nothing-given';
    return this.#lacks(from, give);
  }

  #lacks(player: number, { gold, items }: Stake): string | undefined {
    if (gold > (this.#gold.get(player) ?? 0) - this.#lockedGold(player)) return 'not-enough-gold';
    for (const id of items) {
      if (this.#owners.find((item) => item.id === id)?.owner !== player) return 'not-yours';
      if (this.#isLocked(id)) return 'item-locked';
    }
    return undefined;
  }

  #hand({ gold, items }: Stake, from: number, to: number): void {
    this.#gold.set(from, (this.#gold.get(from) ?? 0) - gold);
    this.#gold.set(to, (this.#gold.get(to) ?? 0) + gold);
    for (const item of this.#owners) if (items.includes(item.id)) item.owner = to;
  }

  #lockedGold(player: number): number {
    const own = this.#open.filter(({ from }) => from === player);
    return own.reduce((sum, { give }) => sum + give.gold, 0);
  }

  #isLocked(id: number): boolean {
    return this.#open.some(({ give }) => give.items.includes(id));
  }
}
