// The drill at the edge of a region: somebody walks over it, and at one frame of his hand-over one of those
// concerned dies, stands still or is cut off.
//
// `run.ts` calls it. The region that he leaves, the one that he enters and his gateway are struck at each
// frame, by some seed; afterwards everyone must stand where he is, once, and be seen there.
import { regionAt } from '../../world/space/region-map.ts';
import type { Course } from './course.ts';
import type { CrossingDrill } from '../plan/motion-plan.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { Walker } from '../play/walker.ts';
import type { Walkers } from './walkers.ts';

/** By then he has come to the edge and over it. */
const CROSSING_MS_MAX = 3_000;
/** A silent node fails after 4.5 seconds; a successor is appointed, and doubted copies trusted again. */
const REGIONS_MS_MAX = 14_000;

export function crossTheEdge(
  course: Course,
  nemesis: Nemesis,
  { drill, walkers }: { readonly drill: CrossingDrill; readonly walkers: Walkers },
): void {
  const walker = walkers.all.find(({ nearSinceUs }) => nearSinceUs < Infinity);
  if (walker === undefined || course.isBroken) return;
  const victims = victimsOf(course, walker);
  const victim = victims?.[drill.victim];
  if (victim === undefined) return;
  const { cluster, mark } = course.parts;
  const { spaceInvariants } = cluster.world;
  mark(`${walker.player} walks over the edge, and ${drill.victim} (node ${victim}) is to be struck`);
  walker.isCrossing = true;
  let frames = 0;
  let undo: (() => void) | undefined;
  spaceInvariants.onFrame = (from, to, player) => {
    if (player !== walker.player || (from !== victim && to !== victim)) return;
    if (!hasCrossed(course, walker, victims)) return;
    frames += 1;
    if (frames !== drill.frame) return;
    mark(`node ${victim} is struck at frame ${frames} of the hand-over: ${drill.by}`);
    undo = strike(course, nemesis, { drill, victim });
  };
  course.until(() => undo !== undefined, CROSSING_MS_MAX);
  spaceInvariants.onFrame = () => {};
  walker.isCrossing = false;
  course.for(drill.forMs);
  undo?.();
  if (course.until(() => course.areRegionsLevel, REGIONS_MS_MAX)) return;
  course.broken('CONVERGE', `regions are not level after a hand-over was struck: ${course.picture()}`);
}

interface Victims {
  /** The region in which he was. */
  readonly region: number;
  readonly left: number | undefined;
  readonly entered: number | undefined;
  readonly gateway: number | undefined;
}

function victimsOf({ parts: { cluster } }: Course, { place, beyond, gateway }: Walker): Victims | undefined {
  const { regions } = cluster.world.topology;
  const here = regionAt(regions, place);
  const there = regionAt(regions, beyond);
  if (here === undefined || there === undefined) return undefined;
  const left = cluster.primaryOf(here.number);
  return { region: here.number, left, entered: cluster.primaryOf(there.number), gateway };
}

/** He has reported himself beyond the edge. */
function hasCrossed(
  { parts: { cluster } }: Course,
  { place }: Walker,
  victims: Victims | undefined,
): boolean {
  return regionAt(cluster.world.topology.regions, place)?.number !== victims?.region;
}

/** Returns what ends it. */
function strike(
  { parts: { cluster } }: Course,
  nemesis: Nemesis,
  { drill: { by, forMs }, victim }: { readonly drill: CrossingDrill; readonly victim: number },
): () => void {
  switch (by) {
    case 'kill':
    case 'power':
      cluster.kill(victim, by === 'power');
      return () => cluster.start(victim);
    case 'stall':
      cluster.life(victim)?.standStill(forMs * 1_000);
      return () => {};
    case 'isolated':
    case 'mute':
    case 'deaf':
      return nemesis.cut(victim, by);
  }
}
