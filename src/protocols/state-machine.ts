// The contract of replicated state: what a log of commands is fed to.
//
// `protocols/sessions` wraps one state machine in another, `world/group-machine` is the one that holds
// features, `runtime/raft-group` drives it. Deterministic: the same entries in the same order give the
// same state, replies and hash on every replica, whatever the machine, clock or version of Node.
import type { Loading, Slices } from '../base/slices.ts';

export interface AppliedEntry {
  /** The entry's place in the log. */
  readonly index: number;
  /** Stamped once by the leader that appended it; never runs backwards within a log. Unix ms. */
  readonly timeMs: number;
  readonly command: Uint8Array;
}

/** Something to tell a player outside of any call. Executed by the leader only, at most once. */
export interface Notice {
  /** 0 for everybody in `region`. */
  readonly player: number;
  /** The number of the region that it is said to, when it is for everybody there. */
  readonly region?: number;
  readonly push: string;
  readonly value: unknown;
}

export interface Applied {
  /** The answer to whoever proposed the command; empty bytes when nobody can be waiting. */
  readonly reply: Uint8Array;
  readonly notices: readonly Notice[];
}

export interface StateMachine {
  /** Never throws for what a command contains: an unreadable command is itself a decided refusal. */
  apply(entry: AppliedEntry): Applied;
  /** Reads without changing anything. `index` and `timeMs` are those of the last applied entry. */
  query(request: Uint8Array, index: number, timeMs: number): Uint8Array;
  /** The whole state as bytes; equal states give equal bytes. */
  snapshot(): Uint8Array;
  /**
   * The same bit by bit, for large states. A machine without it is asked for the whole at once: right
   * where that takes a few milliseconds.
   */
  slices?(): Slices;
  /** Replaces the whole state. Throws `InvalidInputError` or `CorruptionError` when it cannot. */
  restore(snapshot: Uint8Array): void;
  /**
   * The same bit by bit: until the last step the state is the old one, and asked as ever. A machine
   * without it is handed the whole at once.
   */
  restoreInSlices?(snapshot: Uint8Array): Loading<undefined>;
}

/** The slices of any machine. */
export function* slicesOf(machine: StateMachine): Slices {
  if (machine.slices === undefined) return [machine.snapshot()];
  return yield* machine.slices();
}

/** Replaces the state of any machine bit by bit. */
export function* restoredInSlices(machine: StateMachine, snapshot: Uint8Array): Loading<undefined> {
  if (machine.restoreInSlices === undefined) machine.restore(snapshot);
  else yield* machine.restoreInSlices(snapshot);
}
