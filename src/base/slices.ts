// Saving and loading a large state slice by slice: some of it at a time, then whoever waits has a turn.
//
// State machines and features use it for what may grow large; the drivers of `runtime` take the steps.
// The bytes are those that a plain loop would write, and what is loaded is what one would load.
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { CowMap } from './cow-map.ts';

/** About half a millisecond of small entries. */
const SLICE_BYTES: number = 32 * 1024;
/** About a millisecond of them. */
const CHANGES_PER_SLICE = 2_000;

/**
 * A snapshot in the making. Each `next` works for a few milliseconds at most; the last one returns the
 * bytes in parts, which are those of the moment of the first `next`, whatever is applied in between.
 * One at a time; it must be brought to its end.
 */
export type Slices = Generator<undefined, readonly Uint8Array[]>;

/**
 * Something large that is being read. Each `next` works for a few milliseconds at most; the last one
 * returns it. Who loses interest lets go of it.
 */
export type Loading<Loaded> = Generator<undefined, Loaded>;

/** All that is left to do, in one go. */
export function atOnce<Result>(work: Generator<undefined, Result>): Result {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** What `writer` holds, then each item, which must still be as it was at the first `next`. */
export function* savedInSlices<Item>(
  writer: ByteWriter,
  items: Iterable<Item>,
  write: (writer: ByteWriter, item: Item) => void,
): Slices {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    write(writer, item);
    if (writer.length < SLICE_BYTES) continue;
    parts.push(writer.finish());
    yield undefined;
  }
  parts.push(writer.finish());
  return parts;
}

/** What `writer` holds, a count, then each entry. The values are never changed, only set anew. */
export function* savedMap<Key, Value>(
  writer: ByteWriter,
  map: CowMap<Key, Value>,
  write: (writer: ByteWriter, entry: readonly [Key, Value]) => void,
): Slices {
  const frozen = map.freeze();
  const parts = yield* savedInSlices(writer.varint(frozen.size), frozen, write);
  while (!map.thaw(CHANGES_PER_SLICE)) yield undefined;
  return parts;
}

/** Calls `load` so often, each time for what comes next. */
export function* loadedInSlices(
  reader: ByteReader,
  count: number,
  load: () => void,
): Loading<undefined> {
  let sliceEnd = reader.offset + SLICE_BYTES;
  for (let i = 0; i < count; i++) {
    load();
    if (reader.offset < sliceEnd) continue;
    sliceEnd = reader.offset + SLICE_BYTES;
    yield undefined;
  }
}

/** The first so many, though more may be added behind them meanwhile. */
export function* firstOf<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let left = count;
  if (left === 0) return;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
