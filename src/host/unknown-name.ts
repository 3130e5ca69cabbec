// What an operator names must be there: else one sentence that lists what is.
//
// Every command that takes a name answers with it, whether a running world or its folder is asked.
import type { Topology } from '../services/topology/topology.ts';

const LISTS = { node: 'nodes', group: 'groups', region: 'regions' } as const;

/** The kinds of things that bear names in a world. */
export type Named = keyof typeof LISTS;

/** The sentence for the first of these that the world does not have; `undefined` when it has them all. */
export function unknownName(
  topology: Pick<Topology, 'nodes' | 'groups' | 'regions'>,
  names: Readonly<Partial<Record<Named, string>>>,
): string | undefined {
  for (const kind of ['group', 'region', 'node'] as const) {
    const name = names[kind];
    const known = topology[LISTS[kind]].map((each) => each.name);
    if (name !== undefined && !known.includes(name)) return notThere(kind, name, known);
  }
  return undefined;
}

export function notThere(kind: Named, name: string, known: readonly string[]): string {
  return `There is no ${kind} "${name}": name one of ${known.join(', ')}.`;
}
