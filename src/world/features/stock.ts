// A stock of common materials: how much there is of each kind.
//
// `crafting` keeps one per player. A list in the order in which the kinds first came, for there are few.
import type { Material } from '../../wire/regional-calls.ts';

export function countOf(stock: readonly Material[], kind: string): number {
  return stock.find((material) => material.kind === kind)?.count ?? 0;
}

/** A new stock with so much more of each, or less where a count is below zero; what is used up is gone. */
export function withMore(
  stock: readonly Material[],
  more: readonly Material[],
): readonly Material[] {
  const counts = new Map(stock.map(({ kind, count }) => [kind, count]));
  for (const { kind, count } of more) counts.set(kind, (counts.get(kind) ?? 0) + count);
  return [...counts].filter(([, count]) => count > 0).map(([kind, count]) => ({ kind, count }));
}
