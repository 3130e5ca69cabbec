// The world's machines as data: which processes there are, which groups and regions they hold.
//
// `npm start` runs `seedTopology` on one machine; every node is given the same file. A topology whose
// promises cannot be kept is refused at start with a sentence that says what to change
// (`topology-rules.ts`).
// Source: seed, "Recommended Topology".
import { invariant } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import { COPY_DEFAULTS } from '../../protocols/primary/state.ts';
import type { Foundation } from '../../wire/placement.ts';
import { integer, list, object, oneOf, type Schema, text } from '../../wire/schema.ts';
import { SIGHT_METRES_MAX, SIGHT_METRES_MIN } from '../../world/space/cells.ts';
import { DEFAULT_SIGHT_METRES, DEFAULT_TICK_MS } from '../../world/space/region.ts';

const DEGREE = 10_000_000;
const HALF_GLOBE: number = 180 * DEGREE;
/** Of nodes, groups, regions and of each list in them. */
const NODES_MAX = 64;
const RETIRED_MAX = 10_000;
/** Shorter ticks than 50 a second, or longer ones than a second, serve nobody. */
const TICK_MS_MIN = 20;
const TICK_MS_MAX = 1_000;
/** Longer than what fails usually needs to come back and stay. */
export const DEFAULT_HOME_AFTER_MS = 60_000;
const HOME_AFTER_MS_MIN = 1_000;
const HOME_AFTER_MS_MAX = 86_400_000;
/** One entry is always under way to a copy; so many behind, nobody would call it a copy. */
const LAG_ENTRIES_MIN = 2;
const LAG_ENTRIES_MAX = 1_000_000;
/** Clocks that run apart by more have no business in a group, and leave nothing of a lease. */
const LEASE_DRIFT_PER_MILLE_MAX = 300;
/** Every read asks the leader, and he a majority. */
const READ_DEFAULTS = { reads: 'leader', leaseDriftPerMille: 0 } as const;
const TUNABLE = {
  homeAfterMs: DEFAULT_HOME_AFTER_MS,
  lagEntriesMax: COPY_DEFAULTS.lagEntriesMax,
} as const;
const SPACE_DEFAULTS = { tickMs: DEFAULT_TICK_MS, sightMetres: DEFAULT_SIGHT_METRES };

export interface NodePlan {
  readonly id: NodeId;
  readonly name: string;
  readonly kind: 'global' | 'region';
  readonly host: string;
  /** Links between nodes. */
  readonly peerPort: number;
  /** Players (`/v1/ws`) and operators (`/healthz`, `/readyz`, `/v1/status`, `/metrics`). */
  readonly httpPort: number;
}

/** A replicated group: at least three members on different nodes, and the features it holds. */
export interface GroupPlan {
  /** On the wire and in the journal; never reused for another group. */
  readonly number: number;
  readonly name: string;
  readonly members: readonly NodeId[];
  /** Who the members were when the group was founded: never changed. Absent: the members. */
  readonly founders?: readonly NodeId[];
  /** In order of need: a feature comes after those it works on. */
  readonly features: readonly string[];
  /**
   * Who answers queries: the leader, or any member after it has asked the leader how far it must be;
   * linearizable both. The leader by default.
   */
  readonly reads?: 'leader' | 'any';
  /**
   * The leader reads by a lease where the clocks of two members run apart by no more than so many
   * thousandths; 0, the default, for no lease.
   */
  readonly leaseDriftPerMille?: number;
}

/** From the western meridian (included) eastward to the eastern one (excluded), pole to pole. */
export interface RegionPlan {
  /** On the wire and in journals, among the numbers of groups; never reused for another region. */
  readonly number: number;
  readonly name: string;
  /** Units of 1e-7 degree. West may be greater than east: the region then crosses the antimeridian. */
  readonly westLon: number;
  readonly eastLon: number;
  /** Region nodes that hold a copy of its state. The first one is its primary when the world begins. */
  readonly copies: readonly NodeId[];
  /** Regional features, in order of need: the same ones in every region. */
  readonly features: readonly string[];
  /** How often a player is told of the others in sight; 100 by default. */
  readonly tickMs?: number;
  /** How far players see at least; 200 by default. */
  readonly sightMetres?: number;
}

export interface Topology {
  readonly world: string;
  readonly nodes: readonly NodePlan[];
  readonly groups: readonly GroupPlan[];
  readonly regions: readonly RegionPlan[];
  /** So long all must have been well before a region goes back to its first copy; 60,000 by default. */
  readonly homeAfterMs?: number;
  /** A copy that trails its region's primary by so many entries is unhealthy; 100 by default. */
  readonly lagEntriesMax?: number;
  /** Ids of nodes that were replaced: never used again. */
  readonly retired?: readonly NodeId[];
}

export interface SeedOptions {
  readonly world: string;
  /** Node `n` serves players and operators at `basePort + n`, other nodes at `basePort + 50 + n`. */
  readonly basePort?: number;
  readonly host?: string;
}

/**
 * The seed's world: five global nodes with four groups, four region nodes around the globe, each with
 * its own region's first copy and copies of two neighbours'.
 *
 * The meridians keep continents whole where they can: 90°W parts North America, 30°W runs down the
 * Atlantic, 60°E leaves Europe, Africa and Arabia to `eu` and everything from the Urals on to `asia`.
 */
export function seedTopology(options: SeedOptions): Topology {
  const { world, basePort = 7400, host = '127.0.0.1' } = options;
  const plan = (id: number, name: string, kind: NodePlan['kind']): NodePlan => ({
    id: nodeId(id),
    name,
    kind,
    host,
    peerPort: basePort + 50 + id,
    httpPort: basePort + id,
  });
  const group = (
    number: number,
    name: string,
    members: readonly number[],
    features: readonly string[],
  ): GroupPlan => {
    const founders = members.map(nodeId);
    return { number, name, members: founders, founders, features, ...READ_DEFAULTS };
  };
  const region = (
    number: number,
    name: string,
    copies: readonly number[],
    [west, east]: readonly [number, number],
  ): RegionPlan => ({
    number,
    name,
    westLon: west * DEGREE,
    eastLon: east * DEGREE,
    copies: copies.map(nodeId),
    features: ['chat', 'crafting'],
    ...SPACE_DEFAULTS,
  });
  return {
    world,
    nodes: [
      ...[1, 2, 3, 4, 5].map((id) => plan(id, `global-${id}`, 'global')),
      plan(6, 'na-east', 'region'),
      plan(7, 'na-west', 'region'),
      plan(8, 'eu', 'region'),
      plan(9, 'asia', 'region'),
    ],
    groups: [
      group(1, 'auth', [1, 2, 3], ['accounts']),
      group(2, 'economy', [1, 2, 3, 4, 5], ['holdings', 'trade']),
      group(3, 'guild', [3, 4, 5], ['names']),
      group(4, 'world', [1, 2, 3, 4, 5], ['placement']),
    ],
    regions: [
      region(101, 'na-west', [7, 6, 9], [-180, -90]),
      region(102, 'na-east', [6, 8, 7], [-90, -30]),
      region(103, 'eu', [8, 9, 6], [-30, 60]),
      region(104, 'asia', [9, 7, 8], [60, 180]),
    ],
    ...TUNABLE,
    retired: [],
  };
}

const name = text(1, 32);
const node = integer(1, 65_535) as Schema<NodeId>;
const port = integer(0, 1_000_000);
const kind: Schema<NodePlan['kind']> = oneOf(['global', 'region']);
const reads: Schema<NonNullable<GroupPlan['reads']>> = oneOf(['leader', 'any']);
const meridian = integer(-HALF_GLOBE, HALF_GLOBE);
const topology: Schema<Topology> = object({
  world: name,
  nodes: list(
    object({
      id: node,
      name,
      kind,
      host: text(1, 255),
      peerPort: port,
      httpPort: port,
    }),
    NODES_MAX,
  ),
  groups: list(
    object({
      number: integer(1, 1_000),
      name,
      members: list(node, NODES_MAX),
      founders: list(node, NODES_MAX),
      features: list(text(1, 32), NODES_MAX),
      reads,
      leaseDriftPerMille: integer(0, LEASE_DRIFT_PER_MILLE_MAX),
    }),
    NODES_MAX,
  ),
  regions: list(
    object({
      number: integer(1, 1_000),
      name,
      westLon: meridian,
      eastLon: meridian,
      copies: list(node, NODES_MAX),
      features: list(text(1, 32), NODES_MAX),
      tickMs: integer(TICK_MS_MIN, TICK_MS_MAX),
      sightMetres: integer(SIGHT_METRES_MIN, SIGHT_METRES_MAX),
    }),
    NODES_MAX,
  ),
  homeAfterMs: integer(HOME_AFTER_MS_MIN, HOME_AFTER_MS_MAX),
  lagEntriesMax: integer(LAG_ENTRIES_MIN, LAG_ENTRIES_MAX),
  retired: list(node, RETIRED_MAX),
});

/** A topology out of JSON from outside; throws `InvalidInputError` that names the wrong field. */
export function parseTopology(input: unknown): Topology {
  return topology.parse(filled(input), 'topology');
}

/** What a world in which no node was ever replaced, and nothing tuned, does not say. */
function filled(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const groups = 'groups' in input ? each(input.groups, groupDefaults) : undefined;
  const regions = 'regions' in input ? each(input.regions, () => SPACE_DEFAULTS) : undefined;
  return { ...TUNABLE, retired: [], ...input, groups, regions };
}

/** Each object of a list on top of its defaults; everything else as it is, to be refused by its name. */
function each(list: unknown, defaultsOf: (item: object) => object): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item: unknown) =>
    typeof item === 'object' && item !== null ? { ...defaultsOf(item), ...item } : item,
  );
}

function groupDefaults(group: object): object {
  return 'members' in group ? { founders: group.members, ...READ_DEFAULTS } : READ_DEFAULTS;
}

/** The groups whose queries any member answers, by number. */
export function readAnywhere({ groups }: Topology): ReadonlySet<number> {
  return new Set(groups.filter(({ reads }) => reads === 'any').map(({ number }) => number));
}

/** Who holds players and copies of regions, and ought to beat. */
export function regionNodesOf({ nodes }: Topology): readonly NodeId[] {
  return nodes.filter(({ kind }) => kind === 'region').map(({ id }) => id);
}

/** What `placement` is told of a world: every global node is a witness. */
export function foundationOf(topology: Topology): Foundation {
  return {
    version: topology.retired?.length ?? 0,
    witnesses: topology.nodes.filter(({ kind }) => kind === 'global').map(({ id }) => id),
    regions: topology.regions.map(({ number, copies }) => ({ number, copies })),
  };
}

/** The plan of a node by its id. Throws `InvariantError` for an id outside a validated topology. */
export function nodePlan(of: Topology, id: NodeId): NodePlan {
  const found = of.nodes.find((plan) => plan.id === id);
  invariant(found !== undefined, `node ${id} is in the topology`);
  return found;
}
