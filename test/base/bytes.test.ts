import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter, copyOf } from '../../src/base/bytes.ts';
import { InvalidInputError } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';

const anyPart = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ kind: fc.constant('i32' as const), value: fc.integer() }),
  fc.record({ kind: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({
    kind: fc.constant('text' as const),
    value: fc.string({ unit: 'grapheme', maxLength: 100 }),
  }),
);
type Part = typeof anyPart extends fc.Arbitrary<infer Value> ? Value : never;

test('what was written is read back, part by part, and nothing is left', () => {
  fc.assert(
    fc.property(fc.array(anyPart), fc.integer({ min: 1, max: 64 }), (parts, sizeHint) => {
      const writer = new ByteWriter(sizeHint);
      for (const part of parts) write(writer, part);
      const reader = new ByteReader(writer.finish());
      for (const part of parts) assert.deepEqual(reader[part.kind](), part.value);
      reader.end();
    }),
  );
});

test('a message that was cut anywhere is refused, never read as another one', () => {
  fc.assert(
    fc.property(fc.array(anyPart, { minLength: 1 }), fc.nat(), (parts, cut) => {
      const writer = new ByteWriter();
      for (const part of parts) write(writer, part);
      const bytes = writer.finish();
      const reader = new ByteReader(bytes.subarray(0, cut % bytes.length));
      assert.throws(() => {
        for (const part of parts) reader[part.kind]();
      }, InvalidInputError);
    }),
  );
});

test('numbers are little-endian, and a varint has seven bits a byte', () => {
  const writer = new ByteWriter().u16(0x0102).u32(0x03040506).i32(-2).varint(300);
  assert.deepEqual([...writer.finish()], [2, 1, 6, 5, 4, 3, 0xfe, 0xff, 0xff, 0xff, 0xac, 0x02]);
});

test('a varint beyond what a number holds exactly is refused', () => {
  const beyond = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
  const endless = new Array<number>(9).fill(0x80);
  for (const bytes of [beyond, endless]) {
    assert.throws(() => new ByteReader(Uint8Array.from(bytes)).varint(), InvalidInputError);
  }
});

test('a length is refused before anything of that length is made', () => {
  const huge = new ByteWriter().varint(Number.MAX_SAFE_INTEGER).finish();
  assert.throws(() => new ByteReader(huge).bytes(), InvalidInputError);
  assert.throws(() => new ByteReader(huge).text(), InvalidInputError);
  const long = new ByteWriter().text('12345').finish();
  assert.throws(() => new ByteReader(long).text(4), InvalidInputError);
});

test('text that is not UTF-8 is refused, short or long', () => {
  for (const length of [2, 200]) {
    const bytes = new ByteWriter().bytes(new Uint8Array(length).fill(0xff)).finish();
    assert.throws(() => new ByteReader(bytes).text(), InvalidInputError);
  }
});

test('a byte order mark is part of the text', () => {
  const text = '\u{feff}name';
  assert.equal(new ByteReader(new ByteWriter().text(text).finish()).text(), text);
});

test('a tail that nobody read is refused', () => {
  const reader = new ByteReader(Uint8Array.of(1, 2));
  reader.u8();
  assert.equal(reader.remaining, 1);
  assert.throws(() => reader.end(), InvalidInputError);
});

test('a reader sees its window only', () => {
  const reader = new ByteReader(Uint8Array.of(9, 1, 2, 9), 1, 3);
  assert.deepEqual([...reader.raw(2)], [1, 2]);
  assert.throws(() => reader.u8(), InvalidInputError);
});

test('what was read belongs to the reader, even out of a buffer of Node', () => {
  const socket = Buffer.from([3, 1, 2, 3]);
  const read = new ByteReader(socket).bytes();
  const copy = copyOf(socket, 1);
  socket.fill(0);
  assert.deepEqual([...read], [1, 2, 3]);
  assert.deepEqual([...copy], [1, 2, 3]);
});

test('what was finished stays as it is while the writer goes on', () => {
  const writer = new ByteWriter(4).u8(1);
  const first = writer.finish();
  writer.reset().u32(0xffffffff);
  assert.deepEqual([...first], [1]);
});

test('what was finished stays as it is, whoever writes next and however much', () => {
  const random = new Random('writers');
  const finished: { readonly bytes: Uint8Array; readonly expected: readonly number[] }[] = [];
  const open: { readonly writer: ByteWriter; readonly expected: number[] }[] = [];
  for (let step = 0; step < 4_000; step++) {
    if (open.length < 3) open.push({ writer: new ByteWriter(random.integer(0, 200)), expected: [] });
    const at = random.integer(0, open.length - 1);
    const { writer, expected } = open[at] as (typeof open)[number];
    const part = Array.from({ length: random.integer(0, 300) }, () => random.integer(0, 255));
    writer.raw(Uint8Array.from(part));
    expected.push(...part);
    assert.equal(writer.length, expected.length);
    if (random.chance(1, 3)) {
      finished.push({ bytes: writer.finish(), expected });
      open.splice(at, 1);
    }
  }
  for (const { bytes, expected } of finished) assert.deepEqual([...bytes], expected);
});

test('a text that turns out not to be ASCII leaves nothing behind, wherever the writer stands', () => {
  for (let before = 8_100; before < 8_200; before++) {
    const writer = new ByteWriter(1).raw(new Uint8Array(before)).text('abcdefghij\u00fc');
    const reader = new ByteReader(writer.finish(), before);
    assert.equal(reader.text(), 'abcdefghij\u00fc');
  }
});

test('a view is part of what is read, a copy is not', () => {
  const bytes = new Uint8Array(100).fill(7);
  const reader = new ByteReader(bytes);
  const view = reader.rawView(40);
  const copy = reader.raw(40);
  bytes.fill(1);
  assert.deepEqual([...view], new Array(40).fill(1));
  assert.deepEqual([...copy], new Array(40).fill(7));
  assert.equal(reader.remaining, 20);
  assert.throws(() => reader.rawView(21), InvalidInputError);
});

test('a length that is known only afterwards is patched in', () => {
  const writer = new ByteWriter(1).u32(0).text('abc');
  writer.patchU32(0, writer.length);
  assert.equal(new ByteReader(writer.view()).u32(), 8);
});

function write(writer: ByteWriter, part: Part): void {
  switch (part.kind) {
    case 'bytes':
      writer.bytes(part.value);
      break;
    case 'text':
      writer.text(part.value);
      break;
    default:
      writer[part.kind](part.value);
  }
}
