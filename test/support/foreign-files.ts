// Files as another version of the program would have written them: whole, with a format of its own.
import { crc32c } from '../../src/base/crc32c.ts';
import { recordAt } from '../../src/runtime/journal-record.ts';

/** Behind the magic. */
const CHECKPOINT_FORMAT_AT = 4;
const CRC_BYTES = 4;
/** Behind length, checksum, the batch's number in one byte, and the header's tag. */
const JOURNAL_FORMAT_AT = 10;

/** A checkpoint's bytes in the format after its own, with the right checksum. */
export function newerCheckpoint(bytes: Uint8Array): Uint8Array {
  const newer = withNext(bytes, CHECKPOINT_FORMAT_AT);
  const end = newer.length - CRC_BYTES;
  new DataView(newer.buffer).setUint32(end, crc32c(newer, 0, end), true);
  return newer;
}

/** The same for a journal's first record, which must be one of the first 127 batches. */
export function newerJournal(bytes: Uint8Array): Uint8Array {
  const newer = withNext(bytes, JOURNAL_FORMAT_AT);
  const end = recordAt(bytes, 0)?.end ?? 0;
  const sum = crc32c(newer, 8, end, crc32c(newer, 0, 4));
  new DataView(newer.buffer).setUint32(4, sum, true);
  return newer;
}

function withNext(bytes: Uint8Array, at: number): Uint8Array {
  const next = Uint8Array.from(bytes);
  next[at] = (next[at] ?? 0) + 1;
  return next;
}
