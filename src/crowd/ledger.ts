// The crowd's own books: what every player must hold, computed from acknowledged outcomes alone.
//
// Each test player enters what was decided; at the end the players read their holdings and `compare`
// says whether the world kept its word. Gold only moves, so each balance is its opening plus what came
// minus what went. Items carry their last owner by the log's order, since answers may arrive in another.
// A move whose outcome stayed uncertain either happened or did not: the players it links are then
// checked together, and each of them within what it could have changed.
// Invariant: a player's opening holdings are read before anybody can move anything to him.
import type { HoldingsView, Offer, Stake } from '../wire/calls.ts';

/** Distinct texts that `compare` keeps; further differences are only counted. */
const DIFFERENCES_MAX = 20;
/** Beyond this the books could not tell much anyway: `compare` then reports it as a difference. */
const UNCERTAIN_MOVES_MAX = 10_000;

/** One direction of a gift or an exchange. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly stake: Stake;
}

/** Both directions of an accepted offer. */
export function movesOf(offer: Offer): readonly Move[] {
  return [
    { from: offer.from, to: offer.to, stake: offer.give },
    { from: offer.to, to: offer.from, stake: offer.want },
  ];
}

export interface ExpectedAndCounted {
  readonly expected: number;
  readonly counted: number;
}

export interface Comparison {
  readonly gold: ExpectedAndCounted;
  readonly items: ExpectedAndCounted;
  /** Moves whose outcome was never learnt. */
  readonly uncertain: number;
  /** How many things were not as acknowledged, and the first of them in words. */
  readonly differences: number;
  readonly described: readonly string[];
}

interface Account {
  gold: number;
  /** What uncertain moves may have taken and brought. */
  mayHaveLost: number;
  mayHaveGained: number;
}

interface Ownership {
  owner: number;
  /** The place in the log of the move that made him the owner; 0 for the opening. */
  order: number;
  /** Who else may own it by an uncertain move. */
  readonly candidates: Set<number>;
}

export class Ledger {
  readonly #accounts = new Map<number, Account>();
  readonly #items = new Map<number, Ownership>();
  /** Items that are no more, if they ever were in the books. */
  readonly #consumed = new Set<number>();
  readonly #linked = new Map<number, number>();
  #openedGold = 0;
  #uncertain = 0;

  /** Enters a player with what he holds before anybody deals with him. */
  open(player: number, holdings: HoldingsView): void {
    const gold = holdings.gold + holdings.goldLocked;
    this.#accounts.set(player, { gold, mayHaveLost: 0, mayHaveGained: 0 });
    this.#openedGold += gold;
    for (const item of holdings.items) {
      this.#items.set(item.id, { owner: player, order: 0, candidates: new Set() });
    }
  }

  /** Whether the books know the player: only then may anybody deal with him. */
  knows(player: number): boolean {
    return this.#accounts.has(player);
  }

  /** Enters moves that the world acknowledged at this place of its log. */
  done(moves: readonly Move[], order: number): void {
    for (const { from, to, stake } of moves) {
      this.#account(from).gold -= stake.gold;
      this.#account(to).gold += stake.gold;
      for (const id of stake.items) {
        const item = this.#item(id, from);
        if (item.order > order) continue;
        item.owner = to;
        item.order = order;
      }
    }
  }

  /** Enters an item that went into a workshop: nobody may have it any more. */
  consumed(item: number): void {
    this.#consumed.add(item);
  }

  /** Enters an item that a workshop made. If it was traded since, its owner is known already. */
  made(item: number, owner: number): void {
    if (this.#consumed.has(item)) return;
    this.#item(item, owner);
  }

  /** Enters moves of which nobody knows whether they happened. */
  uncertain(moves: readonly Move[]): void {
    this.#uncertain += 1;
    if (this.#uncertain > UNCERTAIN_MOVES_MAX) return;
    for (const { from, to, stake } of moves) {
      this.#link(from, to);
      this.#account(from).mayHaveLost += stake.gold;
      this.#account(to).mayHaveGained += stake.gold;
      for (const id of stake.items) this.#item(id, from).candidates.add(to);
    }
  }

  /** Compares the books with what the players really hold, as they read it after everything settled. */
  compare(counted: ReadonlyMap<number, HoldingsView>): Comparison {
    const findings = new Findings();
    if (this.#uncertain > UNCERTAIN_MOVES_MAX) {
      findings.add(`${this.#uncertain} uncertain outcomes are more than the books can follow`);
    }
    const goldCounted = this.#compareGold(counted, findings);
    const itemsCounted = this.#compareItems(counted, findings);
    return {
      gold: { expected: this.#openedGold, counted: goldCounted },
      items: { expected: this.#expectedItems(), counted: itemsCounted },
      uncertain: this.#uncertain,
      differences: findings.count,
      described: findings.described,
    };
  }

  #compareGold(counted: ReadonlyMap<number, HoldingsView>, findings: Findings): number {
    let total = 0;
    const sums = new Map<number, ExpectedAndCounted>();
    for (const [player, account] of this.#accounts) {
      const holdings = counted.get(player);
      if (holdings === undefined) {
        findings.add(`player ${player} could not be read`);
        continue;
      }
      const gold = holdings.gold + holdings.goldLocked;
      total += gold;
      const least = account.gold - account.mayHaveLost;
      const most = account.gold + account.mayHaveGained;
      if (gold < least || gold > most) {
        const range = least === most ? `${least}` : `${least} to ${most}`;
        findings.add(`player ${player} has ${gold} gold, acknowledged were ${range}`);
      }
      const root = this.#root(player);
      const sum = sums.get(root) ?? { expected: 0, counted: 0 };
      sums.set(root, { expected: sum.expected + account.gold, counted: sum.counted + gold });
    }
    for (const [root, sum] of sums) {
      if (sum.expected === sum.counted || !this.#linked.has(root)) continue;
      findings.add(
        `those linked to player ${root} by uncertain moves have ${sum.counted} gold together, ` +
          `acknowledged were ${sum.expected}`,
      );
    }
    return total;
  }

  #expectedItems(): number {
    let expected = 0;
    for (const id of this.#items.keys()) if (!this.#consumed.has(id)) expected += 1;
    return expected;
  }

  #compareItems(counted: ReadonlyMap<number, HoldingsView>, findings: Findings): number {
    let total = 0;
    const seen = new Map<number, number>();
    for (const [player, holdings] of counted) {
      for (const { id } of holdings.items) {
        total += 1;
        const other = seen.get(id);
        if (other !== undefined) findings.add(`item ${id} is with ${other} and with ${player}`);
        seen.set(id, player);
      }
    }
    for (const [id, item] of this.#items) {
      if (this.#consumed.has(id)) continue;
      const owner = seen.get(id);
      if (owner === undefined) findings.add(`item ${id} is with nobody, it was with ${item.owner}`);
      else if (owner !== item.owner && !item.candidates.has(owner)) {
        findings.add(`item ${id} is with ${owner}, acknowledged was ${item.owner}`);
      }
    }
    for (const [id, owner] of seen) {
      if (this.#consumed.has(id)) findings.add(`item ${id} is with ${owner}, but it was consumed`);
      else if (!this.#items.has(id)) findings.add(`item ${id} of player ${owner} came from nowhere`);
    }
    return total;
  }

  #account(player: number): Account {
    const known = this.#accounts.get(player);
    if (known !== undefined) return known;
    // A stranger: his opening is unknown, so `compare` will say that he could not be read.
    const account: Account = { gold: 0, mayHaveLost: 0, mayHaveGained: 0 };
    this.#accounts.set(player, account);
    return account;
  }

  #item(id: number, owner: number): Ownership {
    const known = this.#items.get(id);
    if (known !== undefined) return known;
    const item: Ownership = { owner, order: 0, candidates: new Set() };
    this.#items.set(id, item);
    return item;
  }

  #root(player: number): number {
    let root = player;
    for (;;) {
      const above = this.#linked.get(root);
      if (above === undefined || above === root) return root;
      root = above;
    }
  }

  #link(a: number, b: number): void {
    const [rootA, rootB] = [this.#root(a), this.#root(b)];
    this.#linked.set(rootB, rootA);
    this.#linked.set(rootA, rootA);
  }
}

class Findings {
  count = 0;
  readonly described: string[] = [];

  add(text: string): void {
    this.count += 1;
    if (this.described.length < DIFFERENCES_MAX) this.described.push(text);
  }
}
