// Checkpoints of regions as an operator handles them: listed, and gone back to.
//
// The CLI calls it with the folder of a world. Listing looks and touches nothing, also while the world
// runs. A restore needs the nodes of the region's copies to be down: it claims their folders, puts the
// chosen state into all of them alike, and keeps what was there beside it.
// Invariant: no node opens a copy while one of the region's is restored and another is not, for both would
// go on with the same place of the log. All new folders are written as drafts, then all become `RESTORED`,
// which bars the copies beside them, then one after the other takes its place. Whoever comes after a cut
// can tell how far that came: as long as there is a draft, nothing has taken any place.
import { claimDataFolder } from '../adapters/node/data-folder.ts';
import { lookInto, openFolder, putInPlace, setAside } from '../adapters/node/disk.ts';
import { removeFolder } from '../adapters/node/process-files.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { type CheckpointFile, listCheckpoints } from '../runtime/checkpoints.ts';
import { COPIES_FOLDER, RESTORED } from '../runtime/copy-journal.ts';
import { findState, type Restorable, type RestoreTarget, writeRestored } from '../runtime/copy-restore.ts';
import { serviceCommand, serviceValue } from '../services/calls/service-calls.ts';
import { featuresNamed, surroundingsOf } from '../services/topology/surroundings.ts';
import { nodePlan, type NodePlan, type RegionPlan } from '../services/topology/topology.ts';
import { wentBack } from '../wire/regional-calls.ts';
import type { Feature } from '../world/feature.ts';
import { crafting } from '../world/features/crafting.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { notThere } from './unknown-name.ts';
import { featuresOf } from './world-features.ts';
import { findWorld, type World } from './world-folder.ts';

/** Behind a copy's name: a folder that may be half written, and counts for nothing. */
const DRAFT = '.draft';
const WENT_BACK = { name: 'crafting.wentBack', shape: wentBack };
/** How often a folder that changes meanwhile is looked into. */
const LOOKS_MAX = 10;
const NO_JOBS = { asked: 0, unasked: 0 };

export interface CopyCheckpoints {
  readonly region: string;
  readonly node: string;
  readonly files: readonly CheckpointFile[];
}

/** Jobs that wait for the economy: about so many it is asked, for the rest there was no room. */
export interface WaitingJobs {
  readonly asked: number;
  readonly unasked: number;
}

export interface Wanted {
  readonly target: RestoreTarget;
  /** All of the world: `featuresIn` tells them. */
  readonly features: readonly Feature[];
}

export type Restored =
  | {
      readonly kind: 'restored';
      /** The place of the log whose state was put back, and its time (Unix ms). */
      readonly sequence: number;
      readonly timeMs: number;
      /** Where the log goes on with it. */
      readonly goesOnAt: number;
      /** What was there before, one folder for each copy that had one. */
      readonly aside: readonly string[];
      readonly jobs: WaitingJobs;
    }
  | { readonly kind: 'refused'; readonly sentence: string };

/** Throws `StartError` where there is no world, and for a region that it does not have. */
export function checkpointsOf(folder: string, region: string | undefined): readonly CopyCheckpoints[] {
  const world = worldIn(folder);
  const plans = region === undefined ? world.topology.regions : [regionIn(world, region)];
  return plans.flatMap((plan) =>
    copiesOf(world, plan).map(({ name: node, copy }) => ({
      region: plan.name,
      node,
      files: listCheckpoints(lookInto(copy), plan.name, world.topology.world),
    })),
  );
}

/** What the logs in this folder are replayed with. Throws `StartError` where a studio's are not to be had. */
export function featuresIn(folder: string): Promise<readonly Feature[]> {
  return featuresOf(worldIn(folder));
}

/** The nodes that hold copies of the region. */
export function holdersOf(folder: string, region: string): readonly string[] {
  const world = worldIn(folder);
  return copiesOf(world, regionIn(world, region)).map(({ name }) => name);
}

/**
 * What `restoreRegion` would find. Touches nothing, and nodes may run: a file that is in the list and gone
 * when it is read was of no use any more.
 */
export function findRestorable(
  folder: string,
  region: string,
  { target, features }: Wanted,
): Restorable {
  for (let looks = 1; ; looks++) {
    try {
      const world = worldIn(folder);
      return findIn(world, regionIn(world, region), { target, features });
    } catch (cause) {
      const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
      if (!isGone || looks === LOOKS_MAX) throw cause;
    }
  }
}

/**
 * Puts the newest state that is not after the target into all copies. Throws `StartError` when a node of
 * theirs runs, or its folder is another's.
 */
export function restoreRegion(folder: string, region: string, wanted: Wanted): Restored {
  const world = worldIn(folder);
  const plan = regionIn(world, region);
  const copies = copiesOf(world, plan);
  const { topology } = world;
  const claims: { release(): void }[] = [];
  try {
    for (const { id, data } of copies) {
      claims.push(claimDataFolder({ folder: data, world: topology.world, node: id }));
    }
    settle(copies, plan.name);
    const found = findIn(world, plan, wanted);
    if (found.kind === 'refused') return found;
    const name = { number: plan.number, name: plan.name, world: topology.world };
    for (const { copy } of copies) writeRestored(openFolder(copy + DRAFT), name, found);
    for (const { parent } of copies) {
      putInPlace(parent, { from: plan.name + DRAFT, to: plan.name + RESTORED });
    }
    const aside = copies.flatMap(({ parent }) => takePlace(parent, plan.name));
    const { sequence, timeMs, mark } = found;
    const jobs = found.replies.map((reply) => serviceValue(WENT_BACK, reply))[0] ?? NO_JOBS;
    return { kind: 'restored', sequence, timeMs, goesOnAt: mark.sequence, aside, jobs };
  } finally {
    for (const claim of claims) claim.release();
  }
}

function findIn(world: World, plan: RegionPlan, { target, features: known }: Wanted): Restorable {
  const { topology } = world;
  const features = featuresNamed(plan.features, known);
  const name = { number: plan.number, name: plan.name, world: topology.world };
  return findState(name, {
    copies: copiesOf(world, plan).map(({ copy }) => lookInto(copy)),
    target,
    machine: createGroupMachine(features, surroundingsOf(topology, plan.number)),
    afterwards: features.includes(crafting) ? [serviceCommand(WENT_BACK, null)] : [],
  });
}

/** Ends what restores that were cut off have begun. No node of the world may run. */
export function settleRestores(world: World): void {
  for (const plan of world.topology.regions) settle(copiesOf(world, plan), plan.name);
}

/** With a draft nothing was decided, and all of it goes; else what has not yet taken its place does. */
function settle(copies: readonly Copy[], region: string): void {
  if (copies.some(({ copy }) => isThere(copy + DRAFT))) {
    for (const suffix of [RESTORED, DRAFT]) {
      for (const { copy } of copies) removeFolder(copy + suffix);
    }
    return;
  }
  for (const { copy, parent } of copies) if (isThere(copy + RESTORED)) takePlace(parent, region);
}

function isThere(folder: string): boolean {
  return lookInto(folder).names().length > 0;
}

function takePlace(parent: string, region: string): readonly string[] {
  const before = setAside(parent, region);
  putInPlace(parent, { from: region + RESTORED, to: region });
  return before === undefined ? [] : [before];
}

interface Copy extends NodePlan {
  /** The node's data folder, and the copy's own in it. */
  readonly data: string;
  readonly copy: string;
  /** The folder that it lies in, with those of its node's other copies. */
  readonly parent: string;
}

function copiesOf({ folder, topology }: World, { name, copies }: RegionPlan): readonly Copy[] {
  return copies.map((id) => {
    const plan = nodePlan(topology, id);
    const data = `${folder}/${plan.name}`;
    const parent = `${data}/${COPIES_FOLDER}`;
    return { ...plan, data, parent, copy: `${parent}/${name}` };
  });
}

function worldIn(folder: string): World {
  const world = findWorld(folder);
  if (world === undefined) {
    throw new StartError(`There is no world in ${folder}: name its folder with --data.`);
  }
  return world;
}

function regionIn({ topology }: World, name: string): RegionPlan {
  const plan = topology.regions.find((region) => region.name === name);
  if (plan !== undefined) return plan;
  const names = topology.regions.map((region) => region.name);
  throw new StartError(notThere('region', name, names));
}
