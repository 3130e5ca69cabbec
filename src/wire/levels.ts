// How safe a regional command must be before it is answered, and how old a regional read may be.
//
// Features declare a level for each command, players may ask for another one in their frames, asks carry
// both to the copy that serves them (`runtime/replica-set`). Linearizable groups know neither: theirs is
// always a quorum and always the newest.
import { type ByteReader, type ByteWriter } from '../base/bytes.ts';
import { InvalidInputError } from '../base/errors.ts';

/**
 * On whose disks a command lies when it is answered: the primary's, a majority's of the region's copies,
 * or all copies'. `one` may be lost if the primary dies for good; `all` ends as `uncertain` while any
 * copy is away.
 */
export type AckLevel = 'one' | 'quorum' | 'all';

export const ackLevels: readonly AckLevel[] = ['one', 'quorum', 'all'];

/**
 * Which copy may serve a read.
 *
 * - `primary`: only the primary: newer than everything that was answered before.
 * - `atLeast`: any copy that has applied this place of the region's log: what the asker knows of.
 * - `atMostMsOld`: any copy whose state is at most so old, soundly, whatever the clocks say.
 */
export type ReadBound =
  | { readonly kind: 'primary' }
  | { readonly kind: 'atLeast'; readonly epoch: number; readonly sequence: number }
  | { readonly kind: 'atMostMsOld'; readonly ms: number };

/** Beyond a minute a read is a wish for any state at all. */
export const BOUND_MS_MAX = 60_000;

const UNSAID = 0;
const PRIMARY = 1;
const AT_LEAST = 2;
const AT_MOST_MS_OLD = 3;

export function writeLevel(writer: ByteWriter, level: AckLevel | undefined): void {
  writer.u8(level === undefined ? UNSAID : 1 + ackLevels.indexOf(level));
}

/** Throws `InvalidInputError` for what `writeLevel` did not write; so does `readBound`. */
export function readLevel(reader: ByteReader): AckLevel | undefined {
  const tag = reader.u8();
  const level = ackLevels[tag - 1];
  if (tag !== UNSAID && level === undefined) throw new InvalidInputError(`level ${tag}`);
  return level;
}

export function writeBound(writer: ByteWriter, bound: ReadBound | undefined): void {
  switch (bound?.kind) {
    case undefined:
      writer.u8(UNSAID);
      return;
    case 'primary':
      writer.u8(PRIMARY);
      return;
    case 'atLeast':
      writer.u8(AT_LEAST).varint(bound.epoch).varint(bound.sequence);
      return;
    case 'atMostMsOld':
      writer.u8(AT_MOST_MS_OLD).varint(bound.ms);
  }
}

export function readBound(reader: ByteReader): ReadBound | undefined {
  const tag = reader.u8();
  switch (tag) {
    case UNSAID:
      return undefined;
    case PRIMARY:
      return { kind: 'primary' };
    case AT_LEAST:
      return { kind: 'atLeast', epoch: reader.varint(), sequence: reader.varint() };
    case AT_MOST_MS_OLD:
      return { kind: 'atMostMsOld', ms: reader.varint() };
    default:
      throw new InvalidInputError(`bound ${tag}`);
  }
}
