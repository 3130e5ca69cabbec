// Checkpoints of regions as an operator handles them: listed, and gone back to.
//
// The CLI calls it with the folder of a world. Listing looks and touches nothing, also while the world
// runs. A restore needs the nodes of the region's copies to be down: it claims their folders, puts the
// chosen state into all of them alike, and keeps what was there beside it.
import { claimDataFolder } from '../adapters/node/data-folder.ts';
import { lookInto, openFolder, putInPlace, setAside } from '../adapters/node/disk.ts';
import { removeFolder } from '../adapters/node/process-files.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { type CheckpointFile, listCheckpoints } from '../runtime/checkpoints.ts';
import { COPIES_FOLDER } from '../runtime/copy-journal.ts';
import { findState, type RestoreTarget, writeRestored } from '../runtime/copy-restore.ts';
import { serviceCommand, serviceValue } from '../services/service-calls.ts';
import { featuresNamed, surroundingsOf } from '../services/surroundings.ts';
import { nodePlan, type NodePlan, type RegionPlan } from '../services/topology.ts';
import { wentBack } from '../wire/regional-calls.ts';
import { stockFeatures } from '../world/catalogue.ts';
import { crafting } from '../world/features/crafting.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { findWorld, type World } from './world-folder.ts';

/** A new folder beside the one that it will take the place of. */
const RESTORED = '.restored';
const WENT_BACK = { name: 'crafting.wentBack', shape: wentBack };
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

/** The nodes that hold copies of the region. */
export function holdersOf(folder: string, region: string): readonly string[] {
  const world = worldIn(folder);
  return copiesOf(world, regionIn(world, region)).map(({ name }) => name);
}

/**
 * Puts the newest state that is not after the target into all copies. Throws `StartError` when a node of
 * theirs runs, or its folder is another's.
 */
export function restoreRegion(folder: string, region: string, target: RestoreTarget): Restored {
  const world = worldIn(folder);
  const plan = regionIn(world, region);
  const copies = copiesOf(world, plan);
  const { topology } = world;
  const claims: { release(): void }[] = [];
  try {
    for (const { id, data } of copies) {
      claims.push(claimDataFolder({ folder: data, world: topology.world, node: id }));
    }
    const features = featuresNamed(plan.features, stockFeatures);
    const machine = createGroupMachine(features, surroundingsOf(topology, plan.number));
    const name = { number: plan.number, name: plan.name, world: topology.world };
    const found = findState(name, {
      copies: copies.map(({ copy }) => lookInto(copy)),
      target,
      machine,
      afterwards: features.includes(crafting) ? [serviceCommand(WENT_BACK, null)] : [],
    });
    if (found.kind === 'refused') return found;
    // All of them before any takes its place: what fails here has changed nothing.
    for (const { data } of copies) {
      const draft = `${data}/${COPIES_FOLDER}/${plan.name}${RESTORED}`;
      removeFolder(draft);
      writeRestored(openFolder(draft), name, found);
    }
    const aside = copies.flatMap(({ data }) => takePlace(`${data}/${COPIES_FOLDER}`, plan.name));
    const { sequence, timeMs, mark } = found;
    const jobs = found.replies.map((reply) => serviceValue(WENT_BACK, reply))[0] ?? NO_JOBS;
    return { kind: 'restored', sequence, timeMs, goesOnAt: mark.sequence, aside, jobs };
  } finally {
    for (const claim of claims) claim.release();
  }
}

/** One copy after the other: a cut in between leaves at most one without its data, which then is blank. */
function takePlace(parent: string, region: string): readonly string[] {
  const before = setAside(parent, region);
  putInPlace(parent, { from: region + RESTORED, to: region });
  return before === undefined ? [] : [before];
}

interface Copy extends NodePlan {
  /** The node's data folder, and the copy's own in it. */
  readonly data: string;
  readonly copy: string;
}

function copiesOf({ folder, topology }: World, { name, copies }: RegionPlan): readonly Copy[] {
  return copies.map((id) => {
    const plan = nodePlan(topology, id);
    const data = `${folder}/${plan.name}`;
    return { ...plan, data, copy: `${data}/${COPIES_FOLDER}/${name}` };
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
  const names = topology.regions.map((region) => region.name).join(', ');
  throw new StartError(`There is no region "${name}": name one of ${names}.`);
}
