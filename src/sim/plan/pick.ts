// One of a list that is never empty, for whoever draws a plan.
import type { Random } from '../../base/random.ts';

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return random.pick(items) as Item;
}
