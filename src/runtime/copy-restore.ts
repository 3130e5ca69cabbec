// Going back to an earlier state of a region, out of what its copies have on their disks.
//
// `host/restoring` does it while no node runs. The state of a checkpoint, and of the entries that a
// journal still holds behind it, is put back as the newest one: the log goes on, so that no place in it
// is ever given twice, and whoever remembers a place remembers something that was.
import { CorruptionError } from '../base/errors.ts';
import type { Mark } from '../protocols/primary/messages.ts';
import type { Entry, Recovered, SnapshotMark } from '../protocols/raft/messages.ts';
import type { StateMachine } from '../protocols/state-machine.ts';
import { type CheckpointFile, Checkpoints, listCheckpoints, readCheckpoint } from './checkpoints.ts';
import {
  COPY_CHECKPOINTS_KEPT,
  COPY_SEGMENT_BYTES,
  stateHead,
  stateWithoutHead,
  toJournalMark,
} from './copy-journal.ts';
import { recoverJournal } from './journal-recovery.ts';
import { Journal } from './journal.ts';
import type { Disk, ReadDisk } from './ports.ts';

export interface RegionName {
  readonly number: number;
  readonly name: string;
  readonly world: string;
}

/** The newest state that is not after this place of the log, or this moment of its time (Unix ms). */
export type RestoreTarget =
  | { readonly kind: 'sequence'; readonly sequence: number }
  | { readonly kind: 'time'; readonly ms: number };

export type Restorable =
  | {
      readonly kind: 'found';
      /** Which place the state is of. */
      readonly sequence: number;
      readonly timeMs: number;
      readonly state: Uint8Array;
      /** What the machine replied to each of the commands that followed. */
      readonly replies: readonly Uint8Array[];
      /** Where the log goes on with it. */
      readonly mark: Mark;
    }
  /** One sentence that says why not. */
  | { readonly kind: 'refused'; readonly sentence: string };

interface Stored {
  readonly disk: ReadDisk;
  readonly files: readonly CheckpointFile[];
  /** `undefined`: the journal is damaged or empty. */
  readonly recovered: Recovered | undefined;
}

/**
 * `machine` is new, of the region's own features; afterwards it holds what was found, and has applied
 * `afterwards`: what a region that goes back must do, as part of the entry at which its log goes on.
 */
export function findState(
  region: RegionName,
  o: {
    readonly copies: readonly ReadDisk[];
    readonly target: RestoreTarget;
    readonly machine: StateMachine;
    readonly afterwards: readonly Uint8Array[];
  },
): Restorable {
  const { copies, target, machine } = o;
  const stored = copies.map((disk) => storedIn(disk, region));
  const files = stored.flatMap((copy) => copy.files.map((file) => ({ file, disk: copy.disk })));
  const foreign = files.find(({ file }) => file.condition === 'foreign');
  if (foreign !== undefined) return refused(`${foreign.file.fault}: move it out of the folder.`);
  const isWanted = ({ index, timeMs }: { readonly index: number; readonly timeMs: number }): boolean =>
    target.kind === 'sequence' ? index <= target.sequence : timeMs <= target.ms;
  const base = files
    .filter(({ file }) => file.mark !== undefined && isWanted(file.mark))
    .sort((a, b) => compare(a.file, b.file))
    .at(-1);
  const entries = longest(stored, base?.file.mark).filter(isWanted);
  if (base === undefined && entries.length === 0) return refused(nothing(region, files));
  if (base !== undefined) {
    const snapshot = readCheckpoint(base.disk, base.file.name, region.world);
    machine.restore(stateWithoutHead(snapshot.state));
  }
  for (const { index, timeMs, kind, data } of entries) {
    if (kind === 'command') machine.apply({ index, timeMs, command: data });
  }
  const reached = entries.at(-1) ?? base?.file.mark;
  const mark = nextMark(stored);
  const { index: sequence, timeMs } = reached ?? { index: 0, timeMs: 0 };
  const place = { index: mark.sequence, timeMs: mark.timeMs };
  const replies = o.afterwards.map((command) => machine.apply({ ...place, command }).reply);
  return { kind: 'found', sequence, timeMs, state: machine.snapshot(), replies, mark };
}

/** Writes a copy that has nothing but this state into an empty folder; durable when this returns. */
export function writeRestored(
  disk: Disk,
  { number, name, world }: RegionName,
  { mark, state }: Extract<Restorable, { kind: 'found' }>,
): void {
  const head = stateHead(mark.runs);
  const bytes = new Uint8Array(head.length + state.length);
  bytes.set(head);
  bytes.set(state, head.length);
  const checkpoints = new Checkpoints(disk, { keep: COPY_CHECKPOINTS_KEPT, world });
  checkpoints.save(name, { ...toJournalMark(mark), state: bytes });
  const { journal } = Journal.open(disk, { segmentBytes: COPY_SEGMENT_BYTES });
  const hardState = { term: mark.epoch, votedFor: undefined };
  journal.stage(number, { hardState, reset: toJournalMark(mark), healUntil: 0, entries: [] });
  journal.flush(() => journal.close());
}

function storedIn(disk: ReadDisk, { number, name, world }: RegionName): Stored {
  const files = listCheckpoints(disk, name, world);
  try {
    return { disk, files, recovered: recoverJournal(disk).recovered.get(number) };
  } catch (cause) {
    if (!(cause instanceof CorruptionError)) throw cause;
    return { disk, files, recovered: undefined };
  }
}

/** The longest run of entries that some journal holds behind the mark, or from the very beginning on. */
function longest(stored: readonly Stored[], mark: SnapshotMark | undefined): readonly Entry[] {
  const runs = stored.map(({ recovered }) => following(recovered, mark));
  return runs.reduce((best, run) => (run.length > best.length ? run : best), []);
}

function following(
  recovered: Recovered | undefined,
  mark: SnapshotMark | undefined,
): readonly Entry[] {
  if (recovered === undefined) return [];
  const { index, term } = mark ?? { index: 0, term: 0 };
  const { snapshot, entries } = recovered;
  const isHeld =
    (snapshot.index === index && snapshot.term === term) ||
    entries.some((entry) => entry.index === index && entry.term === term);
  return isHeld ? entries.filter((entry) => entry.index > index) : [];
}

/**
 * Behind everything that any copy has, in the highest epoch that any has promised: its primary goes on
 * with it. Of the log before it nothing is said, so that a copy which missed the restore is sent the state.
 */
function nextMark(stored: readonly Stored[]): Mark {
  let [epoch, last, timeMs] = [1, 0, 0];
  const note = (mark: { readonly term: number; readonly index: number; readonly timeMs: number }): void => {
    epoch = Math.max(epoch, mark.term);
    last = Math.max(last, mark.index);
    timeMs = Math.max(timeMs, mark.timeMs);
  };
  for (const { files, recovered } of stored) {
    for (const { mark } of files) if (mark !== undefined) note(mark);
    if (recovered === undefined) continue;
    note(recovered.snapshot);
    for (const entry of recovered.entries) note(entry);
    epoch = Math.max(epoch, recovered.hardState.term);
  }
  const sequence = last + 1;
  // Events are numbered by the log's time: those of the new past come after all of the old.
  timeMs += 1;
  return { epoch, sequence, timeMs, digest: 0, runs: [{ epoch, first: sequence }] };
}

function compare({ mark: a }: CheckpointFile, { mark: b }: CheckpointFile): number {
  return (a?.term ?? 0) - (b?.term ?? 0) || (a?.index ?? 0) - (b?.index ?? 0);
}

function nothing(
  { name }: RegionName,
  files: readonly { readonly file: CheckpointFile }[],
): string {
  const oldest = files
    .flatMap(({ file }) => file.mark ?? [])
    .sort((a, b) => a.index - b.index)[0];
  if (oldest === undefined) return `There is no whole checkpoint of ${name}.`;
  return `Nothing of ${name} is that old: the oldest checkpoint is of entry ${oldest.index}.`;
}

function refused(sentence: string): Restorable {
  return { kind: 'refused', sentence };
}
