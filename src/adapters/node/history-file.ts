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
 * All lines of the file, a block at a time; an empty one behind the last line feed is none. Throws
 * `StartError` when the file can not be read, `InvalidInputError` for a line of more than `lineBytesMax`
 * bytes and for what is no UTF-8.
 */
export function* readLines(file: string, lineBytesMax: number): Generator<LinesRead> {
  const handle = open(file);
  try {
    yield* linesOf(handle, lineBytesMax);
  } finally {
    closeSync(handle);
  }
}

function* linesOf(handle: number, lineBytesMax: number): Generator<LinesRead> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const bytesTotal = fstatSync(handle).size;
  const block = Buffer.alloc(BLOCK_BYTES);
  let rest: Uint8Array = new Uint8Array(0);
  let bytes = 0;
  for (;;) {
    const read = readSync(handle, block, 0, BLOCK_BYTES, null);
    bytes += read;
    const end = read === 0 ? -1 : block.subarray(0, read).lastIndexOf(LINE_FEED);
    if (end < 0) rest = Buffer.concat([rest, block.subarray(0, read)]);
    if (rest.length > lineBytesMax) {
      throw new InvalidInputError(`a line is longer than ${lineBytesMax} bytes`);
    }
    if (read === 0) break;
    if (end < 0) continue;
    const whole = Buffer.concat([rest, block.subarray(0, end)]);
    rest = Buffer.from(block.subarray(end + 1, read));
    yield { lines: decode(decoder, whole).split('\n'), bytes, bytesTotal };
  }
  if (rest.length > 0) yield { lines: [decode(decoder, rest)], bytes, bytesTotal };
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new InvalidInputError('the file is not UTF-8', { cause });
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new StartError(`${file} can not be opened: name a file with a history.`, { cause });
  }
}
