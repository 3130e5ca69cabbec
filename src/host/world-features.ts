// The features of a world that exists: the stock ones, and its studio's out of the file that it remembers.
//
// `up`, the drills and a restore ask. A log that has begun was made by its features and replays their code,
// so a world keeps those that it began with: the same names, promises and versions. Anything else is
// refused before a process starts.
import { StartError } from '../adapters/node/start-error.ts';
import type { Topology } from '../services/topology/topology.ts';
import { stockFeatures } from '../world/catalogue.ts';
import type { Feature } from '../world/feature.ts';
import { readWorldFile, type WorldFile } from './world-file.ts';

/** What a world remembers of its studio's features. */
export interface OwnFeatures {
  /** The absolute path of the world file. */
  readonly file: string;
  /** Of the bytes of their states, by name. */
  readonly versions: Readonly<Record<string, number>>;
  /** Of the code that the world was last started with. */
  readonly digest: string;
}

interface RememberingWorld {
  readonly folder: string;
  readonly topology: Topology;
  readonly own?: OwnFeatures | undefined;
}

/** As a world remembers them from now on. */
export function remembered({ file, features, digest }: WorldFile): OwnFeatures {
  const versions = Object.fromEntries(features.map(({ name, version }) => [name, version]));
  return { file, versions, digest };
}

/** What an operator must know of code that is not what his world last ran with; `undefined` for nothing. */
export function changeNote(
  world: RememberingWorld | undefined,
  file: WorldFile | undefined,
): string | undefined {
  if (world?.own === undefined || file === undefined || world.own.digest === file.digest) return undefined;
  return (
    `${file.file}, or a module that it imports, has changed since this world last ran. Where a command now ` +
    'does anything else than before, copies of a log will differ: then put the former code back, or make a ' +
    'new world, and raise the version of the feature.'
  );
}

/** The world file that the world remembers, read; `undefined` for a stock world. */
export async function rememberedFile(world: RememberingWorld | undefined): Promise<WorldFile | undefined> {
  if (world?.own === undefined) return undefined;
  const cure =
    `the world in ${world.folder} has its features from there, so put it back, or name it where it is now ` +
    'with `bluemarble up --world`';
  return readWorldFile(world.own.file, cure);
}

/** All features of a world that exists. Throws `StartError` where its file is not what it was. */
export async function featuresOf(world: RememberingWorld): Promise<readonly Feature[]> {
  const file = await rememberedFile(world);
  refuseOthers(world, file);
  return [...stockFeatures, ...(file?.features ?? [])];
}

/** Throws `StartError` unless these are the features that the world began with. */
export function refuseOthers(world: RememberingWorld, file: WorldFile | undefined): void {
  refuseLost(world, file);
  if (file === undefined) return;
  const { features } = file;
  const mine = ownNames(world.topology);
  const further = features.filter(({ name }) => !mine.has(name));
  if (further.length > 0) throw new StartError(furtherSentence(world, further, file));
  for (const { name, promise, version } of features) {
    const before = mine.get(name);
    if (before !== promise) {
      throw new StartError(
        `"${name}" is ${before} in the world in ${world.folder} and ${promise} in ${file.file}: a world ` +
          'keeps the promises that it began with, so change it back, or choose another folder with --data.',
      );
    }
    const began = world.own?.versions[name] ?? version;
    if (began === version) continue;
    throw new StartError(
      `The world in ${world.folder} began with version ${began} of "${name}", and ${file.file} has ` +
        `version ${version}: nothing carries a log from one to the other, so put the former one back, or ` +
        'choose another folder with --data for a new world.',
    );
  }
}

/** Throws `StartError` for a feature of the world that the file has not, or when no file is named for it. */
export function refuseLost(world: RememberingWorld, file: WorldFile | undefined): void {
  const features = file?.features ?? [];
  const names = [...ownNames(world.topology).keys()];
  const lost = names.find((name) => !features.some((feature) => feature.name === name));
  if (lost !== undefined) throw new StartError(lostSentence(world, lost, file));
}

/** What a topology names besides the stock features, and what it promises by where it stands. */
function ownNames({ groups, regions }: Topology): ReadonlyMap<string, Feature['promise']> {
  const isOwn = (name: string): boolean => !stockFeatures.some((stock) => stock.name === name);
  const named = (plans: readonly { readonly features: readonly string[] }[]): readonly string[] =>
    plans.flatMap(({ features }) => features).filter(isOwn);
  return new Map([
    ...named(groups).map((name) => [name, 'linearizable'] as const),
    ...named(regions).map((name) => [name, 'regional'] as const),
  ]);
}

function lostSentence({ folder }: RememberingWorld, name: string, file: WorldFile | undefined): string {
  if (file === undefined) {
    return `The world in ${folder} has the feature "${name}": name the file that has it with --world.`;
  }
  return (
    `The world in ${folder} has the feature "${name}", and ${file.file} does not: put it back into the ` +
    'list, or name the file that has it with --world.'
  );
}

function furtherSentence(
  { folder, own }: RememberingWorld,
  further: readonly Feature[],
  { file }: WorldFile,
): string {
  const names = further.map(({ name }) => `"${name}"`).join(', ');
  const them = further.length > 1 ? 'them' : 'it';
  const cure = own === undefined ? 'leave --world out' : `take ${them} out of the list`;
  return (
    `The world in ${folder} began without ${names} of ${file}, and a log that has begun takes no further ` +
    `features: ${cure}, or choose another folder with --data for a new world.`
  );
}
