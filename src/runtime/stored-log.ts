// The one log of a region, out of what its copies have on their disks.
//
// `copy-restore.ts` goes back in it. Copies may disagree: one may hold a tail that was lost when another
// became primary, or have made a checkpoint of it. As in a succession, the log that reached the highest
// (epoch, sequence) is the region's, for it began with everything that was acknowledged; what others hold
// counts where it is of that log, as its epochs tell, since an epoch and a sequence name an entry for ever.
import { CorruptionError, ForeignDataError } from '../base/errors.ts';
import { Epochs } from '../protocols/primary/epochs.ts';
import type { Entry, Recovered, SnapshotMark } from '../protocols/raft/messages.ts';
import { type CheckpointFile, listCheckpoints, readCheckpoint } from './checkpoints.ts';
import { stateRuns } from './copy-journal.ts';
import { recoverJournal } from './journal-recovery.ts';
import type { ReadDisk } from './ports.ts';

export interface RegionName {
  readonly number: number;
  readonly name: string;
  readonly world: string;
}

/** What lies on a copy's disk. */
export interface StoredCopy {
  readonly disk: ReadDisk;
  readonly files: readonly CheckpointFile[];
  /** `undefined`: the journal is damaged or empty. */
  readonly recovered: Recovered | undefined;
}

/** A place of the log and its time (Unix ms). */
export type LogPlace = Pick<SnapshotMark, 'term' | 'index' | 'timeMs'>;

export interface HeldCheckpoint {
  readonly disk: ReadDisk;
  readonly name: string;
  readonly mark: SnapshotMark;
}

export interface StoredLog {
  readonly end: LogPlace;
  /** Whole ones of this log, ascending. */
  readonly checkpoints: readonly HeldCheckpoint[];
  /** By index: what some journal holds of this log. */
  readonly entries: ReadonlyMap<number, Entry>;
}

/** Throws `ForeignDataError` where anything is whole, and of another world or program. */
export function storedCopy(disk: ReadDisk, { number, name, world }: RegionName): StoredCopy {
  const files = listCheckpoints(disk, name, world);
  const foreign = files.find(({ condition }) => condition === 'foreign');
  if (foreign !== undefined) {
    throw new ForeignDataError(`${disk.path(foreign.name)} can not be understood: ${foreign.fault}`);
  }
  try {
    return { disk, files, recovered: recoverJournal(disk).recovered.get(number) };
  } catch (cause) {
    if (!(cause instanceof CorruptionError)) throw cause;
    return { disk, files, recovered: undefined };
  }
}

/** `undefined` where no copy has anything. */
export function storedLog(copies: readonly StoredCopy[], { world }: RegionName): StoredLog | undefined {
  const marks = copies.flatMap(marksIn);
  const journals = copies.flatMap(({ recovered }) => recovered ?? []);
  const ends: LogPlace[] = [...marks.map(({ mark }) => mark), ...journals.map(endOf)];
  const end = ends.reduce((best, other) => (comparePlaces(other, best) > 0 ? other : best), NOWHERE);
  if (end.index === 0) return undefined;
  const epochs = epochsUpTo(end, { marks, journals, world });
  const isOfIt = ({ term, index }: Place): boolean => index <= end.index && epochs.epochAt(index) === term;
  const checkpoints = marks
    .filter(({ mark }) => isOfIt(mark))
    .sort((a, b) => comparePlaces(a.mark, b.mark));
  const entries = journals.flatMap((journal) => journal.entries.filter(isOfIt));
  return { end, checkpoints, entries: new Map(entries.map((entry) => [entry.index, entry])) };
}

/** Every place that a copy's disk tells of. */
export function placesIn(copy: StoredCopy): readonly LogPlace[] {
  const { recovered } = copy;
  const marks = marksIn(copy).map(({ mark }) => mark);
  return recovered === undefined ? marks : [...marks, recovered.snapshot, ...recovered.entries];
}

type Place = Pick<LogPlace, 'term' | 'index'>;

const NOWHERE: LogPlace = { term: 0, index: 0, timeMs: 0 };

function marksIn({ disk, files }: StoredCopy): readonly HeldCheckpoint[] {
  return files.flatMap(({ name, mark }) => (mark === undefined ? [] : { disk, name, mark }));
}

function endOf({ snapshot, entries }: Recovered): LogPlace {
  return entries.at(-1) ?? snapshot;
}

/**
 * The epochs of the log that ends there: those of the journal that reaches back farthest among those that
 * end in its epoch, whose log is one, and those before it that the newest of its checkpoints tells.
 */
function epochsUpTo(
  end: Place,
  o: {
    readonly marks: readonly HeldCheckpoint[];
    readonly journals: readonly Recovered[];
    readonly world: string;
  },
): Epochs {
  const [journal] = o.journals
    .filter((each) => endOf(each).term === end.term)
    .sort((a, b) => a.snapshot.index - b.snapshot.index);
  const known = journal === undefined ? [end] : [journal.snapshot, ...journal.entries];
  const own = epochsOf(known);
  const newest = o.marks
    .filter(({ mark }) => mark.index <= end.index && own.epochAt(mark.index) === mark.term)
    .reduce<HeldCheckpoint | undefined>(
      (best, other) => (other.mark.index > (best?.mark.index ?? 0) ? other : best),
      undefined,
    );
  if (newest === undefined) return own;
  const { disk, name, mark } = newest;
  const epochs = new Epochs(stateRuns(readCheckpoint(disk, name, o.world)));
  for (const { term, index } of known) if (index > mark.index) epochs.appended(term, index);
  return epochs;
}

function epochsOf(places: readonly Place[]): Epochs {
  const epochs = new Epochs();
  for (const { term, index } of places) if (index > 0) epochs.appended(term, index);
  return epochs;
}

function comparePlaces(a: Place, b: Place): number {
  return a.term - b.term || a.index - b.index;
}
