// The schedule of a drill: which fault comes when, for how long and to whom, drawn from a seed.
//
// `run.ts` draws one before anything starts and prints it; `nemesis.ts` executes it. Pure: the same seed,
// span and nemeses give the same schedule, on any machine. Targets are named as an operator names them, so
// that `leader:economy` means whoever leads when the fault comes.
import { Random } from '../base/random.ts';
import { HEALTHY } from '../host/network.ts';
import { describeFault } from '../host/operator.ts';
import type { LinkFault } from '../wire/link-faults.ts';

export const NEMESES = [
  'kill',
  'kill-all',
  'stop',
  'restart',
  'crash-loop',
  'halves',
  'isolate',
  'bridge',
  'ring',
  'one-way',
  'reset',
  'slow-links',
  'lossy-links',
  'slow-disk',
  'failed-sync',
  'torn-write',
  'clock',
] as const;
export type NemesisName = (typeof NEMESES)[number];

/** What is done, and undone when its time is over. */
export type Deed =
  | { readonly kind: 'process'; readonly action: ProcessAction; readonly nodes: readonly string[] }
  /** Partitions as `host/partition` reads them. */
  | { readonly kind: 'links'; readonly cuts: readonly string[]; readonly fault: LinkFault }
  | {
      readonly kind: 'disk';
      readonly what: 'slow' | 'eio-fsync' | 'torn';
      /** Of a slow disk: how much longer a sync takes. */
      readonly slowMs: number;
      readonly nodes: readonly string[];
    }
  | { readonly kind: 'clock'; readonly offsetMs: number; readonly nodes: readonly string[] };
export type ProcessAction = 'kill' | 'stop' | 'restart' | 'crash-loop';

export interface Strike {
  /** Since the beginning of the drill. */
  readonly atMs: number;
  readonly forMs: number;
  readonly nemesis: NemesisName;
  readonly deed: Deed;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly nemeses: readonly NemesisName[];
  /** The names of the nodes that hold groups, of the gateways, and of the groups. */
  readonly globals: readonly string[];
  readonly regions: readonly string[];
  readonly groups: readonly string[];
}

const FIRST_MS = 1_000;
const SPAN_MS: readonly [number, number] = [500, 4_000];
/** So that elections and repeats can end before the next fault, now and then. */
const QUIET_MS: readonly [number, number] = [300, 1_500];
/** A fault that begins so long after another that still lasts. */
const OVERLAP_MS: readonly [number, number] = [100, 1_000];

/** In the order of their beginnings; none ends after the span. */
export function drawSchedule(options: ScheduleOptions): readonly Strike[] {
  const random = new Random(options.seed).split('schedule');
  const strikes: Strike[] = [];
  let atMs = FIRST_MS;
  for (let place = 0; ; place++) {
    const draw = random.split(String(place));
    const forMs = Math.min(draw.integer(...SPAN_MS), options.forMs - atMs);
    const nemesis = draw.pick(options.nemeses);
    if (forMs < SPAN_MS[0] || nemesis === undefined) return strikes;
    strikes.push({ atMs, forMs, nemesis, deed: deedOf(nemesis, draw, options) });
    const overlaps = draw.chance(1, 3);
    atMs += overlaps ? draw.integer(...OVERLAP_MS) : forMs + draw.integer(...QUIET_MS);
  }
}

/** One line for people: when, for how long, what, to whom. */
export function describeStrike({ atMs, forMs, nemesis, deed }: Strike): string {
  const at = `${(atMs / 1000).toFixed(1).padStart(6)} s  ${(forMs / 1000).toFixed(1).padStart(4)} s`;
  return `${at}  ${nemesis.padEnd(12)} ${describeDeed(deed)}`;
}

export function describeDeed(deed: Deed): string {
  switch (deed.kind) {
    case 'process':
      return deed.nodes.join(' ');
    case 'links':
      return `${deed.cuts.join(' and ')}: ${describeFault(deed.fault)}`;
    case 'disk': {
      const what = { slow: `${deed.slowMs} ms a sync`, 'eio-fsync': 'EIO', torn: 'half a write, killed' };
      return `${deed.nodes.join(' ')}: ${what[deed.what]}`;
    }
    case 'clock':
      return `${deed.nodes.join(' ')}: ${deed.offsetMs > 0 ? '+' : ''}${deed.offsetMs / 1000} s`;
  }
}

function deedOf(nemesis: NemesisName, random: Random, o: ScheduleOptions): Deed {
  const victim = [victimOf(random, o)];
  const process = (action: ProcessAction, nodes: readonly string[]): Deed => ({
    kind: 'process',
    action,
    nodes,
  });
  const disk = { kind: 'disk', slowMs: 0, nodes: victim } as const;
  switch (nemesis) {
    case 'kill':
    case 'stop':
    case 'restart':
    case 'crash-loop':
      return process(nemesis, victim);
    case 'kill-all':
      return process('kill', o.globals);
    case 'slow-disk':
      return { ...disk, what: 'slow', slowMs: random.integer(20, 400) };
    case 'failed-sync':
      return { ...disk, what: 'eio-fsync' };
    case 'torn-write':
      return { ...disk, what: 'torn' };
    case 'clock':
      return { kind: 'clock', offsetMs: clockOffsetMs(random), nodes: victim };
    case 'slow-links': {
      const delayMs = random.integer(20, 300);
      const jitterMs = random.integer(0, delayMs);
      const fault = { ...HEALTHY, delayMs, jitterMs };
      return { kind: 'links', cuts: [`${victimOf(random, o)} / rest`], fault };
    }
    case 'lossy-links': {
      const fault = { ...HEALTHY, lossPerMille: random.integer(10, 300) };
      return { kind: 'links', cuts: [`${victimOf(random, o)} / rest`], fault };
    }
    default:
      return { kind: 'links', ...cutOf(nemesis, random, o) };
  }
}

function cutOf(
  nemesis: 'halves' | 'isolate' | 'bridge' | 'ring' | 'one-way' | 'reset',
  random: Random,
  o: ScheduleOptions,
): { readonly cuts: readonly string[]; readonly fault: LinkFault } {
  const fault: LinkFault = { ...HEALTHY, cut: 'silent' };
  const nodes = shuffled(o.globals, random);
  const half = Math.floor(nodes.length / 2);
  // Gateways on the lesser side: their players must never be told what a minority believes.
  const gateways = o.regions.filter(() => random.chance(1, 2));
  switch (nemesis) {
    case 'halves':
      return { cuts: [`${[...nodes.slice(0, half), ...gateways].join(',')} / rest`], fault };
    case 'reset': {
      const side = [...nodes.slice(0, half), ...gateways].join(',');
      return { cuts: [`${side} / rest`], fault: { ...HEALTHY, cut: 'reset' } };
    }
    case 'isolate':
      return { cuts: [`${[victimOf(random, o), ...gateways].join(',')} / rest`], fault };
    case 'one-way': {
      const victim = victimOf(random, o);
      return { cuts: [random.chance(1, 2) ? `${victim} > rest` : `rest > ${victim}`], fault };
    }
    case 'bridge': {
      const [left, right] = [nodes.slice(0, half), nodes.slice(half, 2 * half)];
      return { cuts: [`${left.join(',')} / ${right.join(',')}`], fault };
    }
    case 'ring':
      return { cuts: strangersInRing(nodes).map((pair) => pair.join(' / ')), fault };
  }
}

/** Pairs that are no neighbours when all stand in a ring. */
function strangersInRing(nodes: readonly string[]): readonly (readonly [string, string])[] {
  return nodes.flatMap((node, place) =>
    nodes.slice(place + 2).flatMap((other, further): (readonly [string, string])[] => {
      const closesRing = place === 0 && place + 2 + further === nodes.length - 1;
      return closesRing ? [] : [[node, other]];
    }),
  );
}

/** Leaders are where it hurts; any node may be one that leads, follows or does both. */
function victimOf(random: Random, { globals, groups }: ScheduleOptions): string {
  const leader = `leader:${random.pick(groups) ?? ''}`;
  return random.chance(1, 2) && groups.length > 0 ? leader : (random.pick(globals) ?? leader);
}

function clockOffsetMs(random: Random): number {
  const sizeMs = random.pick([500, 10_000, 600_000, 3_600_000]) ?? 0;
  return random.chance(1, 2) ? sizeMs : -sizeMs;
}

function shuffled(nodes: readonly string[], random: Random): readonly string[] {
  const rest = [...nodes];
  const order: string[] = [];
  while (rest.length > 0) order.push(...rest.splice(random.integer(0, rest.length - 1), 1));
  return order;
}
