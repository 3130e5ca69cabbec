// The proof that the net holds: every planted fault through the simulator, and a table of what found it.
//
// `sim.ts` calls it. It needs the sources as they are written, so it runs in a clone only.
import type { Terminal } from '../adapters/node/terminal.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { plantedFaults } from '../sim/planted/all.ts';
import type { SoughtFault } from '../sim/planted/fault.ts';
import { recordedSeeds, recordSeed } from './planted-seeds.ts';
import { mustBeClone } from './planted-sources.ts';
import { onAllCores, type Sought } from './sim-worker.ts';

const EXIT_MISSED = 1;

export interface PlantedWish {
  /** By name; none: all. */
  readonly names: readonly string[];
  readonly seedsMax: number;
  /** Whether the seeds that find them are written down, and are looked for without those that are. */
  readonly records: boolean;
  readonly isJson: boolean;
}

export interface Found extends Sought {
  readonly fault: SoughtFault;
  /** A seed was recorded for it, and finds it no more. */
  readonly isStale: boolean;
}

/** Returns the exit code: 0 only if each one was found within so many runs. */
export async function runPlanted(wish: PlantedWish, terminal: Terminal): Promise<number> {
  mustBeClone();
  const faults = chosen(wish.names);
  const print = (text: string): void => (wish.isJson ? terminal.note(text) : terminal.print(text));
  const recorded = wish.records ? new Map<string, number>() : recordedSeeds();
  print(`${line(['planted fault', 'worlds', 'seed', 'runs', 'by', 'steps'])}\n`);
  const report = (one: Found): void => {
    print(`${describe(one)}\n`);
    if (wish.records && one.by !== undefined) recordSeed(one.fault.name, one.by.seed);
  };
  const found = await seekPlanted(faults, { ...wish, recorded }, report);
  const missed = found.filter(({ by }) => by === undefined);
  const stale = found.filter(({ isStale }) => isStale);
  print(`${found.length - missed.length} of ${found.length} planted faults were found\n`);
  if (stale.length > 0) print(`recorded seeds that find their fault no more: ${stale.length}\n`);
  if (wish.isJson) {
    const rows = found.map(({ fault, by, runs, steps }) => {
      return { fault: fault.name, worlds: fault.worlds, found: by !== undefined, ...by, runs, steps };
    });
    terminal.print(`${JSON.stringify({ ok: missed.length === 0, faults: rows })}\n`);
  }
  return missed.length === 0 ? 0 : EXIT_MISSED;
}

/** Looks for each of the faults, and reports each as it is found or given up. */
export async function seekPlanted(
  faults: readonly SoughtFault[],
  o: { readonly seedsMax: number; readonly recorded: ReadonlyMap<string, number> },
  report: (found: Found) => void,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  let next = 0;
  await onAllCores(
    () => {
      const fault = faults[next++];
      if (fault === undefined) return undefined;
      return { kind: 'planted', fault, seedsMax: o.seedsMax, recorded: o.recorded.get(fault.name) };
    },
    (task, result) => {
      if (result.kind === 'trouble') throw new StartError(result.sentence);
      if (task.kind !== 'planted' || result.kind !== 'sought') return;
      const { fault, recorded } = task;
      const isStale = recorded !== undefined && result.sought.by?.seed !== recorded;
      const one = { ...result.sought, fault, isStale };
      found.push(one);
      report(one);
    },
  );
  return found;
}

function chosen(names: readonly string[]): readonly SoughtFault[] {
  if (names.length === 0) return plantedFaults;
  return names.map((wanted) => {
    const fault = plantedFaults.find(({ name }) => name === wanted);
    if (fault === undefined) throw new StartError(`there is no planted fault of the name ${wanted}`);
    return fault;
  });
}

function describe({ fault, by, runs, steps, isStale }: Found): string {
  const seed = `${by?.seed ?? ''}${isStale ? '*' : ''}`;
  const { name, worlds, what } = fault;
  return `${line([name, worlds, seed, `${runs}`, by?.invariant ?? 'NOT FOUND', `${steps}`])}  ${what}`;
}

function line([name = '', worlds = '', seed = '', runs = '', by = '', steps = '']: string[]): string {
  const head = `${name.padEnd(32)} ${worlds.padEnd(7)} ${seed.padStart(5)} ${runs.padStart(5)}`;
  return `${head}  ${by.padEnd(9)} ${steps.padStart(9)}`;
}
