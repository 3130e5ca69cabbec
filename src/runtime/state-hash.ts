// The hash of a group's whole state at places of the log that its members agree upon without a word.
//
// `raft-machine.ts` asks after each entry whether it is one, and has the state walked bit by bit beside the
// loop: only what the walk must find as it is now is frozen before the next entry is applied.
// The larger a state, the farther apart the places lie, by powers of two: members that measured it at
// different moments, and judge it differently, still meet at those that are farther apart.
import { crc32c } from '../base/crc32c.ts';
import { slicesOf, type StateMachine } from '../protocols/state-machine.ts';
import { cut } from './checkpoint-walk.ts';
import { inPieces, type PieceOptions } from './in-pieces.ts';

export interface HashPlaces {
  /** At least so many entries lie between two of them. */
  readonly stateHashEvery: number;
  /** On the average no more of the state is walked for an entry than this. */
  readonly hashedBytesPerEntry: number;
}

/** A state of 16 KiB is hashed each 4,096 entries. */
export const HASH_PLACES: HashPlaces = { stateHashEvery: 4_096, hashedBytesPerEntry: 4 };

/** All members walk at the same time, so that no other one makes good for who does: in small pieces. */
const HASH_PIECE_MS = 1;

export interface HashedState {
  readonly hash: number;
  readonly bytes: number;
}

/** Whether the state after this entry is hashed, being about so large. */
export function isHashPlace(
  index: number,
  stateBytes: number,
  { stateHashEvery, hashedBytesPerEntry }: HashPlaces,
): boolean {
  let every = stateHashEvery;
  if (index % every !== 0) return false;
  while (every * hashedBytesPerEntry < stateBytes) every *= 2;
  return index % every === 0;
}

/** Of the state as it is now; no other walk over it may be under way. */
export function hashInPieces(
  machine: StateMachine,
  { clock, guarded }: Omit<PieceOptions, 'pieceMs'>,
  done: (hashed: HashedState) => void,
): void {
  inPieces(hashing(machine), { clock, guarded, pieceMs: HASH_PIECE_MS }, done);
}

function* hashing(machine: StateMachine): Generator<undefined, HashedState> {
  let [hash, bytes] = [0, 0];
  for (const part of yield* slicesOf(machine)) {
    for (const piece of cut(part)) {
      hash = crc32c(piece, 0, piece.length, hash);
      bytes += piece.length;
      yield undefined;
    }
  }
  return { hash, bytes };
}
