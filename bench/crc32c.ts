// The checksum of the ground against Node's own, which uses another polynomial and the machine's help.
import { crc32 } from 'node:zlib';
import { crc32c } from '../src/base/crc32c.ts';
import { spread, table } from './spread.ts';

const SIZES = [128, 4_096, 1_048_576];
const BYTES_PER_ROUND = 4_000_000;

export async function benchCrc32c(rounds: number): Promise<void> {
  const rows = SIZES.map((size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7);
    const microseconds = (sum: (bytes: Uint8Array) => number): string =>
      spread(Array.from({ length: rounds }, () => timeOne(sum, bytes)));
    return {
      bytes: String(size),
      'own CRC-32C, us': microseconds((each) => crc32c(each)),
      'zlib.crc32, us': microseconds((each) => crc32(each)),
    };
  });
  process.stdout.write(table(rows));
}

function timeOne(sum: (bytes: Uint8Array) => number, bytes: Uint8Array): number {
  const times = Math.max(1, Math.floor(BYTES_PER_ROUND / bytes.length));
  const beganMs = performance.now();
  for (let i = 0; i < times; i++) sum(bytes);
  return ((performance.now() - beganMs) * 1_000) / times;
}
