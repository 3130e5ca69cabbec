// What a node tells its operator at `/v1/status`: complete, typed, cheap to make.
//
// Nodes fill it, the CLI and the live screen read it, `services/metrics` writes it for Prometheus. All
// times in milliseconds, all counts since the process started unless said otherwise.
import type { NodeId } from '../base/id.ts';
import type { NodeStanding, PlacedRegion } from './placement.ts';

/** `healing`: its disk lost entries; it votes again when it holds as much as before. */
export const groupRoles = ['leader', 'follower', 'candidate', 'learner', 'healing'] as const;

/**
 * `fenced`: it has promised an epoch whose primary it does not know. `catching-up`: it is being sent the
 * state. `blank`: its disk holds less than it may have acknowledged, or has never held anything.
 */
export const copyRoles = ['primary', 'replica', 'fenced', 'catching-up', 'blank'] as const;

export interface MemberStatus {
  readonly node: NodeId;
  /** Highest index known to be on the member's disk; only the leader knows it. */
  readonly match: number;
  /** Entries behind the leader's last one. */
  readonly lag: number;
  readonly state: 'probe' | 'replicate' | 'snapshot' | 'self';
}

export interface GroupStatus {
  readonly group: string;
  readonly role: (typeof groupRoles)[number];
  readonly term: number;
  readonly leader: NodeId | undefined;
  readonly commit: number;
  readonly applied: number;
  readonly last: number;
  readonly snapshot: number;
  /** CRC-32C of the state right after `hashedIndex`: equal on all replicas at an equal index. */
  readonly stateHash: number;
  readonly hashedIndex: number;
  /** Commands and queries that wait for their answer here. */
  readonly waiting: number;
  /** Queries that this member has answered. */
  readonly reads: number;
  readonly members: readonly MemberStatus[];
}

/** Where a copy of a region stands, as some copy has heard of it; absent fields are not known. */
export interface CopyPlace {
  readonly node: NodeId;
  readonly last?: number | undefined;
  readonly applied?: number | undefined;
  /** Entries behind the primary's last one. */
  readonly lagEntries?: number | undefined;
  /** Its state is at most so old, by its own clock. */
  readonly lagMs?: number | undefined;
  /** Trails by fewer entries than the limit (100). */
  readonly isHealthy: boolean;
  /** It may have acknowledged more than it holds, or never held anything: it does not count. */
  readonly isBlank: boolean;
}

/** One copy of a region, at the node that holds it. */
export interface CopyStatus {
  readonly region: string;
  readonly role: (typeof copyRoles)[number];
  /** The highest epoch promised: nothing older is heard here. */
  readonly epoch: number;
  readonly primary: NodeId | undefined;
  /** Of the primary: it is sure, at this moment, that no other serves. */
  readonly isServing: boolean;
  /** A majority of the copies, this one among them, hears each other and not the primary. */
  readonly isDeserted: boolean;
  readonly isHealthy: boolean;
  readonly last: number;
  readonly durable: number;
  readonly committed: number;
  readonly applied: number;
  readonly checkpoint: number;
  readonly lagEntries?: number | undefined;
  readonly lagMs?: number | undefined;
  readonly waiting: number;
  /** CRC-32C of the state right after `hashedSequence`: equal on all copies at an equal place. */
  readonly stateHash: number;
  readonly hashedSequence: number;
  readonly copies: readonly CopyPlace[];
  /** Entries that this copy had and the region's log has lost with a primary, oldest first. */
  readonly lostTails: readonly LostRange[];
}

/** All entries between these places, both included. */
export interface LostRange {
  readonly fromEpoch: number;
  readonly fromSequence: number;
  readonly toEpoch: number;
  readonly toSequence: number;
}

/** The space of a region whose primary this node is. */
export interface SpaceStatus {
  readonly region: string;
  /** Who stands in it, through whichever gateway. */
  readonly players: number;
  readonly ticks: number;
  /** The longest tick of the last ten seconds. */
  readonly tickMsMax: number;
}

/** What goes in and out at this node's door for players. */
export interface GatewayStatus {
  readonly connections: number;
  /** Who of them is in the world, in whichever region. */
  readonly players: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Motion frames that were not sent because the player had not taken the ones before. */
  readonly framesSkipped: number;
}

/** Outcomes of calls that players made at this node's gateway, by kind. */
export interface OutcomeCounts {
  readonly done: number;
  readonly rejected: number;
  readonly unavailable: number;
  readonly uncertain: number;
}

/** What a region node was told of primaries, and of who lives. */
export interface PlacementStatus {
  readonly regions: readonly PlacedRegion[];
  readonly nodes: readonly NodeStanding[];
}

export interface NodeStatus {
  readonly node: NodeId;
  readonly name: string;
  readonly kind: 'global' | 'region';
  readonly world: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly ready: boolean;
  readonly residentBytes: number;
  /** The longest time the event loop was late in the last ten seconds. */
  readonly loopLateMsMax: number;
  readonly peersConnected: readonly NodeId[];
  readonly groups: readonly GroupStatus[];
  readonly gateway: GatewayStatus | undefined;
  readonly spaces: readonly SpaceStatus[];
  /** Copies of regions that this node holds. */
  readonly copies: readonly CopyStatus[];
  readonly outcomes: OutcomeCounts;
  /** Whether it is in touch with a majority of the witnesses: without, it refuses what needs one. */
  readonly seesMajority: boolean;
  /** `undefined` on global nodes. */
  readonly placement: PlacementStatus | undefined;
}

/** One copy of a group, counted through where it stands. */
export interface GroupAudit {
  readonly group: string;
  /** The place of the log up to which this copy has come. */
  readonly applied: number;
  /** Of a region: the epoch of that place, since a promotion may write other entries at equal places. */
  readonly epoch?: number | undefined;
  /** CRC-32C of its whole state: equal on all copies that have come equally far. */
  readonly stateHash: number;
  /** What the features' operator queries without arguments answer, by call. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What a node answers at `/v1/audit`. Made anew at most a few times a minute when it is dear to make. */
export interface NodeAudit {
  readonly name: string;
  readonly world: string;
  readonly groups: readonly GroupAudit[];
}
