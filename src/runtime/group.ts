// What a replicated group offers, whatever carries its log: propose, query, inspect, read, status.
//
// `raft-group.ts` is the embedded implementation. `services/global` hosts groups and answers callers.
import type { GroupAnswer } from '../wire/peer.ts';
import type { GroupStatus } from '../wire/status.ts';

/** One copy's state as it stands here and now: for comparing copies, never for serving players. */
export interface Inspection {
  readonly applied: number;
  /** CRC-32C of the whole state: equal on all copies that have applied the same index. */
  readonly stateHash: number;
}

export interface Group {
  readonly name: string;
  propose(command: Uint8Array, answer: (answer: GroupAnswer) => void): void;
  /** A linearizable read: it sees every command answered before it was asked. */
  query(request: Uint8Array, answer: (answer: GroupAnswer) => void): void;
  /** This copy alone, however far behind it is; costs a walk over the whole state. */
  inspect(): Inspection;
  /** Asks this copy alone: the reply may be old, or never become everybody's. */
  read(request: Uint8Array): Uint8Array;
  status(): GroupStatus;
}
