// Going back to an earlier state of a region, out of what its copies have on their disks.
//
// `host/restoring` does it while no node runs. The state of a checkpoint of the region's log, and of the
// entries that journals still hold behind it, is put back as the newest one: the log goes on, so that no
// place in it is ever given twice, and whoever remembers a place remembers something that was.
import { ForeignDataError } from '../base/errors.ts';
import type { Mark } from '../protocols/primary/messages.ts';
import type { Entry } from '../protocols/raft/messages.ts';
import type { StateMachine } from '../protocols/state-machine.ts';
import { Checkpoints, readCheckpoint } from './checkpoints.ts';
import {
  COPY_CHECKPOINTS_KEPT,
  COPY_SEGMENT_BYTES,
  stateHead,
  stateWithoutHead,
  toJournalMark,
} from './copy-journal.ts';
import { Journal } from './journal.ts';
import type { Disk, ReadDisk } from './ports.ts';
import {
  type LogPlace,
  placesIn,
  type RegionName,
  type StoredCopy,
  storedCopy,
  type StoredLog,
  storedLog,
} from './stored-log.ts';
import { understood } from './understood.ts';

/** The newest state that is not after this place of the log, or this moment of its time (Unix ms). */
export type RestoreTarget =
  | { readonly kind: 'sequence'; readonly sequence: number }
  | { readonly kind: 'time'; readonly ms: number };

export interface RestoreWish {
  readonly copies: readonly ReadDisk[];
  readonly target: RestoreTarget;
  readonly machine: StateMachine;
  /** What a region that goes back must do, as part of the entry at which its log goes on. */
  readonly afterwards: readonly Uint8Array[];
}

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

/** `machine` is new, of the region's own features; afterwards it holds what was found. */
export function findState(region: RegionName, wish: RestoreWish): Restorable {
  try {
    return findInLog(region, wish);
  } catch (cause) {
    if (!(cause instanceof ForeignDataError)) throw cause;
    return refused(`${cause.message}: move it out of the folder.`);
  }
}

function findInLog(region: RegionName, { target, machine, ...o }: RestoreWish): Restorable {
  const copies = o.copies.map((disk) => storedCopy(disk, region));
  const log = storedLog(copies, region);
  if (log === undefined) return refused(`The copies of ${region.name} hold nothing.`);
  if (isBehind(target, log.end)) {
    const ends = `The log of ${region.name} ends at entry ${log.end.index}, and nothing of it is later`;
    return refused(`${ends}: name that entry to put its newest state into all copies.`);
  }
  const isWanted = ({ index, timeMs }: LogPlace): boolean =>
    target.kind === 'sequence' ? index <= target.sequence : timeMs <= target.ms;
  const base = log.checkpoints.filter(({ mark }) => isWanted(mark)).at(-1);
  const entries = following(log, base?.mark.index ?? 0, isWanted);
  const reached = entries.at(-1) ?? base?.mark;
  if (reached === undefined) return refused(nothing(region, log));
  if (base !== undefined) {
    const { state } = readCheckpoint(base.disk, base.name, region.world);
    understood(base.name, () => machine.restore(stateWithoutHead(state)));
  }
  for (const { index, timeMs, kind, data } of entries) {
    if (kind === 'command') machine.apply({ index, timeMs, command: data });
  }
  const mark = nextMark(copies);
  const { index: sequence, timeMs } = reached;
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

function isBehind(target: RestoreTarget, end: LogPlace): boolean {
  return target.kind === 'sequence' ? target.sequence > end.index : target.ms > end.timeMs;
}

/** The entries behind that one, without a gap. */
function following(
  { entries }: StoredLog,
  index: number,
  isWanted: (place: LogPlace) => boolean,
): readonly Entry[] {
  const found: Entry[] = [];
  for (let next = index + 1; ; next++) {
    const entry = entries.get(next);
    if (entry === undefined || !isWanted(entry)) return found;
    found.push(entry);
  }
}

/**
 * Behind everything that any copy has, in the highest epoch that any has promised: its primary goes on
 * with it. Of the log before it nothing is said, so that a copy which missed the restore is sent the state.
 */
function nextMark(copies: readonly StoredCopy[]): Mark {
  let [epoch, last, timeMs] = [1, 0, 0];
  for (const copy of copies) {
    epoch = Math.max(epoch, copy.recovered?.hardState.term ?? 0);
    for (const place of placesIn(copy)) {
      epoch = Math.max(epoch, place.term);
      last = Math.max(last, place.index);
      timeMs = Math.max(timeMs, place.timeMs);
    }
  }
  const sequence = last + 1;
  // Events are numbered by the log's time: those of the new past come after all of the old.
  timeMs += 1;
  return { epoch, sequence, timeMs, digest: 0, runs: [{ epoch, first: sequence }] };
}

function nothing({ name }: RegionName, { checkpoints, end }: StoredLog): string {
  const [oldest] = checkpoints;
  const why =
    oldest === undefined
      ? `there is no whole checkpoint of its log, which ends at entry ${end.index}`
      : `the oldest checkpoint is of entry ${oldest.mark.index}`;
  return `Nothing of ${name} is that old: ${why}.`;
}

function refused(sentence: string): Restorable {
  return { kind: 'refused', sentence };
}
