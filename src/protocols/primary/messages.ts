// What the copies of a region say to each other and keep on disk: types and limits.
//
// A region has one primary, which orders its log, and replicas, which take it. `epoch` counts the
// appointments of primaries, `sequence` the entries; both together name an entry for ever.
import type { NodeId } from '../../base/id.ts';

/** As the journal, which keeps them: a larger command is refused where it is asked. */
export const ENTRY_BYTES_MAX: number = 256 * 1024;
export const APPEND_ENTRIES_MAX = 4096;
export const APPEND_BYTES_MAX: number = 512 * 1024;
/** On its way to one replica; one append may always be. */
export const IN_FLIGHT_BYTES_MAX: number = 4 * 1024 * 1024;
export const IN_FLIGHT_APPENDS_MAX = 64;
/** A state travels in parts of at most this; no message is much larger than the others. */
export const PART_BYTES_MAX: number = 256 * 1024;
/** Parts on their way before an answer is awaited: the oceans are wide. */
export const PARTS_IN_FLIGHT_MAX = 8;
/** A larger state is not taken: it would not fit the receiver's memory beside its own. */
export const STATE_BYTES_MAX: number = 1024 * 1024 * 1024;
export const COPIES_MAX = 7;
/** Epochs of whose beginnings a log knows: a copy that was away for longer is sent the state. */
export const RUNS_MAX = 64;

/** `opening` begins an epoch: what it holds is then of this epoch, and so is what a majority holds. */
export type EntryKind = 'opening' | 'command';

export interface Entry {
  readonly epoch: number;
  readonly sequence: number;
  readonly kind: EntryKind;
  /** Stamped by the primary: at least the stamp of the entry before. Unix ms. */
  readonly timeMs: number;
  readonly data: Uint8Array;
}

/** The first entry of an epoch: all from there to the next run are of that epoch. */
export interface EpochRun {
  readonly epoch: number;
  readonly first: number;
}

/** A place in a region's log. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/** A state as of its position, and which epochs the log up to there was of. */
export interface Mark extends Position {
  readonly timeMs: number;
  /** What the replies to all commands up to here add up to. */
  readonly digest: number;
  readonly runs: readonly EpochRun[];
}

export interface StateTransfer {
  readonly mark: Mark;
  /** Each of at most `PART_BYTES_MAX`. */
  readonly parts: readonly Uint8Array[];
}

/** One durable step of a copy, written as a whole or not at all; as Raft's `LogWrite`. */
export interface CopyWrite {
  readonly promised?: number;
  readonly isBlank?: boolean;
  readonly reset?: Mark;
  readonly entries: readonly Entry[];
}

/** What a copy finds on its disk at start. */
export interface Recovered {
  /** Nothing of a lower epoch is heard any more; 0: nothing was ever promised. */
  readonly promised: number;
  /** The disk holds less than this copy may have acknowledged, or never held anything. */
  readonly isBlank: boolean;
  readonly mark: Mark;
  readonly entries: readonly Entry[];
}

/** Entries that the region's log has lost with a primary, and this copy still had. */
export interface LostTail {
  readonly from: Position;
  readonly to: Position;
  /** Those whose commands are still at hand: all, unless they had become part of a checkpoint. */
  readonly entries: readonly Entry[];
}

/** What a copy says when it is asked to hear no older primary than that of `epoch`. */
export interface Promised {
  /** The highest epoch promised: the asked one, or a higher one if that was promised before. */
  readonly epoch: number;
  readonly lastEpoch: number;
  readonly lastSequence: number;
  /** True: what it holds says nothing about what it may have acknowledged. */
  readonly isBlank: boolean;
}

/** A copy's place, told to all copies each second. */
export interface Whereabouts {
  readonly promised: number;
  readonly last: Position;
  readonly applied: number;
  readonly isBlank: boolean;
  /** How old its state is at most, by its own clock; -1 when it can not tell. */
  readonly lagMs: number;
  /** So long nothing has shown it that its primary hears it too; 0 at the primary itself. */
  readonly silentMs: number;
}

/** A moment of a replica's own clock, in one life of its process: what a primary only echoes. */
export interface Stamp {
  readonly life: number;
  readonly ms: number;
}

export type Message =
  | {
      kind: 'append';
      epoch: number;
      /** Counts how often the stream to this replica began anew; echoed. */
      attempt: number;
      previous: Position;
      entries: readonly Entry[];
      /** The primary's last durable sequence. */
      last: number;
      committed: number;
      /** The primary is sure that no other serves: only then does the echo prove anything. */
      isSure: boolean;
      /** The newest stamp of the receiver that had arrived. */
      echo: Stamp;
    }
  | {
      kind: 'append-reply';
      epoch: number;
      attempt: number;
      result: AppendResult;
      applied: number;
      stamp: Stamp;
    }
  | { kind: 'state'; epoch: number; mark: Mark; part: number; parts: number; bytes: Uint8Array }
  /** `nextPart` beyond the last one: the state is the replica's now, and on its disk. */
  | { kind: 'state-reply'; epoch: number; sequence: number; nextPart: number; stamp: Stamp }
  /** A replica asks how far it must be to be as new as its stamp. */
  | { kind: 'level'; epoch: number; stamp: Stamp }
  /** The receiver is the primary of no epoch any more: `epoch` was promised here. */
  | { kind: 'refused'; epoch: number }
  | { kind: 'whereabouts'; epoch: number; at: Whereabouts; wantsReply: boolean };

/**
 * `matched`: the replica's disk holds the primary's log up to `sequence`.
 * `parted`: its log is another one from somewhere before `previous` on, or ends before; its runs tell.
 * `needsState`: so, and what it has applied can not be taken back.
 */
export type AppendResult =
  | { readonly kind: 'matched'; readonly sequence: number }
  | {
      readonly kind: 'parted' | 'needsState';
      readonly last: number;
      readonly runs: readonly EpochRun[];
      readonly isBlank: boolean;
    };

export interface Envelope {
  readonly to: NodeId;
  readonly message: Message;
}
