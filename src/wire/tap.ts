// What a node writes down of an entry that it applies, so that a drill can hold every answer against the log.
//
// `runtime` hands the entries to a tap, `adapters/node/tap-file` writes these bytes and reads them again.
// The layout: the length of the rest as 32 bits, then term or epoch, index and time as varints, one byte that
// says whether it bears a command, and if so command and reply, each behind its length.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { InvalidInputError } from '../base/errors.ts';

const LENGTH_BYTES = 4;
const BARE = 0;
const COMMAND = 1;

export interface TappedCommand {
  readonly command: Uint8Array;
  readonly reply: Uint8Array;
}

/** An entry of one log, and what it came to where it was applied. */
export interface Tapped {
  /** The term of a group's entry, the epoch of a region's. */
  readonly epoch: number;
  readonly index: number;
  /** Unix ms, as the entry bears it. */
  readonly timeMs: number;
  /** `undefined` for what a protocol enters for itself: an opening, a change of members. */
  readonly applied: TappedCommand | undefined;
}

export function encodeTapped({ epoch, index, timeMs, applied }: Tapped): Uint8Array {
  const size = applied === undefined ? 0 : applied.command.length + applied.reply.length;
  const writer = new ByteWriter(64 + size).u32(0).varint(epoch).varint(index).varint(timeMs);
  if (applied === undefined) writer.u8(BARE);
  else writer.u8(COMMAND).bytes(applied.command).bytes(applied.reply);
  return writer.patchU32(0, writer.length - LENGTH_BYTES).finish();
}

/**
 * The entries in the order in which they were written, as views. A last one that is cut off, by the end of
 * its process, is left out. Throws `InvalidInputError` for bytes that `encodeTapped` did not make.
 */
export function* decodeTapped(bytes: Uint8Array): Generator<Tapped, void> {
  const reader = new ByteReader(bytes);
  while (reader.remaining >= LENGTH_BYTES) {
    const length = reader.u32();
    if (reader.remaining < length) return;
    const after = reader.remaining - length;
    const entry = { epoch: reader.varint(), index: reader.varint(), timeMs: reader.varint() };
    const kind = reader.u8();
    if (kind !== BARE && kind !== COMMAND) throw new InvalidInputError(`tapped entry ${kind}`);
    const applied = kind === BARE ? undefined : { command: reader.view(), reply: reader.view() };
    if (reader.remaining !== after) {
      throw new InvalidInputError(`tapped entry ${entry.index} is not ${length} bytes`);
    }
    yield { ...entry, applied };
  }
}
