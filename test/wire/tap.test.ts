import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { decodeTapped, encodeTapped, type Tapped } from '../../src/wire/tap.ts';

const ENTRIES: readonly Tapped[] = [
  { epoch: 1, index: 1, timeMs: 1_790_000_000_000, applied: undefined },
  {
    epoch: 1,
    index: 2,
    timeMs: 1_790_000_000_001,
    applied: { command: Uint8Array.of(1, 2, 3), reply: new Uint8Array(0) },
  },
  {
    epoch: 300,
    index: 70_000,
    timeMs: 0,
    applied: { command: new Uint8Array(400), reply: Uint8Array.of(9) },
  },
];

function written(): Uint8Array {
  return Uint8Array.from(ENTRIES.flatMap((entry) => [...encodeTapped(entry)]));
}

test('entries that were written down are read as they were', () => {
  assert.deepEqual([...decodeTapped(written())], ENTRIES);
});

test('wherever the end of the process cuts the last entry off, those before it are read', () => {
  const bytes = written();
  const before = bytes.length - encodeTapped(ENTRIES[2] as Tapped).length;
  for (let end = before; end < bytes.length; end++) {
    assert.deepEqual([...decodeTapped(bytes.subarray(0, end))], ENTRIES.slice(0, 2));
  }
});

test('bytes that nobody wrote down are refused', () => {
  assert.throws(() => [...decodeTapped(Uint8Array.of(4, 0, 0, 0, 1, 1, 1, 7))], InvalidInputError);
  assert.throws(() => [...decodeTapped(Uint8Array.of(5, 0, 0, 0, 1, 1, 1, 0, 0))], InvalidInputError);
  assert.throws(() => [...decodeTapped(Uint8Array.of(1, 0, 0, 0, 1))], InvalidInputError);
});
