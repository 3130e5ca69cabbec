// The schedule of a drill: which fault comes when, for how long and to whom, drawn from a seed.
//
// `run.ts` draws one before anything starts and prints it; `nemesis.ts` executes it. Pure: the same seed,
// span and nemeses give the same schedule, on any machine. Targets are named as an operator names them, so
// that `leader:economy` means whoever leads when the fault comes.
import { Random } from '../base/random.ts';
import { HEALTHY } from '../host/network.ts';
import { describeFault } from '../host/operator.ts';
import type { LinkFault } from '../wire/link-faults.ts';

/** What befalls the primary or the copies of a region. */
export const REGION_NEMESES = [
  'kill-primary',
  'stop-primary',
  'crash-primary',
  'kill-copies',
  'from-witnesses',
  'from-copies',
  'from-gateways',
  'region-halves',
  'lose-tail',
] as const;
/** What befalls any node, or the links between any. */
const WORLD_NEMESES = [
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
  'failed-write',
  'full-disk',
  'torn-write',
  'clock',
  'hand-over',
  'fewer-voters',
  'replace',
] as const;
export type NemesisName = (typeof WORLD_NEMESES | typeof REGION_NEMESES)[number];
export const NEMESES: readonly NemesisName[] = [...WORLD_NEMESES, ...REGION_NEMESES];

/** What is done, and undone when its time is over. */
export type Deed =
  | { readonly kind: 'process'; readonly action: ProcessAction; readonly nodes: readonly string[] }
  /** Partitions as `host/partition` reads them. */
  | { readonly kind: 'links'; readonly cuts: readonly string[]; readonly fault: LinkFault }
  | {
      readonly kind: 'disk';
      readonly what: 'slow' | 'eio-fsync' | 'eio-write' | 'enospc' | 'torn';
      /** Of a slow disk: how much longer a sync takes. */
      readonly slowMs: number;
      readonly nodes: readonly string[];
    }
  | { readonly kind: 'clock'; readonly offsetMs: number; readonly nodes: readonly string[] }
  /** Who shall vote in a group, lead it, or be primary of a region: by a group's or region's name. */
  | {
      readonly kind: 'change';
      readonly operation: 'reconfigure' | 'transfer' | 'promote';
      readonly of: string;
      readonly nodes: readonly string[];
    }
  /** Killed, and replaced for good. */
  | { readonly kind: 'replacement'; readonly nodes: readonly string[] };
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
  /** The names of the nodes that hold groups, of the gateways, which hold the regions, and of the groups. */
  readonly globals: readonly string[];
  readonly gateways: readonly string[];
  readonly regions: readonly DrilledRegion[];
  readonly groups: readonly DrilledGroup[];
}

export interface DrilledGroup {
  readonly name: string;
  /** The nodes that hold it. */
  readonly members: readonly string[];
}

export interface DrilledRegion {
  readonly name: string;
  /** The nodes that hold its copies. */
  readonly copies: readonly string[];
}

/** How long a primary that will die goes on alone. */
const ALONE_MS: readonly [number, number] = [300, 2_500];
const NO_REGION: DrilledRegion = { name: '', copies: [] };
/** Fewer could lose their majority to a single fault. */
const VOTERS_MIN = 3;
const FIRST_MS = 1_000;
const SPAN_MS: readonly [number, number] = [500, 4_000];
/** A primary that fell silent is replaced after some five seconds: shorter faults, and longer ones. */
const REGION_SPAN_MS: readonly [number, number] = [1_000, 9_000];
/** A node can be replaced only where its groups and regions are led: for so long that is asked again. */
const REPLACE_SPAN_MS: readonly [number, number] = [3_000, 20_000];
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
    const nemesis = draw.pick(options.nemeses);
    if (nemesis === undefined) break;
    const span = spanMsOf(nemesis);
    const forMs = Math.min(draw.integer(...span), options.forMs - atMs);
    if (forMs < span[0]) break;
    if (nemesis === 'lose-tail') strikes.push(...losingTail({ atMs, forMs }, draw, options));
    else strikes.push({ atMs, forMs, nemesis, deed: deedOf(nemesis, draw, options) });
    const overlaps = draw.chance(1, 3);
    atMs += overlaps ? draw.integer(...OVERLAP_MS) : forMs + draw.integer(...QUIET_MS);
  }
  return strikes.toSorted((a, b) => a.atMs - b.atMs);
}

/** A primary whom its replicas do not hear is killed: what it alone holds is lost, and to be owned up to. */
function losingTail(
  { atMs, forMs }: Pick<Strike, 'atMs' | 'forMs'>,
  random: Random,
  o: ScheduleOptions,
): readonly Strike[] {
  const { name } = random.pick(o.regions) ?? NO_REGION;
  const nemesis = 'lose-tail';
  const fault: LinkFault = { ...HEALTHY, cut: 'silent' };
  const cuts = [`primary:${name} / replicas:${name}`];
  const aloneMs = Math.floor(Math.min(forMs / 2, random.integer(...ALONE_MS)));
  return [
    { atMs, forMs, nemesis, deed: { kind: 'links', cuts, fault } },
    {
      atMs: atMs + aloneMs,
      forMs: forMs - aloneMs,
      nemesis,
      deed: { kind: 'process', action: 'kill', nodes: [`primary:${name}`] },
    },
  ];
}

function spanMsOf(nemesis: NemesisName): readonly [number, number] {
  if (nemesis === 'replace') return REPLACE_SPAN_MS;
  return REGION_NEMESES.some((each) => each === nemesis) ? REGION_SPAN_MS : SPAN_MS;
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
    case 'replacement':
      return `${deed.nodes.join(' ')}: killed, and replaced for good`;
    case 'links':
      return `${deed.cuts.join(' and ')}: ${describeFault(deed.fault)}`;
    case 'disk': {
      const what = {
        slow: `${deed.slowMs} ms a sync`,
        'eio-fsync': 'EIO of a sync',
        'eio-write': 'EIO of a write',
        enospc: 'no room for a write',
        torn: 'half a write, killed',
      };
      return `${deed.nodes.join(' ')}: ${what[deed.what]}`;
    }
    case 'change': {
      const what = { reconfigure: 'only these vote', transfer: 'leads', promote: 'is made primary' };
      return `${deed.of}: ${deed.nodes.join(' ')} ${what[deed.operation]}`;
    }
    case 'clock':
      return `${deed.nodes.join(' ')}: ${deed.offsetMs > 0 ? '+' : ''}${deed.offsetMs / 1000} s`;
  }
}

function deedOf(nemesis: Exclude<NemesisName, 'lose-tail'>, random: Random, o: ScheduleOptions): Deed {
  const victim = [victimOf(random, o)];
  const disk = { kind: 'disk', slowMs: 0, nodes: victim } as const;
  switch (nemesis) {
    case 'kill':
    case 'stop':
    case 'restart':
    case 'crash-loop':
      return { kind: 'process', action: nemesis, nodes: victim };
    case 'kill-all':
      return { kind: 'process', action: 'kill', nodes: o.globals };
    case 'kill-primary':
    case 'stop-primary':
    case 'crash-primary':
    case 'kill-copies':
      return processOfRegion(nemesis, random, o);
    case 'slow-disk':
      return { ...disk, what: 'slow', slowMs: random.integer(20, 400) };
    case 'failed-sync':
      return { ...disk, what: 'eio-fsync' };
    case 'failed-write':
      return { ...disk, what: 'eio-write' };
    case 'full-disk':
      return { ...disk, what: 'enospc' };
    case 'torn-write':
      return { ...disk, what: 'torn' };
    case 'clock':
      return { kind: 'clock', offsetMs: clockOffsetMs(random), nodes: victim };
    case 'hand-over':
      return handOver(random, o);
    case 'replace':
      return { kind: 'replacement', nodes: victim };
    case 'fewer-voters': {
      const large = o.groups.filter(({ members }) => members.length > VOTERS_MIN);
      const { name = '', members = [] } = random.pick(large) ?? {};
      const nodes = shuffled(members, random).slice(0, VOTERS_MIN);
      return { kind: 'change', operation: 'reconfigure', of: name, nodes };
    }
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
    case 'from-witnesses':
    case 'from-copies':
    case 'from-gateways':
    case 'region-halves':
      return { kind: 'links', ...cutOfRegion(nemesis, random, o) };
    default:
      return { kind: 'links', ...cutOf(nemesis, random, o) };
  }
}

/** As an operator does it, to whoever may be ready for it or not. */
function handOver(random: Random, { groups, regions }: ScheduleOptions): Deed {
  const region = random.pick(regions);
  if (region !== undefined && random.chance(1, 2)) {
    const nodes = shuffled(region.copies, random).slice(0, 1);
    return { kind: 'change', operation: 'promote', of: region.name, nodes };
  }
  const { name = '', members = [] } = random.pick(groups) ?? {};
  const nodes = shuffled(members, random).slice(0, 1);
  return { kind: 'change', operation: 'transfer', of: name, nodes };
}

function processOfRegion(
  nemesis: 'kill-primary' | 'stop-primary' | 'crash-primary' | 'kill-copies',
  random: Random,
  o: ScheduleOptions,
): Deed {
  const { name, copies } = random.pick(o.regions) ?? NO_REGION;
  const primary = [`primary:${name}`];
  switch (nemesis) {
    case 'kill-primary':
      return { kind: 'process', action: 'kill', nodes: primary };
    case 'stop-primary':
      return { kind: 'process', action: 'stop', nodes: primary };
    case 'crash-primary':
      return { kind: 'process', action: 'crash-loop', nodes: primary };
    case 'kill-copies':
      // All but one, whoever is primary: nobody may be appointed then.
      return { kind: 'process', action: 'kill', nodes: shuffled(copies, random).slice(1) };
  }
}

interface Cuts {
  readonly cuts: readonly string[];
  readonly fault: LinkFault;
}

function cutOfRegion(
  nemesis: 'from-witnesses' | 'from-copies' | 'from-gateways' | 'region-halves',
  random: Random,
  o: ScheduleOptions,
): Cuts {
  const fault: LinkFault = { ...HEALTHY, cut: random.chance(1, 4) ? 'reset' : 'silent' };
  const { name, copies } = random.pick(o.regions) ?? NO_REGION;
  const primary = `primary:${name}`;
  const apart = (others: string): Cuts => {
    const way = random.pick([' / ', ' / ', ' > ', ' < ']);
    // A broken connection is broken for both.
    if (way === ' > ') return { cuts: [`${primary} > ${others}`], fault: { ...fault, cut: 'silent' } };
    if (way === ' < ') return { cuts: [`${others} > ${primary}`], fault: { ...fault, cut: 'silent' } };
    return { cuts: [`${primary} / ${others}`], fault };
  };
  const strangers = o.gateways.filter((gateway) => !copies.includes(gateway));
  switch (nemesis) {
    case 'from-witnesses':
      return apart(o.globals.join(','));
    case 'from-copies':
      return apart(`replicas:${name}`);
    case 'from-gateways':
      return apart([`replicas:${name}`, ...strangers].join(','));
    case 'region-halves': {
      const nodes = shuffled(o.gateways, random);
      const half = Math.ceil(nodes.length / 2);
      return { cuts: [`${nodes.slice(0, half).join(',')} / ${nodes.slice(half).join(',')}`], fault };
    }
  }
}

function cutOf(
  nemesis: 'halves' | 'isolate' | 'bridge' | 'ring' | 'one-way' | 'reset',
  random: Random,
  o: ScheduleOptions,
): Cuts {
  const fault: LinkFault = { ...HEALTHY, cut: 'silent' };
  const nodes = shuffled(o.globals, random);
  const half = Math.floor(nodes.length / 2);
  // Gateways on the lesser side: their players must never be told what a minority believes.
  const gateways = o.gateways.filter(() => random.chance(1, 2));
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

/** Leaders and primaries are where it hurts; any node may be one that leads, follows or does both. */
function victimOf(random: Random, { globals, groups, regions }: ScheduleOptions): string {
  const region = random.pick(regions);
  if (region !== undefined && random.chance(1, 3)) {
    return random.chance(1, 2) ? `primary:${region.name}` : `replica:${region.name}`;
  }
  const leader = `leader:${random.pick(groups)?.name ?? ''}`;
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
