// A region's copy in the journal and the checkpoints, which speak Raft's words: term is epoch, index is
// sequence, and a log that must heal is a copy that is blank.
//
// `replica-set.ts` starts from it and writes through it. Each copy has a journal and checkpoints in a
// folder of its own, so that damage and restores concern one copy of one region only.
// A state in a checkpoint is preceded by the epochs of the log up to it: a log that became a checkpoint
// still knows how far another one agrees with it.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readRuns, writeRuns } from '../protocols/primary/codec.ts';
import type {
  CopyWrite,
  Entry,
  EpochRun,
  Mark,
  Recovered,
} from '../protocols/primary/messages.ts';
import type {
  Entry as JournalEntry,
  LogWrite,
  Recovered as JournalRecovered,
  Snapshot,
  SnapshotMark,
} from '../protocols/raft/messages.ts';
import type { Checkpoints } from './checkpoints.ts';
import { startingPoint } from './group-start.ts';
import type { Journal } from './journal.ts';
import { MARK_NONE } from './journal-group.ts';
import type { Disk } from './ports.ts';
import { understood } from './understood.ts';

/** In a region node's data folder, with one folder in it for each region of which it holds a copy. */
export const COPIES_FOLDER = 'regions';
/** Behind a copy's name: a folder that is to take its place. Nobody opens the copy before it has. */
export const RESTORED = '.restored';
/** Copies write less than groups, and each has a journal of its own. */
export const COPY_SEGMENT_BYTES: number = 1024 * 1024;
/** Of each copy, for going back to one of them. Source: seed, "last 10 kept". */
export const COPY_CHECKPOINTS_KEPT = 10;
/** Any place will do: what a blank copy must have again, its primary tells. */
const BLANK_UNTIL = 1;
const NO_MEMBERS = MARK_NONE.membership;

/** A copy's folder, opened. */
export interface CopyStorage {
  readonly disk: Disk;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly recovered: ReadonlyMap<number, JournalRecovered>;
}

/** What a copy begins with: what the core must know, and the state to restore, if there is one. */
export interface CopyStart {
  readonly recovered: Recovered;
  readonly state: Uint8Array | undefined;
}

/** Throws `CorruptionError` when what is stored does not give the state back, or `ForeignDataError`. */
export function startOfCopy(
  region: { readonly number: number; readonly name: string },
  stored: CopyStorage,
): CopyStart {
  const isNew = !stored.recovered.has(region.number);
  const { recovered, snapshot } = startingPoint(region, stored);
  const { runs, state } = understood(`the checkpoint of ${region.name}`, () => splitState(snapshot));
  return {
    recovered: {
      promised: recovered.hardState.term,
      isBlank: isNew || (recovered.healUntil ?? 0) > 0,
      mark: fromJournalMark(recovered.snapshot, runs),
      entries: recovered.entries.map(fromJournalEntry),
    },
    state,
  };
}

export function toLogWrite({ promised, isBlank, reset, entries }: CopyWrite): LogWrite {
  return {
    entries: entries.map(toJournalEntry),
    ...(promised === undefined ? {} : { hardState: { term: promised, votedFor: undefined } }),
    ...(isBlank === undefined ? {} : { healUntil: isBlank ? BLANK_UNTIL : 0 }),
    ...(reset === undefined ? {} : { reset: toJournalMark(reset) }),
  };
}

export function toJournalMark({ epoch, sequence, timeMs, digest }: Mark): SnapshotMark {
  return { index: sequence, term: epoch, timeMs, digest, membership: NO_MEMBERS };
}

/** What comes before the state in a checkpoint. */
export function stateHead(runs: readonly EpochRun[]): Uint8Array {
  const writer = new ByteWriter(64);
  writeRuns(writer, runs);
  return writer.finish();
}

/** The epochs of the log up to a whole checkpoint. Throws `ForeignDataError`. */
export function stateRuns({ state, index }: Snapshot): readonly EpochRun[] {
  return understood(`the checkpoint of entry ${index}`, () => split(state).runs);
}

/** The state machine's own bytes out of a checkpoint's. */
export function stateWithoutHead(bytes: Uint8Array): Uint8Array {
  return split(bytes).state;
}

function splitState(snapshot: Snapshot | undefined): {
  readonly runs: readonly EpochRun[];
  readonly state: Uint8Array | undefined;
} {
  return snapshot === undefined ? { runs: [], state: undefined } : split(snapshot.state);
}

function split(bytes: Uint8Array): {
  readonly runs: readonly EpochRun[];
  readonly state: Uint8Array;
} {
  const reader = new ByteReader(bytes);
  const runs = readRuns(reader);
  return { runs, state: bytes.subarray(reader.offset) };
}

function fromJournalMark(mark: SnapshotMark, runs: readonly EpochRun[]): Mark {
  const { index: sequence, term: epoch, timeMs, digest } = mark;
  return { epoch, sequence, timeMs, digest, runs };
}

function toJournalEntry({ epoch, sequence, kind, timeMs, data }: Entry): JournalEntry {
  return {
    index: sequence,
    term: epoch,
    kind: kind === 'opening' ? 'noop' : 'command',
    timeMs,
    data,
  };
}

function fromJournalEntry({ index, term, kind, timeMs, data }: JournalEntry): Entry {
  return {
    sequence: index,
    epoch: term,
    kind: kind === 'noop' ? 'opening' : 'command',
    timeMs,
    data,
  };
}
