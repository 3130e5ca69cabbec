// What a replicated group offers, whatever carries its log: propose, query, inspect, read, status.
//
// `raft-group.ts` carries a group on Raft, `replica-set.ts` a region's copy on its primary; `services/asked`
// hosts them and answers callers.
import type { NodeId } from '../base/id.ts';
import type { Reconfigured } from '../protocols/raft/reconfiguration.ts';
import type { Transferred } from '../protocols/raft/transfer.ts';
import type { AckLevel, ReadBound } from '../wire/levels.ts';
import type { GroupAnswer } from '../wire/peer.ts';
import type { CopyStatus, GroupStatus } from '../wire/status.ts';

/** One copy's state as it stands here and now: for comparing copies, never for serving players. */
export interface Inspection {
  readonly applied: number;
  /** Of a region: the epoch of the last entry that was applied. */
  readonly epoch?: number;
  /** CRC-32C of the whole state: equal on all copies that have applied the same index. */
  readonly stateHash: number;
}

/** `here`: a follower serves it too, after it has asked the leader how far it must be. */
export type ReadPlace = 'leader' | 'here';

export interface Group {
  readonly name: string;
  /** `level`: of a region, when it may be answered; unsaid, and in groups always, a quorum. */
  propose(command: Uint8Array, answer: (answer: GroupAnswer) => void, level?: AckLevel): void;
  /**
   * Unless it is told otherwise, a read that sees every command answered before it was asked. `bound`:
   * of a region, which copies may serve it.
   */
  query(
    request: Uint8Array,
    answer: (answer: GroupAnswer) => void,
    at?: ReadPlace | ReadBound,
  ): void;
  /** This copy alone, however far behind it is; costs a walk over the whole state. */
  inspect(): Inspection;
  /** Asks this copy alone: the reply may be old, or never become everybody's. */
  read(request: Uint8Array): Uint8Array;
  status(): GroupStatus | CopyStatus;
}

/** What an operator may ask of a group besides. */
export interface OperatedGroup extends Group {
  status(): GroupStatus;
  /** Hands leadership to a member, or says why not; given up after an election timeout. */
  transfer(to: NodeId): Transferred;
  /** Makes these nodes the voters, learners first; begun is not done, `status` tells. */
  reconfigure(voters: readonly NodeId[]): Reconfigured;
}
