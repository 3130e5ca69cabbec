// Turning a state into a checkpoint without standing still, and a received one into the machine's state.
//
// Groups and copies begin one when a checkpoint is due, or a state has come from whoever leads them.
// 1. What a state machine applies while it is saved does not get in: the bytes are those of the moment at
//    which the walk began.
// 2. A received state is durable before it is the machine's; it becomes that in one step, and until then
//    the old one stands.
import { crc32c } from '../base/crc32c.ts';
import type { SnapshotMark } from '../protocols/raft/messages.ts';
import { restoredInSlices, slicesOf, type StateMachine } from '../protocols/state-machine.ts';
import type { CheckpointDraft, Checkpoints } from './checkpoints.ts';
import { inPieces, type PieceOptions } from './in-pieces.ts';

/** Parts are cut to this: what is summed up at once, and what travels in one message. */
export const PART_BYTES: number = 256 * 1024;

export interface WalkedState {
  readonly mark: SnapshotMark;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** CRC-32C of the machine's own bytes. */
  readonly stateHash: number;
}

export interface Walk extends PieceOptions {
  readonly checkpoints: Checkpoints;
  readonly group: string;
  readonly mark: SnapshotMark;
  readonly machine: StateMachine;
}

export interface SavingWalk extends Walk {
  /** What comes before the machine's bytes in the file. */
  readonly head?: Uint8Array;
  /** The bytes are complete, and not yet durable. */
  walked(state: WalkedState): void;
  /** The checkpoint is durable. */
  saved(): void;
}

export interface InstallingWalk extends Walk {
  /** What makes up the file, in order. */
  readonly parts: readonly Uint8Array[];
  /** The machine's own bytes among those. */
  stateIn(bytes: Uint8Array): Uint8Array;
  /** The state is durable and the machine's. */
  installed(state: Pick<WalkedState, 'bytes' | 'stateHash'>): void;
}

/** Begins at once, with what must be frozen; the rest is done bit by bit. */
export function walkToCheckpoint(o: SavingWalk): void {
  const draft = o.checkpoints.draft(o.group, o.mark);
  inPieces(walkOver(o, draft), o, (walked) => {
    o.walked(walked);
    draft.publishSoon(() => o.saved());
  });
}

/** The checkpoint first: it is what a process finds that dies on the way. */
export function installInPieces(o: InstallingWalk): void {
  const draft = o.checkpoints.draft(o.group, o.mark);
  inPieces(joined(o.parts, (piece) => draft.add(piece)), o, (bytes) => {
    draft.publishSoon(() => o.guarded(() => takeOver(o, bytes)));
  });
}

function takeOver(o: InstallingWalk, bytes: Uint8Array): void {
  inPieces(restoring(o.machine, o.stateIn(bytes)), o, o.installed);
}

function* walkOver(o: SavingWalk, draft: CheckpointDraft): Generator<undefined, WalkedState> {
  const made = yield* slicesOf(o.machine);
  const parts: Uint8Array[] = [];
  if (o.head !== undefined) {
    parts.push(o.head);
    draft.add(o.head);
  }
  let [bytes, stateHash] = [o.head?.length ?? 0, 0];
  for (const piece of made) {
    for (const part of cut(piece)) {
      stateHash = crc32c(part, 0, part.length, stateHash);
      bytes += part.length;
      parts.push(part);
      draft.add(part);
      yield undefined;
    }
  }
  return { mark: o.mark, parts, bytes, stateHash };
}

/** The parts in one; `each` is handed all of it on the way, piece by piece. */
export function* joined(
  parts: readonly Uint8Array[],
  each: (piece: Uint8Array) => void = () => {},
): Generator<undefined, Uint8Array> {
  const [only] = parts;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = parts.length === 1 && only !== undefined ? only : new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    for (const piece of cut(part)) {
      each(piece);
      if (part !== whole) whole.set(piece, at);
      at += piece.length;
      yield undefined;
    }
  }
  return whole;
}

function* restoring(
  machine: StateMachine,
  state: Uint8Array,
): Generator<undefined, Pick<WalkedState, 'bytes' | 'stateHash'>> {
  let stateHash = 0;
  for (const part of cut(state)) {
    stateHash = crc32c(part, 0, part.length, stateHash);
    yield undefined;
  }
  yield* restoredInSlices(machine, state);
  return { bytes: state.length, stateHash };
}

/** In parts of `PART_BYTES`. */
export function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}
