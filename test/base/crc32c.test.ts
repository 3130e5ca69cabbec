import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../src/base/crc32c.ts';
import { Random } from '../../src/base/random.ts';

test('the vectors of RFC 3720, appendix B.4, and the check value of the catalogue hold', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  const readCommand = Uint8Array.from(
    Buffer.from(
      '01c0000000000000000000000000000014000000000004000000001400000018' +
        '28000000000000000200000000000000',
      'hex',
    ),
  );
  const vectors: readonly (readonly [Uint8Array, number])[] = [
    [new TextEncoder().encode('123456789'), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
    [readCommand, 0xd9963a56],
    [new Uint8Array(0), 0],
  ];
  for (const [bytes, sum] of vectors) assert.equal(crc32c(bytes).toString(16), sum.toString(16));
});

test('every length, start and end gives what the bit by bit definition gives', () => {
  const random = new Random(1);
  const bytes = Uint8Array.from({ length: 64 }, () => random.integer(0, 255));
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end++) {
      assert.equal(crc32c(bytes, start, end), bitByBit(bytes.subarray(start, end)));
    }
  }
});

test('a checksum continued from a part is the checksum of the whole', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i * 7);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.equal(crc32c(bytes, cut, 100, crc32c(bytes, 0, cut)), crc32c(bytes));
  }
});

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
