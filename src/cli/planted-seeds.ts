// Which seeds are tried for a planted fault: first the one that is recorded, then all others of its kind.
//
// `sim-worker.ts` tries them; `sim-planted.ts` records what was found. The record saves time and decides
// nothing: a seed that finds its fault no more is told of, and the search goes on.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { plantedFaults } from '../sim/planted/all.ts';
import type { Worlds } from '../sim/planted/fault.ts';
import type { Plan } from '../sim/plan/plan.ts';

const FILE = fileURLToPath(new URL('../sim/planted/seeds.txt', import.meta.url));
const HEAD = '# By planted fault the seed that found it last. To write it anew: sim --planted --record\n';

/** By the name of the fault. */
export function recordedSeeds(): Map<string, number> {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  const seeds = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    seeds.map((line) => {
      const [name = '', seed] = line.split(' ');
      return [name, Number(seed)];
    }),
  );
}

/** Each as it is found, so that a search that is stopped has not been for nothing. */
export function recordSeed(name: string, seed: number): void {
  const all = recordedSeeds().set(name, seed);
  const lines = plantedFaults.flatMap((fault) => {
    const found = all.get(fault.name);
    return found === undefined ? [] : [`${fault.name} ${found}\n`];
  });
  writeFileSync(FILE, HEAD + lines.join(''));
}

/** Of the plans of the first `seedsMax` seeds those of this kind; that of the recorded seed stands first. */
export function plansOf(
  draw: (seed: number) => Plan,
  o: { readonly worlds: Worlds; readonly seedsMax: number; readonly recorded: number | undefined },
): readonly Plan[] {
  const plans: Plan[] = [];
  for (let seed = 1; seed <= o.seedsMax; seed++) {
    const plan = draw(seed);
    if (isOf(plan, o.worlds)) plans.push(plan);
  }
  const first = plans.filter(({ seed }) => seed === o.recorded);
  return [...first, ...plans.filter(({ seed }) => seed !== o.recorded)];
}

function isOf({ regions, motion, isMobile, raft }: Plan, worlds: Worlds): boolean {
  switch (worlds) {
    case 'groups':
      return regions === undefined;
    case 'members':
      return regions === undefined && isMobile;
    case 'leases':
      return regions === undefined && raft.leaseDriftPerMille !== undefined;
    case 'regions':
      return regions !== undefined;
    case 'walkers':
      return motion !== undefined;
  }
}
