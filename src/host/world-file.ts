// A studio's world file: a module whose default export is a list of features.
//
// `up`, `node`, `chaos` and the simulator read it. What players do in it, `drawDeed`, is needed where they
// are drawn only (`world/deed.ts` describes it). Whatever would leave a feature out of a world is refused:
// its promise would seem to be kept.
import { loadModule } from '../adapters/node/module-file.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import { refuseUnsound } from '../services/topology/own-features.ts';
import type { DrawDeed } from '../world/deed.ts';
import type { Feature } from '../world/feature.ts';

const GUIDE = 'docs/own-features.md';
const ABSENT = 'name a module with features';

export interface WorldFile {
  /** As it was named; absolute where it is remembered. */
  readonly file: string;
  readonly features: readonly Feature[];
  /** Of the code of the file and of all that it imports: other code, another digest. */
  readonly digest: string;
}

export interface DrawnWorldFile extends WorldFile {
  readonly drawDeed: DrawDeed;
}

/** Throws `StartError` with what to change in the file; `absent` is what to do when it is not there. */
export async function readWorldFile(file: string, absent: string = ABSENT): Promise<WorldFile> {
  const { exports, digest } = await loadModule(file, absent);
  return { file, features: featuresIn(file, exports['default']), digest };
}

/** As `readWorldFile`, for a world whose players are drawn. */
export async function readDrawnWorldFile(file: string): Promise<DrawnWorldFile> {
  const { exports, digest } = await loadModule(file, ABSENT);
  const features = featuresIn(file, exports['default']);
  const { drawDeed } = exports;
  if (typeof drawDeed !== 'function') {
    throw new StartError(`${file} must export a function drawDeed, or nobody asks its features anything`);
  }
  return { file, features, digest, drawDeed: drawDeed as DrawDeed };
}

function featuresIn(file: string, given: unknown): readonly Feature[] {
  if (!Array.isArray(given)) {
    throw new StartError(`${file} must export a list of features by default (${GUIDE})`);
  }
  if (!given.every(isFeature)) {
    const at = given.findIndex((each) => !isFeature(each));
    const lacks = `number ${at + 1} lacks ${lackOf(given[at])}`;
    throw new StartError(`${file} must export a list of features by default, and ${lacks} (${GUIDE})`);
  }
  try {
    refuseUnsound(given);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} can not be run: ${cause.message}`, { cause });
  }
  return given;
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
  for (const [calls, duty] of [['commands', 'apply'], ['queries', 'read']] as const) {
    const described = value[calls];
    if (!isRecord(described)) return `an object of ${calls}`;
    for (const [name, call] of Object.entries(described)) {
      if (!isCall(call, duty)) return `a whole description of "${name}" in ${calls}`;
    }
  }
  const duties = ['create', 'advance', 'save', 'load'];
  const missing = duties.find((duty) => typeof value[duty] !== 'function');
  return missing === undefined ? undefined : `a function ${missing}`;
}

/** As `command` and `query` make it. */
function isCall(value: unknown, duty: string): boolean {
  if (!isRecord(value)) return false;
  const { by, args, value: answer } = value;
  return typeof value[duty] === 'function' && typeof by === 'string' && isRecord(args) && isRecord(answer);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
