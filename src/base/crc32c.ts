// CRC-32C (Castagnoli): the checksum of every journal record, frame and checkpoint.
//
// In plain TypeScript because the ground may use neither `node:*` nor native code, and replicas must
// compute it alike everywhere. Slicing by eight (Kounavis and Berry, 2005), eight tables of 256.

const POLYNOMIAL = 0x82f63b78;
const TABLES: readonly Uint32Array[] = makeTables();

/** The checksum of `bytes[start, end)`; pass a former result as `seed` to continue it. */
export function crc32c(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  seed: number = 0,
): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as Tables;
  let crc = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    crc ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    crc =
      at(t7, crc & 255) ^
      at(t6, (crc >>> 8) & 255) ^
      at(t5, (crc >>> 16) & 255) ^
      at(t4, crc >>> 24) ^
      at(t3, at(bytes, i + 4)) ^
      at(t2, at(bytes, i + 5)) ^
      at(t1, at(bytes, i + 6)) ^
      at(t0, at(bytes, i + 7));
  }
  for (; i < end; i++) crc = at(t0, (crc ^ at(bytes, i)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Table = Uint32Array;
type Tables = [Table, Table, Table, Table, Table, Table, Table, Table];

function at(table: Uint8Array | Uint32Array, index: number): number {
  return table[index] as number;
}

function makeTables(): readonly Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = tables[0] as Table;
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[value] = crc;
  }
  for (let level = 1; level < 8; level++) {
    const below = tables[level - 1] as Table;
    const table = tables[level] as Table;
    for (let value = 0; value < 256; value++) {
      const crc = at(below, value);
      table[value] = at(first, crc & 255) ^ (crc >>> 8);
    }
  }
  return tables;
}
