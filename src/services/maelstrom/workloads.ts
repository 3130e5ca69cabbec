// The workloads that `bluemarble maelstrom` knows, by name, and the two that need no other node.
import { fieldOf } from '../../wire/maelstrom.ts';
import { openLinKv } from './lin-kv.ts';
import type { Handle, MaelstromDoors, Members, OpenWorkload, Workload } from './workload.ts';

/** Drawn once in a life, so that no life of any node repeats what another has handed out. */
const LIFE_BYTES = 8;

export const workloads: ReadonlyMap<string, OpenWorkload> = new Map([
  ['echo', openEcho],
  ['unique-ids', openUniqueIds],
  ['lin-kv', openLinKv],
]);

function openEcho(): Workload {
  return alone('echo', (request, answer) => {
    answer({ type: 'echo_ok', echo: fieldOf(request, 'echo') });
  });
}

function openUniqueIds({ self }: Members, { entropy }: MaelstromDoors): Workload {
  const life = entropy.bytes(LIFE_BYTES).join('.');
  let count = 0;
  return alone('generate', (_request, answer) => {
    count += 1;
    answer({ type: 'generate_ok', id: `${self}-${life}-${count}` });
  });
}

function alone(type: string, handle: Handle): Workload {
  return { requests: new Map([[type, handle]]), stop: () => Promise.resolve() };
}
