// A studio's own features in a drill: their players, what the nodes write down of their logs, and what
// comes of it.
//
// `run.ts` opens one where the drill is of a world file. The nodes write into a folder of the world's, which
// stays with it if a promise was broken.
import { readTaps } from '../adapters/node/tap-file.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { DrawnWorldFile } from '../host/world-file.ts';
import { findWorld } from '../host/world-folder.ts';
import type { Topology } from '../services/topology/topology.ts';
import { stockFeatures } from '../world/catalogue.ts';
import type { OwnFindings } from './own-checks.ts';
import { OwnLoad, ownCalls } from './own-load.ts';
import { tryDeeds } from './own-player.ts';
import { ownTruth } from './own-truth.ts';
import type { LostPlaces } from './promotions.ts';
import { OWN_BOOK, type Recorder } from './recorder.ts';
import type { Timeline } from './timeline.ts';

export interface OwnDrillOptions {
  readonly world: DrawnWorldFile;
  readonly topology: Topology;
  readonly seed: number;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
  /** Where the nodes write down what they apply. */
  readonly tapFolder: string;
}

export class OwnDrill {
  readonly load: OwnLoad;
  readonly #options: OwnDrillOptions;

  constructor(options: OwnDrillOptions) {
    this.#options = options;
    this.load = new OwnLoad(options);
  }

  /** When all is quiet: what the logs say, and into the history what they say of each answer. */
  judge(lost: readonly LostPlaces[]): OwnFindings {
    const { world, topology, tapFolder, recorder } = this.#options;
    const { queries, decided, fault } = this.load;
    const truth = ownTruth({
      topology,
      features: [...stockFeatures, ...world.features],
      own: world.features,
      taken: readTaps(tapFolder),
      queries,
    });
    for (const f of ['applied', 'shown'] as const) {
      recorder.observe(OWN_BOOK, f, truth[f].map(({ log: key, order, value }) => ({ key, order, value })));
    }
    recorder.observe(OWN_BOOK, 'lost', lost);
    const lengths = truth.logs.map(({ log: key, entries }) => ({ key, value: { entries } }));
    recorder.observe(OWN_BOOK, 'log', lengths);
    return { truth, decided, fault };
  }
}

/**
 * Throws `StartError` for a world that a drill of these features would show nothing in: one with a past,
 * whose log nobody wrote down, and one whose players draw what nobody can do.
 */
export function mustShow(
  { file, features, drawDeed }: DrawnWorldFile,
  o: { readonly folder: string | undefined; readonly seed: number },
): void {
  if (o.folder !== undefined && findWorld(o.folder) !== undefined) {
    throw new StartError(
      `The world in ${o.folder} has a past, and a drill of your own features needs their logs from the ` +
        'first entry on: choose another folder with --data, or leave it out.',
    );
  }
  try {
    tryDeeds(drawDeed, ownCalls({ groups: [] }, features), new Random(o.seed).split('own'));
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} can not be drilled: ${cause.message}`, { cause });
  }
}
