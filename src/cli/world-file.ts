// A studio's own world for the simulator: a module whose default export is a list of features.
//
// It also exports `drawDeed`, what its players do (`world/deed.ts` describes it). Whatever would
// leave a feature out of the runs is refused: they would then say that it keeps its promises.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import { stockWorld, worldOf, type WorldUnderTest } from '../sim/play/worlds.ts';
import type { DrawDeed } from '../world/deed.ts';
import type { Feature } from '../world/feature.ts';

const GUIDE = 'docs/own-features.md';

/** The stock world when no file is named. Throws `StartError` with what to change in the file. */
export async function loadWorld(file: string | undefined): Promise<WorldUnderTest> {
  if (file === undefined) return stockWorld;
  if (!existsSync(file)) throw new StartError(`${file} does not exist: name a module with features`);
  const module = await load(file);
  const features: unknown = module.default;
  if (!Array.isArray(features)) {
    throw new StartError(`${file} must export a list of features by default (${GUIDE})`);
  }
  if (!features.every(isFeature)) {
    const at = features.findIndex((each) => !isFeature(each));
    const lacks = `number ${at + 1} lacks ${lackOf(features[at])}`;
    throw new StartError(`${file} must export a list of features by default, and ${lacks} (${GUIDE})`);
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
  return lackOf(value) === undefined;
}

/** What keeps it from being a feature: the first thing that is missing or of another kind. */
function lackOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'all that a feature has';
  for (const text of ['name', 'promise']) {
    if (typeof value[text] !== 'string') return `a ${text}`;
  }
  if (!Number.isSafeInteger(value['version'])) return 'a version, an integer';
  if (!Array.isArray(value['needs'])) return 'a list of needs';
  for (const calls of ['commands', 'queries']) {
    const described = value[calls];
    if (!isRecord(described) || !Object.values(described).every(isRecord)) return `an object of ${calls}`;
  }
  const duties = ['create', 'advance', 'save', 'load'];
  const missing = duties.find((duty) => typeof value[duty] !== 'function');
  return missing === undefined ? undefined : `a function ${missing}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
