// What the state of a group at a member, and of a region at a copy, have in common.
//
// `raft-machine.ts` and `copy-machine.ts` keep one each: in a state machine, a journal and checkpoints.
import { crc32c } from '../base/crc32c.ts';
import type { StateMachine } from '../protocols/state-machine.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Journal } from './journal.ts';
import type { Clock } from './ports.ts';

/** About what an entry weighs besides its command. */
export const ENTRY_OVERHEAD_BYTES = 64;

export interface KeptState {
  readonly number: number;
  readonly name: string;
  readonly machine: StateMachine;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  /** Does work of a later turn; a broken promise in it ends the process. */
  readonly guarded: (work: () => void) => void;
  /** Tells the loop that there is something to do. */
  readonly wake: () => void;
}

/** What the replies to all commands add up to, with one more: equal wherever they were the same. */
export function digestWith(digest: number, reply: Uint8Array): number {
  return crc32c(reply, 0, reply.length, digest ^ reply.length);
}
