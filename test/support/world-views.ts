// Small worlds to look at, for the tests of what the host shows and answers.
import type { NodeFacts, Sample } from '../../src/host/view.ts';
import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';
import type {
  GroupAudit,
  GroupStatus,
  NodeAudit,
  NodeStatus,
  PlacementStatus,
} from '../../src/wire/status.ts';
import { nodeId } from '../../src/base/id.ts';

export const topology: Topology = seedTopology({ world: 'world-test' });

export function factsOf(changes: Readonly<Record<string, NodeFacts['condition']>> = {}): NodeFacts[] {
  return topology.nodes.map(({ name }, place) => ({
    name,
    condition: changes[name] ?? 'up',
    pid: 100 + place,
    selfExits: 0,
    outsideEnds: 0,
  }));
}

export interface Led {
  readonly leader: number;
  readonly term: number;
  /** Of every member; 0 by default. */
  readonly lag?: number;
  readonly hash?: (node: number) => number;
  readonly index?: number;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Placed {
  readonly placement?: PlacementStatus;
  /** The node that sees no majority. */
  readonly blind?: string;
}

/** Placement as a new world has it: the first copy of each region is its primary. */
export function founded(): PlacementStatus {
  const start = { epoch: 0, sequence: 0 };
  const regions = topology.regions.flatMap(({ number, copies }) =>
    copies.slice(0, 1).map((primary) => ({
      ...{ number, copies, epoch: 1, primary, start, isBegun: false, fence: null },
      appointments: [],
    })),
  );
  return { regions, nodes: [] };
}

/** A moment at which these groups were led so, and only `answering` nodes answered. */
export function sampleOf(
  groups: Readonly<Record<string, Led>>,
  o: { readonly atMs?: number; readonly answering?: readonly string[]; readonly done?: number } & Placed = {},
): Sample {
  const statuses = new Map<string, NodeStatus>();
  const audits = new Map<string, NodeAudit>();
  for (const plan of topology.nodes) {
    if (o.answering !== undefined && !o.answering.includes(plan.name)) continue;
    const copies = Object.entries(groups).flatMap(([group, led]) => copyOf(group, plan.id, led));
    audits.set(plan.name, { name: plan.name, world: topology.world, groups: copies });
    const done = plan.kind === 'region' ? (o.done ?? 0) : 0;
    const region = topology.regions.find(({ copies }) => copies[0] === plan.id);
    statuses.set(plan.name, {
      node: plan.id,
      name: plan.name,
      kind: plan.kind,
      world: topology.world,
      version: '0.0.0',
      pid: 1,
      uptimeMs: 1 + (o.atMs ?? 0),
      ready: true,
      residentBytes: 80_000_000,
      loopLateMsMax: 0,
      peersConnected: [],
      groups: Object.entries(groups).flatMap(([group, led]) => groupStatus(group, plan.id, led)),
      copies: [],
      gateway:
        region === undefined
          ? undefined
          : {
              connections: 50,
              players: 50,
              bytesOut: done * 100,
              bytesIn: done * 10,
              framesSkipped: 0,
            },
      spaces:
        region === undefined
          ? []
          : [{ region: region.name, players: 50, ticks: done, tickMsMax: 2 }],
      outcomes: { done, rejected: 0, unavailable: 0, uncertain: 0 },
      seesMajority: o.blind !== plan.name,
      placement: plan.kind === 'region' ? (o.placement ?? { regions: [], nodes: [] }) : undefined,
    });
  }
  return { atMs: o.atMs ?? 0, statuses, audits };
}

function copyOf(group: string, node: number, led: Led): GroupAudit[] {
  const members = topology.groups.find(({ name }) => name === group)?.members ?? [];
  if (!members.some((member) => member === node)) return [];
  const stateHash = led.hash?.(node) ?? 7;
  return [{ group, applied: led.index ?? 900, stateHash, facts: led.facts ?? {} }];
}

function groupStatus(group: string, node: number, led: Led): GroupStatus[] {
  const members = topology.groups.find(({ name }) => name === group)?.members ?? [];
  if (!members.some((member) => member === node)) return [];
  const isLeader = node === led.leader;
  return [
    {
      group,
      role: isLeader ? 'leader' : 'follower',
      term: led.term,
      leader: nodeId(led.leader),
      commit: 1_000,
      applied: 1_000,
      last: 1_000,
      snapshot: 0,
      stateHash: 0,
      hashedIndex: 0,
      waiting: 1,
      reads: 0,
      members: isLeader
        ? members.map((member) => ({
            node: member,
            match: 1_000,
            lag: led.lag ?? 0,
            state: member === node ? 'self' : 'replicate',
          }))
        : [],
    },
  ];
}
