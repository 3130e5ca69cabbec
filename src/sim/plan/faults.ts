// Draws a plan from a seed: each seed switches a random part of all faults on, each at its own strength.
//
// `run.ts` calls it. Swarm testing: a run with everything on hides what two faults alone would show, so
// most seeds leave most faults out.
// Source: Groce et al., "Swarm Testing" (ISSTA 2012).
import { Random } from '../../base/random.ts';
import { RAFT_DEFAULTS, type RaftTuning } from '../../protocols/raft/state.ts';
import type { Topology } from '../../services/topology/topology.ts';
import { drawCut, drawDiskError, drawKill, drawSlowDisk } from './draws.ts';
import { pick } from './pick.ts';
import {
  type CutShape,
  DRIFT_PPM_MAX,
  type Drill,
  type Fault,
  type EdgeDrill,
  type NetworkPlan,
  type Plan,
  type Target,
} from './plan.ts';
import { drawMotion } from './motion-plan.ts';
import { drawRegions } from './region-faults.ts';

/** `region-faults.ts` has the others. */
type GroupKind = Exclude<Fault['kind'], 'wipe-copy' | 'rot-copy' | 'move'>;

const KINDS: readonly GroupKind[] = [
  'kill',
  'kill',
  'kill-all',
  'kill-majority',
  'crash-loop',
  'hunt',
  'hunt',
  'usurp',
  'leave',
  'stall',
  'kill-gateway',
  'cut',
  'cut',
  'slow-links',
  'slow-disk',
  'hung-disk',
  'disk-error',
  'full-disk',
  'clock',
  'transfer',
];
/** Where every node holds every group. */
const MOBILE_KINDS: readonly GroupKind[] = ['reconfigure', 'reconfigure', 'replace'];
const SHAPES: readonly CutShape[] = [
  'isolated',
  'deaf',
  'mute',
  'halves',
  'ring',
  'bridge',
  'pair',
  'one-way',
  'old-regime',
];
const HUNTS = ['power', 'old-regime', 'old-regime', 'isolated', 'deaf', 'mute', 'pair'] as const;
/** The last shows something the least often. */
const STRIKES = ['none', 'learning', 'joint', 'joint', ...Array<'unaware'>(4).fill('unaware')] as const;
/** Where clocks are far apart, silence besides. Lost links show something the most often. */
const EDGE_DRILLS: readonly EdgeDrill[] = [
  'lost-links',
  'late-answers',
  'late-answers',
  'handover',
  'handover',
];
/** Clocks that run so far apart show in silence alone what a lease owes to them. */
const FAR_APART_PER_MILLE = 500;
/** Before the drill that strains a lease to the full, clocks run apart by no more than twice this. */
const LEASE_PPM_MAX = 150_000;
const CHECKPOINT_BYTES = [512, 2_048, 8_192, 32_768, 1_000_000] as const;
/** Entries of a window; and by how much delays of a link may differ. */
const NARROW_ENTRIES = 2;
const UNEVEN_US = 4_000;
const LEASE_DRIFTS = [50, 100, FAR_APART_PER_MILLE, FAR_APART_PER_MILLE] as const;
/** Until then the world starts. */
const QUIET_MS = 700;
const HOUR_MS = 3_600_000;

export interface DrawOptions {
  readonly seed: number;
  readonly topology: Topology;
  /** How long faults come; drawn when it is not given. */
  readonly chaosMs?: number;
}

export function drawPlan({ seed, topology, chaosMs }: DrawOptions): Plan {
  const random = new Random(`plan ${seed}`);
  const spanMs = chaosMs ?? random.integer(3, 10) * 1_000;
  const isWide = random.chance(1, 6);
  const isMobile = random.chance(2, 5);
  const raft = drawRaft(random.split('raft'), isWide);
  // Leases are promised for clocks that run apart by no more than so much, each half of it.
  const { leaseDriftPerMille } = raft;
  const leasePpmMax = leaseDriftPerMille && Math.min(leaseDriftPerMille * 500, LEASE_PPM_MAX);
  const isGiven = chaosMs !== undefined;
  const regions = drawRegions(random.split('regions'), topology, { spanMs, isGiven });
  const faults = drawFaults(random.split('faults'), topology, {
    chaosMs: spanMs,
    isMobile,
    hasLeases: leasePpmMax !== undefined,
    driftPpmMax: leasePpmMax ?? DRIFT_PPM_MAX,
  });
  const plan: Plan = {
    seed,
    chaosMs: regions?.chaosMs ?? spanMs,
    clients: random.chance(1, 6) ? 20 : random.integer(3, 9),
    thinkMsMax: pick(random, [60, 200, 600]),
    network: drawNetwork(random, isWide),
    isDiskAsync: random.chance(1, 2),
    syncUsMax: pick(random, [0, 500, 3_000, 15_000]),
    skewMsMax: pick(random, [0, 50, 5_000]),
    driftPpmMax: pick(random, leasePpmMax === undefined ? [0, 200, 30_000] : [0, leasePpmMax]),
    timerLateUsMax: pick(random, [0, 1_000, 8_000]),
    segmentBytes: pick(random, [4, 16, 64]) * 1_024,
    limits: drawLimits(random, faults),
    raft,
    regions: regions?.limits,
    motion: regions && drawMotion(random.split('motion'), topology),
    homeCalmMs: regions === undefined ? undefined : drawHomeCalm(random.split('home')),
    isMobile,
    readsHere: pick(random, leasePpmMax === undefined ? [0, 0, 20, 60] : [0, 60]),
    // A lease is put to the test by who asks its holder.
    readsAnywhere: leasePpmMax === undefined && random.split('reads').chance(1, 5),
    faults: inOrder([...faults, ...(regions?.faults ?? [])]),
    drill: {
      ...drawDrill(random.split('drill'), topology, isMobile),
      edge: drawEdge(random.split('edge'), leaseDriftPerMille),
      depose: regions?.depose,
      losesCopyOf: regions?.losesCopyOf,
      comesBack: random.split('comeback').chance(1, 4),
      rotsMemory: random.split('rot').chance(1, 4),
    },
  };
  return { ...plan, thinkMsMax: Math.max(plan.thinkMsMax, leastThinkMs(plan)) };
}

/**
 * Through so narrow a window, over links so uneven, a member gets less than hasty players decide: one that
 * trails would never be level with its leader, nor a learner be promoted.
 */
function leastThinkMs({ raft, network }: Plan): number {
  const { appendEntriesMax, inFlightAppendsMax } = { ...RAFT_DEFAULTS, ...raft };
  const isNarrow = appendEntriesMax * inFlightAppendsMax <= NARROW_ENTRIES;
  return isNarrow && network.jitterUsMax >= UNEVEN_US ? 600 : 0;
}

/** A checkpoint that is to rot must be there, so that then they are taken as often as ever. */
function drawLimits(random: Random, faults: readonly Fault[]): Plan['limits'] {
  const rots = faults.some((fault) => fault.kind === 'rot' && fault.file === 'checkpoint');
  const checkpointBytesMin = pick(random, CHECKPOINT_BYTES);
  return {
    checkpointBytesMin: rots ? Math.min(...CHECKPOINT_BYTES) : checkpointBytesMin,
    trailingEntries: pick(random, [0, 5, 50, 5_000]),
  };
}

function drawHomeCalm(random: Random): number | undefined {
  return random.chance(1, 3) ? pick(random, [1_000, 3_000, 6_000]) : undefined;
}

/**
 * Lengths small enough that snapshots take several chunks, appends several messages, windows fill up. Across
 * oceans a window of one append would be less than players ask for.
 */
function drawRaft(random: Random, isWide: boolean): Partial<RaftTuning> {
  return {
    ...(random.chance(1, 3) ? { appendEntriesMax: pick(random, [1, 2, 5]) } : {}),
    ...(random.chance(1, 3) && !isWide ? { inFlightAppendsMax: pick(random, [1, 2, 4]) } : {}),
    ...(random.chance(1, 2) ? { snapshotChunkBytes: pick(random, [64, 300, 1_500]) } : {}),
    ...(random.chance(1, 5) ? { leaseDriftPerMille: pick(random, LEASE_DRIFTS) } : {}),
  };
}

function drawNetwork(random: Random, isWide: boolean): NetworkPlan {
  const isLossy = random.chance(1, 3);
  return {
    latencyUs: pick(random, [50, 300, 1_500]),
    jitterUsMax: pick(random, [20, 500, 4_000, 12_000]),
    isWide,
    lost: isLossy ? pick(random, [5, 30, 100]) : 0,
    doubled: isLossy ? pick(random, [0, 20, 100]) : 0,
    isDatagram: random.chance(1, 3),
  };
}

interface Extent {
  readonly chaosMs: number;
  readonly isMobile: boolean;
  readonly hasLeases: boolean;
  readonly driftPpmMax: number;
}

function drawFaults(random: Random, topology: Topology, extent: Extent): readonly Fault[] {
  const { chaosMs, isMobile, hasLeases, driftPpmMax } = extent;
  const kinds = KINDS.filter(() => random.chance(1, 3));
  // What a lease must stand: its holder with callers on its side, and clocks that run apart.
  if (hasLeases) kinds.push('hunt', 'hunt', 'clock');
  if (isMobile) kinds.push(...MOBILE_KINDS.filter(() => random.chance(2, 3)));
  if (kinds.length === 0) kinds.push(pick(random, KINDS));
  const count = Math.ceil((chaosMs / 1_000) * random.integer(3, 20) * 0.1);
  const faults: Fault[] = [];
  for (let i = 0; i < count; i++) {
    const atMs = random.integer(QUIET_MS, chaosMs - 500);
    faults.push(drawFault(random, topology, { kind: pick(random, kinds), atMs, driftPpmMax }));
  }
  const isLost = faults.some(({ kind }) => kind === 'replace');
  if (!isLost && random.chance(1, 3)) faults.push(drawDamage(random, topology, chaosMs));
  return faults;
}

function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return [...faults].sort((a, b) => a.atMs - b.atMs);
}

/** At most one disk of a run forgets what it had: a group survives that, and not more. */
function drawDamage(random: Random, topology: Topology, chaosMs: number): Fault {
  const { node } = { node: pick(random, globals(topology)) };
  const atMs = random.integer(chaosMs >> 1, chaosMs - 500);
  const forMs = random.integer(100, 1_000);
  if (random.chance(1, 4)) return { kind: 'misdirected', node, atMs, forMs };
  const file = random.chance(1, 2) ? 'journal' : 'checkpoint';
  return { kind: 'rot', node, file, atMs, forMs };
}

function drawFault(
  random: Random,
  topology: Topology,
  o: { readonly kind: GroupKind; readonly atMs: number; readonly driftPpmMax: number },
): Fault {
  const { kind, atMs, driftPpmMax } = o;
  const target = drawTarget(random, topology);
  const when = { atMs, forMs: drawSpan(random) };
  switch (kind) {
    case 'kill':
      return drawKill(random, { ...when, target });
    case 'kill-all':
      return { ...when, kind, power: random.chance(2, 3) };
    case 'kill-majority':
    case 'hunt':
    case 'usurp':
    case 'reconfigure':
    case 'transfer':
      return drawOnGroup(random, pick(random, topology.groups).number, {
        kind,
        ...when,
        to: pick(random, globals(topology)),
      });
    case 'crash-loop':
      return { ...when, kind, target, everyMs: random.integer(20, 300) };
    case 'cut': {
      const flaps = { flapsOneIn: 4, flapMs: [20, 400] } as const;
      return drawCut(random, { ...when, target }, { shapes: SHAPES, ...flaps });
    }
    case 'slow-links':
      return { ...when, kind, target, extraMs: pick(random, [5, 40, 150]) };
    case 'slow-disk':
      return drawSlowDisk(random, { ...when, target });
    case 'disk-error':
      return drawDiskError(random, { ...when, target });
    case 'clock': {
      const jumpMs = pick(random, [-HOUR_MS, -2_000, 90_000, HOUR_MS, 30 * HOUR_MS]);
      return { ...when, kind, target, jumpMs, driftPpm: random.integer(-driftPpmMax, driftPpmMax) };
    }
    case 'replace':
      return { ...when, kind, node: pick(random, globals(topology)) };
    case 'kill-gateway':
      return { ...when, kind, node: pick(random, regions(topology)) };
    case 'rot':
    case 'misdirected':
      return drawDamage(random, topology, atMs * 2);
    case 'leave':
    case 'stall':
    case 'hung-disk':
    case 'full-disk':
      return { ...when, kind, target };
  }
}

/** What strikes one group, whoever its members are. */
function drawOnGroup(
  random: Random,
  group: number,
  o: {
    readonly kind: 'kill-majority' | 'hunt' | 'usurp' | 'reconfigure' | 'transfer';
    readonly atMs: number;
    readonly forMs: number;
    readonly to: number;
  },
): Fault {
  const { kind, to, ...when } = o;
  switch (kind) {
    case 'kill-majority': {
      const forMs = random.chance(1, 2) ? random.integer(300, 1_500) : random.integer(3_300, 5_500);
      return { ...when, forMs, kind, group, power: random.chance(1, 4) };
    }
    case 'hunt': {
      const by = pick(random, HUNTS);
      const everyMs = random.integer(150, 900);
      const forMs = random.integer(1_000, 4_000);
      return { ...when, forMs, kind, group, everyMs, by, breaks: random.chance(2, 3) };
    }
    case 'usurp':
      return { ...when, kind, group, power: random.chance(1, 2) };
    case 'reconfigure':
      return { ...when, kind, group, voters: random.integer(3, 5) };
    case 'transfer':
      return { ...when, kind, group, to };
  }
}

function drawSpan(random: Random): number {
  const spans = [random.integer(20, 200), random.integer(200, 1_000), random.integer(1_000, 3_000)];
  return pick(random, spans);
}

function drawTarget(random: Random, topology: Topology): Target {
  if (random.chance(1, 2)) return { node: pick(random, globals(topology)) };
  return { leaderOf: pick(random, topology.groups).number };
}

function drawDrill(
  random: Random,
  topology: Topology,
  isMobile: boolean,
): Omit<Drill, 'edge' | 'depose' | 'losesCopyOf' | 'comesBack' | 'rotsMemory'> {
  const group = pick(random, topology.groups).number;
  const strike = pick(random, STRIKES);
  const exchange = { group, strike, leaderGoes: random.chance(1, 3) };
  const to = pick(random, ['voter', 'dead', 'stranger'] as const);
  return {
    rejoin: pick(random, ['isolated', 'deaf', 'mute']),
    rejoinMs: random.integer(400, 2_000),
    deafLeaderOf: random.chance(1, 2) ? pick(random, topology.groups).number : undefined,
    transfer: random.chance(1, 2) ? { group: pick(random, topology.groups).number, to } : undefined,
    exchange: isMobile && random.chance(2, 3) ? exchange : undefined,
  };
}

function drawEdge(random: Random, leaseDriftPerMille: number | undefined): EdgeDrill | undefined {
  if (leaseDriftPerMille === undefined) return random.chance(1, 3) ? 'with-follower' : undefined;
  const areFarApart = leaseDriftPerMille >= FAR_APART_PER_MILLE;
  return areFarApart && random.chance(1, 2) ? 'silence' : pick(random, EDGE_DRILLS);
}

function globals({ nodes }: Topology): readonly number[] {
  return nodes.filter(({ kind }) => kind === 'global').map(({ id }) => id);
}

function regions({ nodes }: Topology): readonly number[] {
  return nodes.filter(({ kind }) => kind === 'region').map(({ id }) => id);
}
