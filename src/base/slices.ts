// Saving and loading a large state slice by slice: some of it at a time, then whoever waits has a turn.
//
// State machines and features use it for what may grow large; `runtime/checkpoint-walk` takes the steps.
// The bytes are those that a plain loop would write.
import type { ByteWriter } from './bytes.ts';
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
