// How players walk in a simulated world, as data drawn from a seed: where, how many, over which links.
//
// `faults.ts` asks for it where regions live; `walkers.ts` and `crossing-drill.ts` carry it out. All of it
// comes from a stream of its own.
import type { Random } from '../../base/random.ts';
import type { Topology } from '../../services/topology/topology.ts';
import { pick } from './pick.ts';

/** The length of a tick in simulated regions: as long as hand-overs bear, since most ticks show nothing. */
export const SIM_TICK_MS = 500;

export interface MotionPlan {
  readonly walkers: number;
  /** They walk over the western meridian of this region, at this latitude. */
  readonly region: number;
  readonly lat: number;
  readonly links: LooseLinks;
  readonly crossing: CrossingDrill | undefined;
}

/** Frames of motion travel one by one while faults last; of 1,000 so many are: */
export interface LooseLinks {
  readonly lost: number;
  readonly doubled: number;
  /** Late, and so out of order. */
  readonly late: number;
}

/** Somebody walks over an edge, and at one frame of his hand-over one of those concerned is struck. */
export interface CrossingDrill {
  readonly victim: 'left' | 'entered' | 'gateway';
  /** Counted from the update that crosses: of those that the victim sends or is sent about him. */
  readonly frame: number;
  readonly by: 'kill' | 'power' | 'stall' | 'isolated' | 'mute' | 'deaf';
  readonly forMs: number;
}

/** The equator, a town's latitude, and 110 m from a pole, where all regions are neighbours. */
const LATITUDES: readonly number[] = [0, 488_566_000, -338_000_000, 899_990_000];
/**
 * Of a hand-over: the update that crosses, its answer and the end of the stay; the entry, its answer and
 * the first updates there; all of these at the gateway.
 */
const FRAMES_MAX = { left: 3, entered: 4, gateway: 6 } as const;

/** `undefined` where nobody walks in this run. */
export function drawMotion(random: Random, topology: Topology): MotionPlan | undefined {
  if (random.chance(1, 3)) return undefined;
  const isLoose = random.chance(1, 2);
  const links = { lost: pick(random, [0, 20, 150]), doubled: pick(random, [0, 50, 200]) };
  const late = pick(random, [0, 50, 200]);
  return {
    walkers: random.integer(3, 6),
    region: pick(random, topology.regions).number,
    lat: pick(random, LATITUDES),
    links: isLoose ? { ...links, late } : { lost: 0, doubled: 0, late: 0 },
    crossing: random.chance(1, 2) ? drawCrossing(random) : undefined,
  };
}

function drawCrossing(random: Random): CrossingDrill {
  const victim = pick(random, ['left', 'entered', 'gateway'] as const);
  return {
    victim,
    frame: random.integer(1, FRAMES_MAX[victim]),
    by: pick(random, ['kill', 'kill', 'power', 'stall', 'isolated', 'mute', 'deaf'] as const),
    forMs: pick(random, [random.integer(10, 300), random.integer(300, 1_500), random.integer(1_500, 5_000)]),
  };
}
