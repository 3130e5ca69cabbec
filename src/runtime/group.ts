// What a replicated group offers, whatever carries its log: propose, query, status.
//
// `raft-group.ts` is the embedded implementation. `services/global` hosts groups and answers callers.
import type { GroupAnswer } from '../wire/peer.ts';
import type { GroupStatus } from '../wire/status.ts';

export interface Group {
  readonly name: string;
  propose(command: Uint8Array, answer: (answer: GroupAnswer) => void): void;
  /** A linearizable read: it sees every command answered before it was asked. */
  query(request: Uint8Array, answer: (answer: GroupAnswer) => void): void;
  status(): GroupStatus;
}
