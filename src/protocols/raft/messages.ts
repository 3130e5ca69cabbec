// What the members of a Raft group say to each other and keep on disk: types and limits.
//
// Source: Ongaro, "Consensus: Bridging Theory and Practice" (thesis), figure 3.1, and chapters 3 to 6.
import type { NodeId } from '../../base/id.ts';
import type { Voters } from '../../base/quorum.ts';
import type { Digest } from './digests.ts';

/** One entry may not be larger: a snapshot is the way to move much at once. */
export const ENTRY_BYTES_MAX: number = 256 * 1024;
/** Entries of one append message together; also the reading size of catch-up. */
export const APPEND_BYTES_MAX: number = 512 * 1024;
export const APPEND_ENTRIES_MAX = 4096;
/** Append messages on their way to one follower before the leader waits for answers. */
export const IN_FLIGHT_APPENDS_MAX = 64;
/** The same in bytes of commands; one append may always be on its way. */
export const IN_FLIGHT_BYTES_MAX: number = 4 * 1024 * 1024;
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024;
/** A larger state is not received: it would not fit the receiver's memory beside its own. */
export const SNAPSHOT_BYTES_MAX: number = 1024 * 1024 * 1024;
/** Uncommitted bytes at the leader; beyond it proposals are refused until the quorum catches up. */
export const UNCOMMITTED_BYTES_MAX: number = 16 * 1024 * 1024;
/** More voters make nothing safer and every commit slower. */
export const VOTERS_MAX = 7;
/** Old and new voters together while a change of membership is under way. */
export const JOINT_VOTERS_MAX = 9;

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

/**
 * Members in force. Learners receive the log and do not vote yet: each of them becomes a voter once all
 * have caught up, and those in `retiring` leave in the same step.
 */
export interface Membership extends Voters {
  readonly learners: readonly NodeId[];
  readonly retiring: readonly NodeId[];
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
  /** What the replies to all commands up to here add up to (`digests.ts`). */
  readonly digest: number;
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
  /** Entries up to this index were lost from the disk; 0: all are there again. */
  readonly healUntil?: number;
  readonly entries: readonly Entry[];
}

/** What a member finds on its disk at start. */
export interface Recovered {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMark;
  /** Contiguous, the first one directly after the snapshot. */
  readonly entries: readonly Entry[];
  /**
   * The disk once held entries up to here and lost some of them. This member may have acknowledged them,
   * so it must not vote before it holds as much again. Absent or 0: nothing is lost.
   */
  readonly healUntil?: number;
}

export type Message =
  | { kind: 'pre-vote'; term: number; lastIndex: number; lastTerm: number; sentMs: number }
  | {
      kind: 'pre-vote-reply';
      term: number;
      askedTerm: number;
      granted: boolean;
      /** As asked; the same in `append-reply`. Only the asker's own clock can read it. */
      sentMs: number;
    }
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
      /** The leader's monotonic clock when this left; echoed. */
      sentMs: number;
      /** The round trip within the group, as its timeouts follow it (`pace.ts`). */
      roundTripMs: number;
      entries: readonly Entry[];
    }
  | {
      kind: 'append-reply';
      term: number;
      round: number;
      result: AppendResult;
      /** As asked; 0 where a snapshot is answered. */
      sentMs: number;
      /** Of all replies. */
      digest: Digest;
      /** Of the whole state. */
      stateHash: Digest;
    }
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
  | { kind: 'timeout-now'; term: number }
  /** A follower asks its leader from which index on it may serve a read itself. */
  | { kind: 'read'; term: number; number: number }
  /** `index` 0: not to be had from this node. */
  | { kind: 'read-reply'; term: number; number: number; index: number }
  /** A majority has become something else than the receiver by `index`. */
  | { kind: 'diverged'; term: number; index: number };

/**
 * `matched`: the follower's disk holds the leader's log up to `index`.
 * `conflict`: it lacks `prevIndex` or has another term there; the leader should go on from `nextIndex`.
 * `lost`: the same, and what it had acknowledged at or after `nextIndex` its disk has lost.
 */
export type AppendResult =
  | { readonly kind: 'matched'; readonly index: number }
  | { readonly kind: 'conflict' | 'lost'; readonly prevIndex: number; readonly nextIndex: number };

export interface Envelope {
  readonly to: NodeId;
  readonly message: Message;
}
