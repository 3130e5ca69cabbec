// Turning a state into a checkpoint without standing still: a few milliseconds of work, then a pause.
//
// Groups and copies begin one when a checkpoint is due. What the state machine applies meanwhile does not
// get in: the bytes are those of the moment at which the walk began.
import { crc32c } from '../base/crc32c.ts';
import type { SnapshotMark } from '../protocols/raft/messages.ts';
import { slicesOf, type StateMachine } from '../protocols/state-machine.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Clock } from './ports.ts';

/** One piece of work; a tick of a region waits no longer for it. */
const WORK_MS = 4;
/** Between two pieces, so that the walk takes about a third of the time. */
const PAUSE_MS = 8;
/** Parts are cut to this: what is summed up at once, and what travels in one message. */
export const PART_BYTES: number = 256 * 1024;

export interface WalkedState {
  readonly mark: SnapshotMark;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** CRC-32C of the machine's own bytes. */
  readonly stateHash: number;
}

export interface WalkOptions {
  readonly clock: Clock;
  readonly checkpoints: Checkpoints;
  readonly group: string;
  readonly mark: SnapshotMark;
  readonly machine: StateMachine;
  /** What comes before the machine's bytes in the file. */
  readonly head?: Uint8Array;
  /** Every break of a promise on the way ends the process through it. */
  guarded(work: () => void): void;
  /** The bytes are complete, and not yet durable. */
  walked(state: WalkedState): void;
  /** The checkpoint is durable. */
  saved(): void;
}

/** Begins at once, with what must be frozen; the rest is done bit by bit. */
export function walkToCheckpoint(o: WalkOptions): void {
  const { clock } = o;
  const work = allWork(o);
  const go = (): void => {
    const untilMs = clock.monotonicMs() + WORK_MS;
    let isDone = false;
    while (!isDone && clock.monotonicMs() < untilMs) isDone = work.next().done === true;
    if (!isDone) clock.wakeAt(clock.monotonicMs() + PAUSE_MS, () => o.guarded(go));
  };
  go();
}

/** Each `next` is short. */
function* allWork(o: WalkOptions): Generator<undefined, void> {
  const draft = o.checkpoints.draft(o.group, o.mark);
  const made = yield* slicesOf(o.machine);
  const parts: Uint8Array[] = [];
  if (o.head !== undefined) {
    parts.push(o.head);
    draft.add(o.head);
  }
  let [bytes, stateHash] = [o.head?.length ?? 0, 0];
  for (const piece of made) {
    for (let at = 0; at < piece.length; at += PART_BYTES) {
      const part = piece.subarray(at, at + PART_BYTES);
      stateHash = crc32c(part, 0, part.length, stateHash);
      bytes += part.length;
      parts.push(part);
      draft.add(part);
      yield undefined;
    }
  }
  o.walked({ mark: o.mark, parts, bytes, stateHash });
  draft.publishSoon(() => o.saved());
}
