// Stored bytes that are whole and that this program can not read.
//
// Checkpoints and the journal are read through it. What a checksum holds for was written so: a state that
// can not be read is not damaged, and setting it aside would lose it for the program that wrote it.
import { CorruptionError, ForeignDataError, InvalidInputError } from '../base/errors.ts';

/** Reads `what`, whose checksum holds; throws `ForeignDataError` for what can not be understood. */
export function understood<Result>(what: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof InvalidInputError || cause instanceof CorruptionError)) throw cause;
    throw new ForeignDataError(`${what} can not be understood: ${cause.message}`, { cause });
  }
}
