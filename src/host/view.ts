// The running world in one look: what the live screen, the plain lines and `bluemarble status` show.
//
// `watch.ts` makes one every second out of what the nodes tell and what the supervisor knows. Pure:
// rates come from two samples, and a counter that went back belongs to a process that began anew.
import { InvalidInputError } from '../base/errors.ts';
import type { CrowdStats } from '../crowd/messages.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
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
  /** How often neither it nor its supervisor ended it: somebody killed the process. */
  readonly outsideEnds: number;
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

/** The gateway of a region node that is first in no region; the others' stand with their regions. */
export interface GatewayView {
  readonly gateway: string;
  readonly isAnswering: boolean;
  readonly links: number;
  /** Who of them is in the world, in whichever region. */
  readonly players: number;
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
  readonly gateways: readonly GatewayView[];
  /** At all gateways together, each second. */
  readonly outcomesPerSecond: OutcomeCounts;
  readonly leaderChanges: number;
  /** Faults that an operator laid on the links, by name. */
  readonly linkFaults: readonly string[];
  /** What is being done to the members of groups: a node is replaced, for instance. */
  readonly inHand: string | undefined;
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
  readonly inHand?: string | undefined;
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
    gateways: topology.nodes
      .filter(({ id, kind }) => kind === 'region' && topology.regions.every(({ copies }) => copies[0] !== id))
      .map(({ name }) => gatewayView(name, now, before)),
    outcomesPerSecond: outcomeRates(now, before),
    leaderChanges: around.leaderChanges,
    linkFaults: around.linkFaults,
    inHand: around.inHand,
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
  home: string,
  now: Sample,
  before: Sample | undefined,
): Omit<RegionView, keyof PlacedView> {
  const holder = [...now.statuses.keys()].find((node) => spaceOf(region, now.statuses.get(node)));
  const space = holder === undefined ? undefined : spaceOf(region, now.statuses.get(holder));
  const ticksOf = (status: NodeStatus): number => spaceOf(region, status)?.ticks ?? 0;
  return {
    region,
    isAnswering: space !== undefined,
    players: space?.players ?? 0,
    ticksPerSecond: holder === undefined ? 0 : rate(holder, ticksOf, now, before),
    tickMsMax: space?.tickMsMax ?? 0,
    ...trafficOf(home, now, before),
  };
}

function gatewayView(name: string, now: Sample, before: Sample | undefined): GatewayView {
  const { connections = 0, players = 0 } = now.statuses.get(name)?.gateway ?? {};
  const isAnswering = now.statuses.has(name);
  return { gateway: name, isAnswering, links: connections, players, ...trafficOf(name, now, before) };
}

/** What goes over the door for players of this node. */
function trafficOf(
  node: string,
  now: Sample,
  before: Sample | undefined,
): Pick<GatewayView, 'bytesOutPerSecond' | 'bytesInPerSecond' | 'framesSkipped'> {
  return {
    bytesOutPerSecond: rate(node, ({ gateway }) => gateway?.bytesOut ?? 0, now, before),
    bytesInPerSecond: rate(node, ({ gateway }) => gateway?.bytesIn ?? 0, now, before),
    framesSkipped: now.statuses.get(node)?.gateway?.framesSkipped ?? 0,
  };
}

function spaceOf(region: string, status: NodeStatus | undefined): SpaceStatus | undefined {
  return status?.spaces.find((each) => each.region === region);
}

function outcomeRates(now: Sample, before: Sample | undefined): OutcomeCounts {
  const rates = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
  for (const node of now.statuses.keys()) {
    for (const kind of ['done', 'rejected', 'unavailable', 'uncertain'] as const) {
      rates[kind] += rate(node, ({ outcomes }) => outcomes[kind], now, before);
    }
  }
  return rates;
}

/**
 * How fast a counter of the node grew each second, by its own clock: it may have missed the last looks. A
 * process that began anew counts from nothing.
 */
function rate(
  node: string,
  counter: (status: NodeStatus) => number,
  now: Sample,
  before: Sample | undefined,
): number {
  const [status, former] = [now.statuses.get(node), before?.statuses.get(node)];
  if (status === undefined || former === undefined) return 0;
  const [count, formerCount] = [counter(status), counter(former)];
  const isAnew = status.uptimeMs < former.uptimeMs || count < formerCount;
  const [grown, ms] = isAnew
    ? [count, status.uptimeMs]
    : [count - formerCount, status.uptimeMs - former.uptimeMs];
  return ms === 0 ? 0 : (grown * 1_000) / ms;
}
