// The proof that the net holds: every planted fault through the simulator, and a table of what found it.
//
// `sim.ts` calls it. It needs the sources as they are written, so it runs in a clone only.
import type { Terminal } from '../adapters/node/terminal.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { plantedFaults } from '../sim/planted/all.ts';
import type { PlantedFault } from '../sim/planted/fault.ts';
import type { Verdict } from '../sim/run.ts';
import { onAllCores } from './sim-worker.ts';

const EXIT_MISSED = 1;

export interface Found {
  readonly fault: PlantedFault;
  readonly seed: number;
  /** `ok` when no seed found it. */
  readonly verdict: Verdict;
}

/** Returns the exit code: 0 only if each one was found within so many seeds. */
export async function runPlanted(
  wish: { readonly seedsMax: number; readonly isJson: boolean },
  terminal: Terminal,
): Promise<number> {
  const print = (text: string): void => (wish.isJson ? terminal.note(text) : terminal.print(text));
  print(`${line('planted fault', 'seed', 'by', 'steps')}\n`);
  const found = await seekPlanted(plantedFaults, wish.seedsMax, (one) => print(`${describe(one)}\n`));
  const missed = found.filter(({ verdict }) => verdict.result === 'ok');
  print(`${found.length - missed.length} of ${found.length} planted faults were found\n`);
  if (wish.isJson) {
    const rows = found.map(({ fault, seed, verdict: { invariant, steps } }) => {
      return { fault: fault.name, found: invariant !== undefined, seed, invariant, steps };
    });
    terminal.print(`${JSON.stringify({ ok: missed.length === 0, faults: rows })}\n`);
  }
  return missed.length === 0 ? 0 : EXIT_MISSED;
}

/** Looks for each of the faults, and reports each as it is found or given up. */
export async function seekPlanted(
  faults: readonly PlantedFault[],
  seedsMax: number,
  report: (found: Found) => void,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  let next = 0;
  await onAllCores(
    () => {
      const fault = faults[next++];
      return fault && { kind: 'planted', fault, seedsMax };
    },
    (task, result) => {
      if (result.kind === 'trouble') throw new StartError(result.sentence);
      if (task.kind !== 'planted') return;
      const one = { fault: task.fault, seed: result.seed, verdict: result.verdict };
      found.push(one);
      report(one);
    },
  );
  return found;
}

function describe({ fault, seed, verdict }: Found): string {
  const { invariant, steps } = verdict;
  const by = invariant ?? 'NOT FOUND';
  return `${line(fault.name, String(seed), by, String(steps))}  ${fault.what}`;
}

function line(name: string, seed: string, by: string, steps: string): string {
  return `${name.padEnd(32)} ${seed.padStart(5)}  ${by.padEnd(9)} ${steps.padStart(9)}`;
}
