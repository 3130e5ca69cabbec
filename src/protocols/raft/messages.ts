// What the members of a Raft group say to each other and keep on disk: types and limits.
//
// Source: Ongaro, "Consensus: Bridging Theory and Practice" (thesis), figure 3.1, and chapters 3 to 6.
import type { NodeId } from '../../base/id.ts';
import type { Voters } from '../../base/quorum.ts';

/** One entry may not be larger: a snapshot is the way to move much at once. */
export const ENTRY_BYTES_MAX: number = 256 * 1024;
/** Entries of one append message together; also the reading size of catch-up. */
export const APPEND_BYTES_MAX: number = 512 * 1024;
export const APPEND_ENTRIES_MAX = 4096;
/** Append messages on their way to one follower before the leader waits for answers. */
export const IN_FLIGHT_APPENDS_MAX = 64;
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024;
/** Uncommitted bytes at the leader; beyond it proposals are refused until the quorum catches up. */
export const UNCOMMITTED_BYTES_MAX: number = 16 * 1024 * 1024;
export const VOTERS_MAX = 9;

/** `noop` opens a term; `configuration` changes the members (its bytes are a `Membership`). */
export type EntryKind = 'noop' | 'command' | 'configuration';

export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  /** Stamped by the leader: at least the stamp of the entry before. Unix ms. */
  readonly timeMs: number;
  readonly data: Uint8Array;
}

/** Members in force; learners receive the log and do not vote. */
export interface Membership extends Voters {
  readonly learners: readonly NodeId[];
}

/** What must be on disk before any message that depends on it leaves. */
export interface HardState {
  readonly term: number;
  readonly votedFor: NodeId | undefined;
}

/** A state as of `index`: what the log up to there has become. */
export interface SnapshotMark {
  readonly index: number;
  readonly term: number;
  readonly timeMs: number;
  readonly membership: Membership;
}

export interface Snapshot extends SnapshotMark {
  readonly state: Uint8Array;
}

/**
 * One durable step of one group, written as a whole or not at all.
 *
 * `reset` comes first: the log now begins after that snapshot and holds nothing. Then `entries` replace
 * whatever the log holds from the first one's index on. `hardState` is the newest.
 */
export interface LogWrite {
  readonly hardState?: HardState;
  readonly reset?: SnapshotMark;
  readonly entries: readonly Entry[];
}

/** What a member finds on its disk at start. */
export interface Recovered {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMark;
  /** Contiguous, the first one directly after the snapshot. */
  readonly entries: readonly Entry[];
}

export type Message =
  | { kind: 'pre-vote'; term: number; lastIndex: number; lastTerm: number }
  | { kind: 'pre-vote-reply'; term: number; askedTerm: number; granted: boolean }
  | { kind: 'vote'; term: number; lastIndex: number; lastTerm: number; transfer: boolean }
  | { kind: 'vote-reply'; term: number; granted: boolean }
  | {
      kind: 'append';
      term: number;
      prevIndex: number;
      prevTerm: number;
      commit: number;
      /** Grows with each confirmation round of the leader; echoed, so that old answers prove nothing. */
      round: number;
      entries: readonly Entry[];
    }
  | { kind: 'append-reply'; term: number; round: number; result: AppendResult }
  | {
      kind: 'snapshot';
      term: number;
      round: number;
      mark: SnapshotMark;
      offset: number;
      totalBytes: number;
      chunk: Uint8Array;
    }
  | { kind: 'snapshot-reply'; term: number; round: number; index: number; nextOffset: number }
  | { kind: 'timeout-now'; term: number };

/**
 * `matched`: the follower's disk holds the leader's log up to `index`.
 * `conflict`: it lacks `prevIndex` or has another term there; the leader should go on from `nextIndex`.
 */
export type AppendResult =
  | { readonly kind: 'matched'; readonly index: number }
  | { readonly kind: 'conflict'; readonly prevIndex: number; readonly nextIndex: number };

export interface Envelope {
  readonly to: NodeId;
  readonly message: Message;
}
