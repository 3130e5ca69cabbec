// What a test player does next: trades or crafts, drawn at random from what he has.
//
// `test-player.ts` and `artisan.ts` ask before every deed and do what they are told. Pure: the same random
// stream and the same purse give the same deed. Now and then a deed is foolish, as players are.
import type { Random } from '../base/random.ts';
import type { Gift, HoldingsView, MakeOffer } from '../wire/calls.ts';
import type { Job, Workshop } from '../wire/regional-calls.ts';
import { countOf } from '../world/features/stock.ts';
import { gathered, type Recipe, recipes } from '../world/features/recipes.ts';

export type Deed =
  | { readonly kind: 'give'; readonly gift: Gift }
  | { readonly kind: 'offer'; readonly offer: MakeOffer }
  | { readonly kind: 'withdraw'; readonly offer: number };

export interface Situation {
  readonly mine: HoldingsView;
  readonly openOffers: readonly number[];
  readonly partner: number;
  /** Items that the partner had when he last looked. */
  readonly partnerItems: readonly number[];
}

/** Small amounts, so that nobody is poor for long. */
const GOLD_PER_DEED_MAX = 10;
/** An offer that nobody takes expires after a minute: more than these would only wait. */
const OPEN_OFFERS_MAX = 8;

/** `undefined` when the player has nothing to deal with. */
export function chooseDeed(situation: Situation, random: Random): Deed | undefined {
  const { mine, openOffers, partner } = situation;
  const mustWithdraw = openOffers.length >= OPEN_OFFERS_MAX;
  const withdrawn = random.pick(openOffers);
  if (withdrawn !== undefined && (mustWithdraw || random.chance(1, 10))) {
    return { kind: 'withdraw', offer: withdrawn };
  }
  const item = random.pick(mine.items.filter(({ locked }) => !locked));
  const gold = Math.min(mine.gold, random.integer(1, GOLD_PER_DEED_MAX));
  if (random.chance(1, 3)) return offerOf(situation, item?.id, gold, random);
  const items = item !== undefined && random.chance(1, 4) ? [item.id] : [];
  if (items.length > 0) return { kind: 'give', gift: { to: partner, gold: 0, items } };
  return gold === 0 ? undefined : { kind: 'give', gift: { to: partner, gold, items: [] } };
}

/** An item for gold, gold for an item, or an item for an item. */
function offerOf(
  { partner, partnerItems }: Situation,
  item: number | undefined,
  gold: number,
  random: Random,
): Deed | undefined {
  const wanted = random.pick(partnerItems);
  const givesItem = item !== undefined && (gold === 0 || random.chance(2, 3));
  if (!givesItem && gold === 0) return undefined;
  const give = givesItem ? { gold: 0, items: [item] } : { gold, items: [] };
  const wantsItem = wanted !== undefined && (!givesItem || random.chance(1, 2));
  const price = random.integer(1, GOLD_PER_DEED_MAX);
  const want = wantsItem ? { gold: 0, items: [wanted] } : { gold: price, items: [] };
  return { kind: 'offer', offer: { to: partner, give, want } };
}

export type Craft =
  | { readonly kind: 'gather'; readonly material: string }
  | { readonly kind: 'start'; readonly recipe: string; readonly item: number | null }
  | { readonly kind: 'collect'; readonly job: number };

/** As many jobs as he has an eye on. */
const JOBS_MAX = 4;

/** Collects what is finished, else makes the rarest thing he can, else what that needs. */
export function chooseCraft(
  { materials, jobs }: Workshop,
  mine: HoldingsView,
  o: { readonly nowMs: number; readonly random: Random },
): Craft {
  const { nowMs, random } = o;
  const finished = jobs.find((job) => isFinished(job, nowMs));
  if (finished !== undefined) return { kind: 'collect', job: finished.job };
  const stocked = recipes.filter(({ materials: needed }) =>
    needed.every(({ kind, count }) => countOf(materials, kind) >= count),
  );
  const possible = stocked.flatMap((recipe) => startOf(recipe, mine, jobs));
  const rare = possible.filter(({ item }) => item !== null);
  const chosen = random.pick(rare) ?? random.pick(possible);
  if (chosen !== undefined && jobs.length < JOBS_MAX) return { kind: 'start', ...chosen };
  return { kind: 'gather', material: random.pick(gathered) ?? '' };
}

function isFinished({ state, finishesAtMs }: Job, nowMs: number): boolean {
  if (state === 'working') return finishesAtMs <= nowMs;
  return state === 'made' || state === 'refused';
}

/** With an item of the right kind, if the recipe takes one and he has it to spare. */
function startOf(
  recipe: Recipe,
  { items }: HoldingsView,
  jobs: readonly Job[],
): readonly { readonly recipe: string; readonly item: number | null }[] {
  if (recipe.item === undefined) return [{ recipe: recipe.name, item: null }];
  return items
    .filter(({ kind, locked }) => kind === recipe.item && !locked)
    .filter(({ id }) => !jobs.some(({ item }) => item === id))
    .map(({ id }) => ({ recipe: recipe.name, item: id }));
}
