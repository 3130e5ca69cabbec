// A studio's own world for the simulator: a module whose default export is a list of features.
//
// It also exports `drawDeed`, what its players do (`src/sim/play/deeds.ts` describes it). Whatever would
// leave a feature out of the runs is refused: they would then say that it keeps its promises.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { DrawDeed } from '../sim/play/deeds.ts';
import { stockWorld, worldOf, type WorldUnderTest } from '../sim/play/worlds.ts';
import type { Feature } from '../world/feature.ts';

/** The stock world when no file is named. Throws `StartError` with what to change in the file. */
export async function loadWorld(file: string | undefined): Promise<WorldUnderTest> {
  if (file === undefined) return stockWorld;
  if (!existsSync(file)) throw new StartError(`${file} does not exist: name a module with features`);
  const module = await load(file);
  const features: unknown = module.default;
  if (!Array.isArray(features) || !features.every(isFeature)) {
    throw new StartError(`${file} must export a list of features (src/world/feature.ts) by default`);
  }
  const { drawDeed } = module;
  if (typeof drawDeed !== 'function') {
    throw new StartError(`${file} must export a function drawDeed, or nobody asks its features anything`);
  }
  try {
    return worldOf(features, drawDeed as DrawDeed);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} can not be simulated: ${cause.message}`, { cause });
  }
}

interface WorldModule {
  readonly default?: unknown;
  readonly drawDeed?: unknown;
}

/** Whatever a module throws while it is loaded is its author's to mend. */
async function load(file: string): Promise<WorldModule> {
  try {
    return (await import(pathToFileURL(file).href)) as WorldModule;
  } catch (cause) {
    throw new StartError(`${file} can not be loaded: ${String(cause)}`, { cause });
  }
}

function isFeature(value: unknown): value is Feature {
  if (!isRecord(value)) return false;
  const { name, promise, version, needs, commands, queries } = value;
  return (
    typeof name === 'string' &&
    typeof promise === 'string' &&
    Number.isSafeInteger(version) &&
    Array.isArray(needs) &&
    [commands, queries].every((calls) => isRecord(calls) && Object.values(calls).every(isRecord)) &&
    ['create', 'advance', 'save', 'load'].every((duty) => typeof value[duty] === 'function')
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
