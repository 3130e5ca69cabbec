// Crafting in simulated worlds: rules so quick that rare items are claimed, made and used again within a
// run, and what players do by them.
//
// `worlds.ts` puts the rules into its worlds, `client.ts` asks for deeds where regions live. Items change
// hands meanwhile, and are asked for by two workshops at once.
import type { Random } from '../../base/random.ts';
import type { Job } from '../../wire/regional-calls.ts';
import type { Deed, Known } from '../../world/deed.ts';
import { crafting, craftingBy } from '../../world/features/crafting.ts';
import type { Feature } from '../../world/feature.ts';
import { type CraftingRules, gathered, type Recipe } from '../../world/features/recipes.ts';

const RULES: CraftingRules = {
  gatherEveryMs: 60,
  recipes: [
    { name: 'plank', materials: [{ kind: 'wood', count: 2 }], item: undefined, takesMs: 60 },
    quick('rope-ladder', 'rope', 'wood'),
    quick('beacon', 'lantern', 'stone'),
    quick('sextant', 'compass', 'fibre'),
    quick('lighthouse', 'beacon', 'stone'),
    quick('rope', 'rope-ladder', 'fibre'),
  ],
};
const RARE: readonly Recipe[] = RULES.recipes.filter(({ item }) => item !== undefined);
const JOBS_MAX = 8;

/** The feature of a simulated world in the place of the one that is shipped. */
export function quickened(feature: Feature<unknown>): Feature<unknown> {
  return feature.name === crafting.name ? (craftingBy(RULES) as Feature<unknown>) : feature;
}

/** The next thing that a player does at his workshop in that region. */
export function drawCraftDeed(random: Random, player: number, o: { known: Known; region: number }): Deed {
  const { known, region } = o;
  const job = random.pick(known.jobs.get(keyOf(player, region)) ?? []);
  const item = random.pick(known.items.get(player) ?? []);
  const dice = random.integer(0, 99);
  if (job !== undefined && dice < 45) return { call: 'crafting.collect', args: { job } };
  if (item !== undefined && dice < 75) {
    const { name: recipe = '' } = random.pick(RARE) ?? {};
    return { call: 'crafting.start', args: { recipe, item } };
  }
  if (dice < 85) return { call: 'crafting.mine', args: null };
  return { call: 'crafting.gather', args: { material: random.pick(gathered) ?? '' } };
}

/** Takes in what an answer shows of a workshop. */
export function learnCraft(
  known: Known,
  who: { readonly player: number; readonly region: number },
  call: string,
  value: unknown,
): void {
  const key = keyOf(who.player, who.region);
  if (call === 'crafting.start') {
    const { job } = value as Job;
    known.jobs.set(key, [...(known.jobs.get(key) ?? []), job].slice(-JOBS_MAX));
  } else if (call === 'crafting.mine') {
    const { jobs } = value as { readonly jobs: readonly Job[] };
    known.jobs.set(key, jobs.map(({ job }) => job));
  }
}

function quick(name: string, item: string, material: string): Recipe {
  return { name, materials: [{ kind: material, count: 1 }], item, takesMs: 80 };
}

function keyOf(player: number, region: number): string {
  return `${player} ${region}`;
}
