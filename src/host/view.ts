// The running world in one look: what the live screen, the plain lines and `bluemarble status` show.
//
// `watch.ts` makes one every second out of what the nodes tell and what the supervisor knows. Pure:
// rates come from two samples, and a counter that went back belongs to a process that began anew.
import { InvalidInputError } from '../base/errors.ts';
import type { CrowdStats } from '../crowd/messages.ts';
import type { NodePlan, Topology } from '../services/topology.ts';
import { audit } from '../wire/calls.ts';
import type {
  GroupAudit,
  GroupStatus,
  NodeAudit,
  NodeStatus,
  OutcomeCounts,
  SpaceStatus,
} from '../wire/status.ts';
import { type PlacedView, placedView, type Standing, standingOf } from './placement-view.ts';

/** The operator's query of the stock world that counts all gold and items. */
const HOLDINGS_AUDIT = 'holdings.audit';

/**
 * `silent`: the process is there and does not answer. `restarting`: it ended by itself and is started
 * again in a moment. `down`: an operator killed it. `failed`: it said why it can not run.
 */
export type NodeCondition =
  'starting' | 'up' | 'paused' | 'silent' | 'restarting' | 'down' | 'failed';

/** What the supervisor knows of a node's process. */
export interface NodeFacts {
  readonly name: string;
  readonly condition: NodeCondition;
  readonly pid: number | undefined;
  /** How often it ended by itself. */
  readonly selfExits: number;
}

export interface NodeView extends NodeFacts {
  readonly kind: NodePlan['kind'];
  readonly residentBytes: number | undefined;
  readonly loopLateMsMax: number | undefined;
  /** Of region nodes, by the witnesses. */
  readonly standing: Standing | undefined;
  readonly seesMajority: boolean;
}

export interface MemberView {
  readonly name: string;
  /** Entries behind the leader; `undefined` when nobody leads or the leader has lost the member. */
  readonly lag: number | undefined;
}

export interface GroupView {
  readonly group: string;
  readonly leader: string | undefined;
  readonly term: number;
  readonly commit: number;
  readonly waiting: number;
  readonly members: readonly MemberView[];
}

export interface RegionView extends PlacedView {
  readonly region: string;
  readonly isAnswering: boolean;
  readonly players: number;
  readonly ticksPerSecond: number;
  readonly tickMsMax: number;
  readonly bytesOutPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly framesSkipped: number;
}

export interface WorldView {
  readonly world: string;
  readonly upMs: number;
  readonly nodes: readonly NodeView[];
  readonly groups: readonly GroupView[];
  readonly regions: readonly RegionView[];
  /** At all gateways together, each second. */
  readonly outcomesPerSecond: OutcomeCounts;
  readonly leaderChanges: number;
  /** Faults that an operator laid on the links, by name. */
  readonly linkFaults: readonly string[];
  readonly crowd: CrowdStats | undefined;
  /** `undefined` while no copy could be counted. */
  readonly holdings: HoldingsTotals | undefined;
}

/** What must be there, and what is. */
export interface Totals {
  readonly expected: number;
  readonly counted: number;
}

/** Gold and items of the whole world, by the books of one copy of the economy. */
export interface HoldingsTotals {
  readonly gold: Totals;
  readonly items: Totals;
}

/** What the nodes answered at one moment, by name; those that did not are missing. */
export interface Sample {
  readonly atMs: number;
  readonly statuses: ReadonlyMap<string, NodeStatus>;
  readonly audits: ReadonlyMap<string, NodeAudit>;
}

/** What stands in a view besides what the nodes say. */
export interface Surroundings {
  readonly upMs: number;
  readonly nodes: readonly NodeFacts[];
  readonly leaderChanges: number;
  readonly linkFaults: readonly string[];
  readonly crowd: CrowdStats | undefined;
}

export function viewOf(
  topology: Topology,
  now: Sample,
  before: Sample | undefined,
  around: Surroundings,
): WorldView {
  return {
    world: topology.world,
    upMs: around.upMs,
    nodes: around.nodes.map((facts) => nodeView(topology, facts, now)),
    groups: topology.groups.map((plan) => groupView(topology, plan.name, plan.members, now)),
    regions: topology.regions.map((plan) => {
      const [first] = plan.copies;
      const home = first === undefined ? '' : nameOf(topology, first);
      const placed = placedView(topology, plan, now.statuses);
      return { ...regionView(plan.name, home, now, before), ...placed };
    }),
    outcomesPerSecond: outcomeRates(now, before),
    leaderChanges: around.leaderChanges,
    linkFaults: around.linkFaults,
    crowd: around.crowd,
    holdings: holdingsTotals(now),
  };
}

/** The status of whoever leads the group by its own account, in the highest term that is claimed. */
export function leaderStatus(
  sample: Sample,
  group: string,
): { readonly node: string; readonly status: GroupStatus } | undefined {
  let best: { readonly node: string; readonly status: GroupStatus } | undefined;
  for (const [node, { groups }] of sample.statuses) {
    const status = groups.find((each) => each.group === group);
    if (status?.role !== 'leader') continue;
    if (best === undefined || status.term > best.status.term) best = { node, status };
  }
  return best;
}

/** What the copy of the economy that is farthest has in its books. */
export function holdingsTotals(sample: Sample): HoldingsTotals | undefined {
  let best: GroupAudit | undefined;
  for (const { groups } of sample.audits.values()) {
    for (const copy of groups) {
      if (!Object.hasOwn(copy.facts, HOLDINGS_AUDIT)) continue;
      if (best === undefined || copy.applied > best.applied) best = copy;
    }
  }
  return best === undefined ? undefined : totalsOf(best.facts[HOLDINGS_AUDIT]);
}

export function nameOf(topology: Topology, id: number): string {
  return topology.nodes.find((node) => node.id === id)?.name ?? `node ${id}`;
}

function totalsOf(fact: unknown): HoldingsTotals | undefined {
  try {
    const books = audit.value.parse(fact, HOLDINGS_AUDIT);
    return {
      gold: { expected: books.goldMinted, counted: books.goldHeld + books.goldLocked },
      items: {
        expected: books.itemsMinted - books.itemsConsumed,
        counted: books.itemsHeld + books.itemsLocked,
      },
    };
  } catch (cause) {
    // A node of another version keeps other books.
    if (cause instanceof InvalidInputError) return undefined;
    throw cause;
  }
}

function nodeView(topology: Topology, facts: NodeFacts, now: Sample): NodeView {
  const status = now.statuses.get(facts.name);
  const isSilent = facts.condition === 'up' && status === undefined;
  return {
    ...facts,
    condition: isSilent ? 'silent' : facts.condition,
    kind: topology.nodes.find((plan) => plan.name === facts.name)?.kind ?? 'global',
    residentBytes: status?.residentBytes,
    loopLateMsMax: status?.loopLateMsMax,
    standing: standingOf(topology, facts.name, now.statuses),
    seesMajority: status?.seesMajority ?? true,
  };
}

function groupView(
  topology: Topology,
  group: string,
  members: readonly number[],
  now: Sample,
): GroupView {
  const leader = leaderStatus(now, group);
  const statuses = [...now.statuses.values()].flatMap((status) =>
    status.groups.filter((each) => each.group === group),
  );
  const highest = (pick: (status: GroupStatus) => number): number =>
    statuses.reduce((most, status) => Math.max(most, pick(status)), 0);
  return {
    group,
    leader: leader?.node,
    term: leader?.status.term ?? highest((status) => status.term),
    commit: leader?.status.commit ?? highest((status) => status.commit),
    waiting: statuses.reduce((sum, status) => sum + status.waiting, 0),
    members: members.map((id) => {
      const name = nameOf(topology, id);
      const member = leader?.status.members.find((each) => each.node === id);
      return { name, lag: now.statuses.has(name) ? member?.lag : undefined };
    }),
  };
}

function regionView(
  region: string,
  node: string,
  now: Sample,
  before: Sample | undefined,
): Omit<RegionView, keyof PlacedView> {
  const space = spaceOf(region, now);
  const formerSpace = before && spaceOf(region, before);
  const gateway = now.statuses.get(node)?.gateway;
  const former = before?.statuses.get(node)?.gateway;
  const seconds = secondsBetween(now, before);
  return {
    region,
    isAnswering: space !== undefined,
    players: space?.players ?? 0,
    ticksPerSecond: rate(space?.ticks, formerSpace?.ticks, seconds),
    tickMsMax: space?.tickMsMax ?? 0,
    bytesOutPerSecond: rate(gateway?.bytesOut, former?.bytesOut, seconds),
    bytesInPerSecond: rate(gateway?.bytesIn, former?.bytesIn, seconds),
    framesSkipped: gateway?.framesSkipped ?? 0,
  };
}

/** The space of a region, wherever it is. */
function spaceOf(region: string, { statuses }: Sample): SpaceStatus | undefined {
  for (const { spaces } of statuses.values()) {
    const space = spaces.find((each) => each.region === region);
    if (space !== undefined) return space;
  }
  return undefined;
}

function outcomeRates(now: Sample, before: Sample | undefined): OutcomeCounts {
  const seconds = secondsBetween(now, before);
  const rates = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
  for (const [node, { outcomes }] of now.statuses) {
    const former = before?.statuses.get(node)?.outcomes;
    for (const kind of ['done', 'rejected', 'unavailable', 'uncertain'] as const) {
      rates[kind] += rate(outcomes[kind], former?.[kind], seconds);
    }
  }
  return rates;
}

function secondsBetween(now: Sample, before: Sample | undefined): number {
  return before === undefined ? 0 : Math.max(0, now.atMs - before.atMs) / 1000;
}

function rate(now: number | undefined, before: number | undefined, seconds: number): number {
  if (now === undefined || before === undefined || seconds === 0) return 0;
  return (now < before ? now : now - before) / seconds;
}
