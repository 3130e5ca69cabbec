// CRC-32C (Castagnoli): the checksum of every journal record, frame and checkpoint.
//
// In plain TypeScript because the ground may use neither `node:*` nor native code, and replicas must
// compute it alike everywhere. Slicing by eight (Kounavis and Berry, 2005): eight tables of 256 in one.
// Byte by byte, not through a `DataView`: that would move a small array out of the engine's heap first,
// which costs ten times what its checksum does.

const POLYNOMIAL = 0x82f63b78;
const TABLE: Int32Array = makeTable();

/** The checksum of `bytes[start, end)`; pass a former result as `seed` to continue it. */
export function crc32c(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  seed: number = 0,
): number {
  let crc = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    crc =
      at(1792 + ((crc ^ byte(bytes, i)) & 255)) ^
      at(1536 + (((crc >>> 8) ^ byte(bytes, i + 1)) & 255)) ^
      at(1280 + (((crc >>> 16) ^ byte(bytes, i + 2)) & 255)) ^
      at(1024 + ((crc >>> 24) ^ byte(bytes, i + 3))) ^
      at(768 + byte(bytes, i + 4)) ^
      at(512 + byte(bytes, i + 5)) ^
      at(256 + byte(bytes, i + 6)) ^
      at(byte(bytes, i + 7));
  }
  for (; i < end; i++) crc = at((crc ^ byte(bytes, i)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function at(index: number): number {
  return TABLE[index] as number;
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[value] = crc;
  }
  for (let value = 256; value < table.length; value++) {
    const below = table[value - 256] as number;
    table[value] = (table[below & 255] as number) ^ (below >>> 8);
  }
  return table;
}
