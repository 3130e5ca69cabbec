// The rules of the stock world's crafting: what goes in, what comes out, how long it takes.
//
// `crafting` works by them, or by others of the same form. A recipe with an `item` takes a rare thing out
// of the player's holdings and puts another one in; all others turn common materials into common ones.
import type { Material } from '../../wire/regional-calls.ts';

export interface Recipe {
  readonly name: string;
  readonly materials: readonly Material[];
  /** The kind of the rare item that it takes; `undefined` where it takes and makes none. */
  readonly item: string | undefined;
  readonly takesMs: number;
}

/** What is a world's own in crafting. */
export interface CraftingRules {
  readonly recipes: readonly Recipe[];
  /** A player finds something in a region no more often than that. */
  readonly gatherEveryMs: number;
}

/** What players find lying about. */
export const gathered: readonly string[] = ['wood', 'stone', 'fibre'];

export const recipes: readonly Recipe[] = [
  common('plank', { kind: 'wood', count: 2 }),
  common('brick', { kind: 'stone', count: 2 }),
  common('cord', { kind: 'fibre', count: 3 }),
  rare('rope-ladder', 'rope', { kind: 'plank', count: 2 }, { kind: 'cord', count: 1 }),
  rare('beacon', 'lantern', { kind: 'brick', count: 3 }),
  rare('sextant', 'compass', { kind: 'plank', count: 1 }, { kind: 'brick', count: 1 }),
];

export const stockRules: CraftingRules = { recipes, gatherEveryMs: 1_000 };

function common(name: string, ...materials: readonly Material[]): Recipe {
  return { name, materials, item: undefined, takesMs: 2_000 };
}

function rare(name: string, item: string, ...materials: readonly Material[]): Recipe {
  return { name, materials, item, takesMs: 4_000 };
}
