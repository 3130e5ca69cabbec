// What a player does when a world is tried out: the deeds that a world file draws, call by call.
//
// The simulator asks for one after the other (`sim/play/client`), and a drill (`chaos/own-player`); the stock
// world's are in `sim/play/deeds`, a studio's stand beside its features in the file that `--world` names.
import type { Random } from '../base/random.ts';

const OFFERS_MAX = 64;

export interface Deed {
  /** `feature.call`, a command or query that players may ask. */
  readonly call: string;
  readonly args: unknown;
}

/** What all players together know of the world: enough to ask for things that exist. */
export interface Known {
  readonly players: number[];
  /** Items as last seen, by player. */
  readonly items: Map<number, readonly number[]>;
  readonly offers: number[];
  /** Jobs as last seen, by player and region. */
  readonly jobs: Map<string, readonly number[]>;
}

/**
 * Draws the next deed of a player, out of these arguments alone, so that a seed gives the same run again.
 * One of a region's feature is done in some region.
 */
export type DrawDeed = (random: Random, player: number, known: Known) => Deed;

/** Takes in what an answer shows. */
export function learn(known: Known, player: number, call: string, value: unknown): void {
  if (call === 'trade.offer') {
    const { offer } = value as { readonly offer: number };
    known.offers.push(offer);
    if (known.offers.length > OFFERS_MAX) known.offers.shift();
  } else if (call === 'holdings.open' || call === 'holdings.mine') {
    const { items } = value as { readonly items: readonly { readonly id: number }[] };
    known.items.set(player, items.map(({ id }) => id));
  }
}
