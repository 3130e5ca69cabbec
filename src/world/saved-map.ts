// Saving a large map slice by slice: a number of entries at a time, then whoever waits has a turn.
//
// Features use it for their `slices`. The bytes are those of a count and then each entry, as a plain
// loop would write them.
import { ByteWriter } from '../base/bytes.ts';
import type { CowMap } from '../base/cow-map.ts';
import type { Slices } from '../protocols/state-machine.ts';

/** About a millisecond of small entries. */
const ENTRIES_PER_SLICE = 2_000;

export function* savedInSlices<Key, Value>(
  map: CowMap<Key, Value>,
  write: (writer: ByteWriter, key: Key, value: Value) => void,
): Slices {
  const frozen = map.freeze();
  const parts: Uint8Array[] = [];
  let writer = new ByteWriter().varint(frozen.size);
  let count = 0;
  for (const [key, value] of frozen) {
    write(writer, key, value);
    count += 1;
    if (count % ENTRIES_PER_SLICE !== 0) continue;
    parts.push(writer.finish());
    writer = new ByteWriter();
    yield undefined;
  }
  parts.push(writer.finish());
  while (!map.thaw(ENTRIES_PER_SLICE)) yield undefined;
  return parts;
}
