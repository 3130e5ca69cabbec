// How many files a machine of a simulated world may keep, by what its plan makes small.
//
// `course.ts` compares. Whoever keeps more holds what nobody needs, and goes on to until its disk is full:
// a number that fits every plan would be reached by small segments alone, and by large ones never.
import { CHECKPOINTS_KEPT } from '../../runtime/checkpoints.ts';
import { COPY_CHECKPOINTS_KEPT } from '../../runtime/copy-journal.ts';
import type { CopyLimits } from '../../runtime/copy-machine.ts';
import { SEGMENTS_HELD_MAX } from '../../runtime/journal.ts';
import { SECTOR_BYTES } from '../../runtime/journal-record.ts';
import { ENTRY_OVERHEAD_BYTES } from '../../runtime/kept-state.ts';
import { SLOW_SYNC_MS_MAX } from '../plan/draws.ts';
import type { Plan } from '../plan/plan.ts';

/** No process writes more for longer than a moment: a batch is a sector or two, and waits for a message. */
const BYTES_PER_MS_MAX = 1_024;
/** The present segment, and the one that is prepared. */
const OPEN_SEGMENTS = 2;
/** What is written for an entry is so many times what it weighs when a checkpoint is due, or less. */
const WRITTEN_PER_WEIGHT = SECTOR_BYTES / ENTRY_OVERHEAD_BYTES;
/** The journal keeps what the checkpoint before the newest needs. */
const CHECKPOINTS_COVERED = 2;

export interface NodeFacts {
  readonly groups: number;
  /** So often did a process find the folder as it is. */
  readonly starts: number;
  /** The longest time in which no timer rings. */
  readonly timerMs: number;
}

export interface CopyFacts {
  readonly limits: Pick<CopyLimits, 'checkpointBytesMin'>;
  readonly starts: number;
  /** Of the largest checkpoint. */
  readonly stateBytes: number;
}

/**
 * Of all groups of a global node, which share a journal. Whichever holds back more segments than are
 * awaited takes two checkpoints, each when the next timer rings, or writes anew what is not committed.
 */
export function groupFilesMax(plan: Plan, { groups, starts, timerMs }: NodeFacts): number {
  const reliefMs = CHECKPOINTS_COVERED * (timerMs + publishMsMax(plan));
  const writtenMeanwhile = Math.ceil((reliefMs * BYTES_PER_MS_MAX) / plan.segmentBytes);
  // Each start opens a segment.
  const segments = SEGMENTS_HELD_MAX + OPEN_SEGMENTS + starts + writtenMeanwhile;
  return segments + CHECKPOINTS_KEPT * groups;
}

/** Of one copy of a region, which takes a checkpoint when its log weighs as much as its state. */
export function copyFilesMax(plan: Plan, { limits, starts, stateBytes }: CopyFacts): number {
  const dueBytes = Math.max(limits.checkpointBytesMin, stateBytes);
  const loggedBytes = dueBytes * WRITTEN_PER_WEIGHT + publishMsMax(plan) * BYTES_PER_MS_MAX;
  const segments = Math.ceil((CHECKPOINTS_COVERED * loggedBytes) / plan.segmentBytes);
  return segments + OPEN_SEGMENTS + starts + COPY_CHECKPOINTS_KEPT;
}

function publishMsMax({ syncUsMax }: Plan): number {
  return syncUsMax / 1_000 + SLOW_SYNC_MS_MAX;
}
