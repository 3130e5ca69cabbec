// Draws that plans of groups and of regions have in common.
//
// `faults.ts` and `region-faults.ts` share them, each at strengths of its own.
import type { Random } from '../../base/random.ts';
import { pick } from './pick.ts';
import type { CutShape, Fault, Target } from './plan.ts';

/** How much longer a slow disk takes for a sync or a publication, at most. */
export const SLOW_SYNC_MS_MAX = 120;

/** When and whom. */
export interface Struck {
  readonly atMs: number;
  readonly forMs: number;
  readonly target: Target;
}

export function drawKill(random: Random, { target, ...when }: Struck): Fault {
  const calls = random.chance(1, 3) ? 0 : random.integer(1, 60);
  return { ...when, kind: 'kill', target, power: random.chance(1, 2), calls };
}

export function drawSlowDisk(random: Random, { target, ...when }: Struck): Fault {
  return { ...when, kind: 'slow-disk', target, syncMs: pick(random, [5, 30, SLOW_SYNC_MS_MAX]) };
}

export function drawDiskError(random: Random, { target, ...when }: Struck): Fault {
  return { ...when, kind: 'disk-error', target, operation: random.chance(1, 3) ? 'write' : 'sync' };
}

/** One in `flapsOneIn` flaps, in some time of `flapMs`. */
export function drawCut(
  random: Random,
  { target, ...when }: Struck,
  o: {
    readonly shapes: readonly CutShape[];
    readonly flapsOneIn: number;
    readonly flapMs: readonly [min: number, max: number];
  },
): Fault {
  const flapMs = random.chance(1, o.flapsOneIn) ? random.integer(...o.flapMs) : 0;
  const shape = pick(random, o.shapes);
  return { ...when, kind: 'cut', target, shape, breaks: random.chance(1, 2), flapMs };
}
