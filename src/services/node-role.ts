// What a node is asked for whatever it does, and the doors it is given: the contract of the two roles.
//
// `node.ts` runs one of `global-node.ts` and `region-node.ts` behind it.
import type { NodeId } from '../base/id.ts';
import type { Recovered } from '../protocols/raft/messages.ts';
import type { Checkpoints } from '../runtime/checkpoints.ts';
import type { CopyStorage } from '../runtime/copy-journal.ts';
import type { Journal } from '../runtime/journal.ts';
import type { Clock, Entropy, Logger, Peers, PlayerListener, Secrets, Tap } from '../runtime/ports.ts';
import type { Place } from '../wire/calls.ts';
import type { PeerMessage } from '../wire/peer.ts';
import type {
  CopyStatus,
  GatewayStatus,
  GroupAudit,
  GroupStatus,
  OutcomeCounts,
  PlacementStatus,
  SpaceStatus,
} from '../wire/status.ts';
import type { Feature } from '../world/feature.ts';
import type { Incarnations } from './topology/incarnations.ts';
import type { Topology } from './topology/topology.ts';

/** A node's durable memory, and what was found in it at start. */
export interface Storage {
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly recovered: ReadonlyMap<number, Recovered>;
}

export interface NodeDoors {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  readonly peers: Peers;
  readonly incarnations: Incarnations;
  readonly secrets: Secrets;
  readonly machine: { readonly pid: number; residentBytes(): number };
  /** Asked once, by global nodes only. */
  openStorage(): Storage;
  /** A region's copy in a folder of its own; asked by region nodes only, again only after the next. */
  openCopy(region: string): CopyStorage;
  /** Moves a damaged copy's folder away, where an operator finds it; the next one opened is empty. */
  setCopyAside(region: string): void;
  /** Asked once, by region nodes only. */
  loadLand(): (place: Place) => boolean;
  /** The node can not keep its promises any more: the process must end. */
  fail(cause: unknown): void;
  /** Given by drills only. */
  readonly tap?: Tap | undefined;
}

export interface NodeSetting {
  readonly topology: Topology;
  readonly features: readonly Feature[];
  readonly node: NodeId;
  readonly doors: NodeDoors;
}

export interface NodeRole {
  /** Where players come in; `undefined` on global nodes. */
  readonly players: PlayerListener | undefined;
  start(): void;
  received(from: NodeId, message: PeerMessage): void;
  up(node: NodeId): void;
  lost(node: NodeId): void;
  /** Nobody listens any more where the node was linked. */
  refused?(node: NodeId): void;
  /** A request of the supervisor, of whatever kind. */
  operated(message: unknown): void;
  isReady(): boolean;
  groups(): readonly GroupStatus[];
  /** Costs a walk over all state that is held here. */
  audit(fresh: boolean): readonly GroupAudit[];
  gateway(): GatewayStatus | undefined;
  spaces(): readonly SpaceStatus[];
  copies(): readonly CopyStatus[];
  outcomes(): OutcomeCounts;
  seesMajority(): boolean;
  placement(): PlacementStatus | undefined;
  /** The whole world ends: who leaves from now on has not failed, and hands no region over. */
  worldEnds?(): void;
  /** Leaves in order: nobody is left waiting for this node. */
  stop(): Promise<void>;
}
