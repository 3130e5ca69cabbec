// Loads the simulator, and all that it runs, out of sources with one planted fault.
//
// `planted.ts` and its workers call it. The changed sources exist in memory only: modules are loaded once
// more under a name of their own, so that nothing else in the process sees them.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StartError } from '../adapters/node/start-error.ts';
import type * as Faults from '../sim/plan/faults.ts';
import type { PlantedFault } from '../sim/planted/fault.ts';
import type * as Run from '../sim/run.ts';
import type * as Worlds from '../sim/play/worlds.ts';

const SRC = new URL('../', import.meta.url).href;

export interface Simulator {
  readonly drawPlan: typeof Faults.drawPlan;
  readonly runPlan: typeof Run.runPlan;
  readonly stockWorld: typeof Worlds.stockWorld;
}

/** Whether this runs out of the sources as they are written, and not out of an installed package. */
export function isClone(): boolean {
  return import.meta.url.endsWith('.ts');
}

/** Throws `StartError` where the sources are not as they are written. */
export function mustBeClone(): void {
  if (isClone()) return;
  throw new StartError('planted faults change the sources: run this in a clone of the repository');
}

/** Throws `StartError` when a text to be changed does not stand exactly once. */
export async function loadPlanted(fault: PlantedFault): Promise<Simulator> {
  const mark = `?planted=${fault.name}`;
  const used = new Set<string>();
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isOurs = context.parentURL?.endsWith(mark) === true && found.url.startsWith(SRC);
      return isOurs ? { ...found, url: found.url + mark } : found;
    },
    load(url, context, next) {
      if (!url.endsWith(mark)) return next(url, context);
      const file = url.slice(SRC.length, -mark.length);
      used.add(file);
      return { format: 'module-typescript', source: plantedText(file, fault), shortCircuit: true };
    },
  });
  try {
    const [faults, run, worlds] = await Promise.all([
      import(`${SRC}sim/plan/faults.ts${mark}`) as Promise<typeof Faults>,
      import(`${SRC}sim/run.ts${mark}`) as Promise<typeof Run>,
      import(`${SRC}sim/play/worlds.ts${mark}`) as Promise<typeof Worlds>,
    ]);
    const unused = fault.changes.find(({ file }) => !used.has(file));
    if (unused !== undefined) throw stale(fault, unused.file, 'is not part of what is simulated');
    return { drawPlan: faults.drawPlan, runPlan: run.runPlan, stockWorld: worlds.stockWorld };
  } finally {
    hooks.deregister();
  }
}

/** The text of `file`, below `src`, with the fault in it. Throws `StartError` as `loadPlanted` does. */
export function plantedText(file: string, fault: PlantedFault): string {
  let text = readFileSync(fileURLToPath(SRC + file), 'utf8');
  for (const change of fault.changes) {
    if (change.file !== file) continue;
    const parts = text.split(change.from);
    if (parts.length !== 2) {
      throw stale(fault, file, `holds its text ${parts.length - 1} times instead of once`);
    }
    text = parts.join(change.to);
  }
  return text;
}

function stale(fault: PlantedFault, file: string, why: string): StartError {
  return new StartError(
    `the planted fault ${fault.name} does not fit the sources: src/${file} ${why}; ` +
      'change src/sim/planted so that it does',
  );
}
