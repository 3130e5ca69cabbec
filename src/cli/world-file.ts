// A studio's own world for the simulator: a module whose default export is a list of features.
//
// Optionally it also exports `drawDeed`, what its players do (`src/sim/deeds.ts` describes it).
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { StartError } from '../adapters/node/start-error.ts';
import type { DrawDeed } from '../sim/deeds.ts';
import { stockWorld, worldOf, type WorldUnderTest } from '../sim/worlds.ts';
import type { Feature } from '../world/feature.ts';

/** The stock world when no file is named. Throws `StartError` with what to change in the file. */
export async function loadWorld(file: string | undefined): Promise<WorldUnderTest> {
  if (file === undefined) return stockWorld;
  if (!existsSync(file)) throw new StartError(`${file} does not exist: name a module with features`);
  const module = (await import(pathToFileURL(file).href)) as {
    readonly default?: unknown;
    readonly drawDeed?: unknown;
  };
  const features: unknown = module.default;
  if (!Array.isArray(features) || !features.every(isFeature)) {
    throw new StartError(`${file} must export a list of features by default`);
  }
  const { drawDeed } = module;
  if (drawDeed !== undefined && typeof drawDeed !== 'function') {
    throw new StartError(`${file} exports drawDeed, which is no function`);
  }
  return worldOf(features, drawDeed as DrawDeed | undefined);
}

function isFeature(value: unknown): value is Feature {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && 'commands' in value && 'create' in value && 'save' in value;
}
