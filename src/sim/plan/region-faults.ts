// Draws what strikes regions: their primaries, their copies' disks, the links to witnesses and to each other.
//
// `faults.ts` asks for it. As there, each seed switches a random part on.
import type { Random } from '../../base/random.ts';
import type { CopyLimits } from '../../runtime/copy-machine.ts';
import type { Topology } from '../../services/topology/topology.ts';
import { drawCut, drawDiskError, drawKill, drawSlowDisk } from './draws.ts';
import { pick } from './pick.ts';
import { type CutShape, type DeposeDrill, DRIFT_PPM_MAX, type Fault, type Target } from './plan.ts';

type Kind = Fault['kind'];

const KINDS = [
  'kill',
  'kill',
  'crash-loop',
  'leave',
  'leave',
  'stall',
  'cut',
  'cut',
  'cut',
  'slow-links',
  'slow-disk',
  'hung-disk',
  'disk-error',
  'full-disk',
  'wipe-copy',
  'rot-copy',
  'move',
  'clock',
] as const satisfies readonly Kind[];
const SHAPES: readonly CutShape[] = [
  'isolated',
  'isolated',
  'deaf',
  'mute',
  'no-witnesses',
  'mute-to-witnesses',
  'deaf-to-witnesses',
  'no-copies',
  'with-gateway',
];
/** Until then the world starts, and every region has its first primary. */
const QUIET_MS = 1_500;
/** A silent node is called failed after 4.5 seconds: shorter runs would see few promotions by silence. */
const CHAOS_MS_MIN = 4_000;
const CHAOS_MS_MAX = 11_000;
const HOUR_MS = 3_600_000;

export interface RegionDraw {
  readonly limits: Omit<CopyLimits, 'pieceMs'>;
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
  readonly depose: DeposeDrill | undefined;
  readonly losesCopyOf: number | undefined;
}

/** `undefined` where no regions live in this run. `chaosMs`: when it is given, it stays. */
export function drawRegions(
  random: Random,
  topology: Topology,
  o: { readonly spanMs: number; readonly isGiven: boolean },
): RegionDraw | undefined {
  if (topology.regions.length === 0 || !random.chance(1, 2)) return undefined;
  const drawnMs = random.integer(CHAOS_MS_MIN, CHAOS_MS_MAX);
  const chaosMs = o.isGiven ? o.spanMs : Math.max(o.spanMs, drawnMs);
  const limits: Omit<CopyLimits, 'pieceMs'> = {
    checkpointBytesMin: pick(random, [512, 2_048, 16_384, 1_000_000]),
    checkpointEveryMs: pick(random, [300, 2_000, 300_000]),
    trailingEntries: pick(random, [0, 3, 30, 5_000]),
  };
  const kinds = KINDS.filter(() => random.chance(1, 3));
  const faults: Fault[] = [];
  const count = kinds.length === 0 ? 0 : random.integer(1, 6);
  for (let i = 0; i < count; i++) {
    const atMs = random.integer(QUIET_MS, Math.max(QUIET_MS, chaosMs - 1_000));
    faults.push(drawFault(random, topology, { kind: pick(random, kinds), atMs }));
  }
  const shape = pick(random, ['isolated', 'with-gateway', 'no-witnesses', 'no-copies'] as const);
  const depose = { region: pick(random, topology.regions).number, shape };
  const losesCopyOf = drawLostCopy(random.split('lost-copy'), topology);
  return { limits, chaosMs, faults, depose: random.chance(1, 3) ? depose : undefined, losesCopyOf };
}

function drawLostCopy(random: Random, { regions }: Topology): number | undefined {
  return random.chance(1, 4) ? pick(random, regions).number : undefined;
}

function drawFault(
  random: Random,
  topology: Topology,
  { kind, atMs }: { readonly kind: (typeof KINDS)[number]; readonly atMs: number },
): Fault {
  const region = pick(random, topology.regions);
  const node = pick(random, region.copies);
  const target: Target = random.chance(2, 3) ? { primaryOf: region.number } : { node };
  const forMs = pick(random, [
    random.integer(20, 300),
    random.integer(300, 2_000),
    random.integer(2_000, 5_000),
    random.integer(5_000, 8_000),
  ]);
  const when = { atMs, forMs };
  switch (kind) {
    case 'kill':
      return drawKill(random, { ...when, target });
    case 'crash-loop':
      return { ...when, kind, target, everyMs: random.integer(50, 600) };
    case 'cut': {
      const flaps = { flapsOneIn: 5, flapMs: [100, 3_000] } as const;
      return drawCut(random, { ...when, target }, { shapes: SHAPES, ...flaps });
    }
    case 'slow-links':
      return { ...when, kind, target, extraMs: pick(random, [20, 150, 700]) };
    case 'slow-disk':
      return drawSlowDisk(random, { ...when, target });
    case 'disk-error':
      return drawDiskError(random, { ...when, target });
    case 'wipe-copy':
      return { ...when, kind, region: region.number, node };
    case 'rot-copy': {
      const file = random.chance(2, 3) ? 'journal' : 'checkpoint';
      return { ...when, kind, region: region.number, node, file };
    }
    case 'move':
      return { ...when, kind, region: region.number, to: node };
    case 'clock': {
      const jumpMs = pick(random, [-HOUR_MS, -2_000, 90_000, HOUR_MS]);
      return { ...when, kind, target, jumpMs, driftPpm: random.integer(-DRIFT_PPM_MAX, DRIFT_PPM_MAX) };
    }
    case 'leave':
    case 'stall':
    case 'hung-disk':
    case 'full-disk':
      return { ...when, kind, target };
  }
}
