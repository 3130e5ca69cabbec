// CRC-32C (Castagnoli): the checksum of every journal record, frame and checkpoint.
//
// In plain TypeScript because the ground may use neither `node:*` nor native code, and replicas must
// compute it alike everywhere. Slicing by eight (Kounavis and Berry, 2005): eight tables of 256 in one.

const POLYNOMIAL = 0x82f63b78;
const TABLE: Uint32Array = makeTable();

/** The checksum of `bytes[start, end)`; pass a former result as `seed` to continue it. */
export function crc32c(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  seed: number = 0,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc =
      at(1792 + (low & 255)) ^
      at(1536 + ((low >>> 8) & 255)) ^
      at(1280 + ((low >>> 16) & 255)) ^
      at(1024 + (low >>> 24)) ^
      at(768 + (high & 255)) ^
      at(512 + ((high >>> 8) & 255)) ^
      at(256 + ((high >>> 16) & 255)) ^
      at(high >>> 24);
  }
  for (; i < end; i++) crc = at((crc ^ view.getUint8(i)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function at(index: number): number {
  return TABLE[index] as number;
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(8 * 256);
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
