// What a node knows of data folders, kept in memory as it would be kept in a file.
import type { NodeId } from '../../src/base/id.ts';
import { Incarnations, type IncarnationStore } from '../../src/services/topology/incarnations.ts';
import type { Topology } from '../../src/services/topology/topology.ts';

export function memoryStore(): IncarnationStore & { readonly writes: () => number } {
  let [text, writes] = ['', 0];
  return {
    found: () => (text === '' ? undefined : JSON.parse(text)),
    keep(known) {
      text = JSON.stringify(known);
      writes += 1;
    },
    writes: () => writes,
  };
}

/** A node in a folder of which nothing is known but `word`, which its incarnation is made of. */
export function bornIn(
  topology: Topology,
  self: NodeId,
  word: number,
  store: IncarnationStore = memoryStore(),
): Incarnations {
  const entropy = { bytes: (count: number) => new Uint8Array(count).fill(word) };
  return new Incarnations({ topology, self, store, entropy });
}
