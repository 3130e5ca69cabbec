// A recorded history, read line by line: text in UTF-8 whose lines end in a line feed.
//
// `cli/verify` feeds the lines to the reader of histories. Blocks are read one after the other, so that a
// file of any size costs one block and one line of memory.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InvalidInputError } from '../../base/errors.ts';
import { StartError } from './start-error.ts';

const BLOCK_BYTES = 1 << 20;
const LINE_FEED = 10;

/** Some lines, and how far into the file they reach. */
export interface LinesRead {
  readonly lines: readonly string[];
  readonly bytes: number;
  readonly bytesTotal: number;
}

/**
 * All lines of the file, a block at a time; the last one needs no line feed. Throws `StartError` when the
 * file can not be read, `InvalidInputError` for a line of more than `lineBytesMax` bytes, by a block at
 * most, and for what is no UTF-8.
 */
export function* readLines(file: string, lineBytesMax: number): Generator<LinesRead> {
  const { handle, bytesTotal } = open(file);
  try {
    yield* linesOf(handle, bytesTotal, lineBytesMax);
  } finally {
    closeSync(handle);
  }
}

function* linesOf(handle: number, bytesTotal: number, lineBytesMax: number): Generator<LinesRead> {
  const block = Buffer.alloc(BLOCK_BYTES);
  /** The beginning of a line whose end is in a later block. */
  let rest: Buffer = Buffer.alloc(0);
  let [bytes, count] = [0, 0];
  for (;;) {
    const read = block.subarray(0, readSync(handle, block, 0, BLOCK_BYTES, null));
    bytes += read.length;
    const end = read.lastIndexOf(LINE_FEED) + 1;
    const isLast = read.length === 0;
    const whole = Buffer.concat([rest, read.subarray(0, end)]);
    if (end > 0 || (isLast && whole.length > 0)) {
      const lines = decode(whole, count + 1).split('\n');
      if (end > 0) lines.pop();
      count += lines.length;
      rest = Buffer.from(read.subarray(end));
      yield { lines, bytes, bytesTotal };
    } else {
      rest = Buffer.concat([rest, read]);
      if (rest.length > lineBytesMax) {
        throw new InvalidInputError(`line ${count + 1} is longer than ${lineBytesMax} bytes`);
      }
    }
    if (isLast) return;
  }
}

function decode(bytes: Uint8Array, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidInputError(`in or behind line ${line} stands what is no UTF-8`, { cause });
  }
}

function open(file: string): { readonly handle: number; readonly bytesTotal: number } {
  try {
    const handle = openSync(file, 'r');
    const entry = fstatSync(handle);
    if (!entry.isDirectory()) return { handle, bytesTotal: entry.size };
    closeSync(handle);
  } catch (cause) {
    throw new StartError(`${file} can not be opened: name a file that holds a history.`, { cause });
  }
  throw new StartError(`${file} is a folder: name a file that holds a history.`);
}
