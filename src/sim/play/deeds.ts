// What simulated players do: calls of the stock world, drawn so that they often collide.
//
// `client.ts` asks for one after the other. Few players, few names and small sums: every call meets the
// traces of others. A studio's own world brings deeds of its own (`worlds.ts`).
import type { Random } from '../../base/random.ts';
import type { DrawDeed, Known } from '../../world/deed.ts';

const NAMES: readonly string[] = ['Ada', 'Ben', 'Cy', 'Dora', 'Eve', 'Finn', 'Gus'];

export const drawStockDeed: DrawDeed = (random, player, known) => {
  const to = random.pick(known.players) ?? player;
  const dice = random.integer(0, 99);
  if (dice < 24) return { call: 'trade.give', args: { to, gold: random.integer(1, 400), items: [] } };
  if (dice < 33) {
    return { call: 'trade.give', args: { to, gold: 0, items: someItem(random, player, known) } };
  }
  if (dice < 42) return { call: 'trade.offer', args: drawOffer(random, player, { to, known }) };
  if (dice < 52) return { call: 'trade.accept', args: { offer: random.pick(known.offers) ?? 1 } };
  if (dice < 55) return { call: 'trade.withdraw', args: { offer: random.pick(known.offers) ?? 1 } };
  if (dice < 77) return { call: 'holdings.mine', args: null };
  const name = random.pick(NAMES) ?? 'Ada';
  if (dice < 84) return { call: 'names.claim', args: { name } };
  if (dice < 88) return { call: 'names.release', args: null };
  return { call: 'names.owner', args: { name } };
};

function drawOffer(
  random: Random,
  player: number,
  { to, known }: { readonly to: number; readonly known: Known },
): unknown {
  const give = { gold: random.integer(0, 300), items: someItem(random, player, known) };
  const want = { gold: random.integer(0, 300), items: someItem(random, to, known) };
  return { to, give, want };
}

function someItem(random: Random, player: number, known: Known): readonly number[] {
  const item = random.pick(known.items.get(player) ?? []);
  return item === undefined || random.chance(1, 3) ? [] : [item];
}
