import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError } from '../../src/base/errors.ts';
import { encodeFrames, FRAME_HEADER_BYTES, FrameReader, FrameWriter } from '../../src/wire/frame.ts';

const bodiesOf = (reader: FrameReader, chunk: Uint8Array): readonly Uint8Array[] => {
  const bodies: Uint8Array[] = [];
  reader.push(chunk, (body) => bodies.push(body));
  return bodies;
};

test('frames come out in order and whole, however the stream was cut', () => {
  const anyBodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(anyBodies, fc.array(fc.integer({ min: 1, max: 200 })), (sent, cuts) => {
      const stream = encodeFrames(sent);
      const reader = new FrameReader();
      const received: Uint8Array[] = [];
      let at = 0;
      for (const size of [...cuts, stream.length]) {
        reader.push(stream.subarray(at, at + size), (body) => received.push(body));
        at += size;
      }
      assert.deepEqual(received, sent);
    }),
  );
});

test('any flipped bit is noticed', () => {
  const frame = encodeFrames([Uint8Array.of(1, 2, 3, 4, 5)]);
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = frame.slice();
    damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    const reader = new FrameReader(64);
    let bodies: readonly Uint8Array[] = [];
    try {
      bodies = bodiesOf(reader, damaged);
    } catch (cause) {
      assert.ok(cause instanceof InvalidInputError);
    }
    // A length that became longer waits for bytes that do not come; none is taken for a frame.
    assert.equal(bodies.length, 0, `bit ${bit}`);
  }
});

test('a length beyond the limit is refused at its header, before its body is awaited', () => {
  const frame = encodeFrames([new Uint8Array(101)]);
  const reader = new FrameReader(100);
  assert.deepEqual(bodiesOf(reader, frame.subarray(0, FRAME_HEADER_BYTES - 1)), []);
  const rest = frame.subarray(FRAME_HEADER_BYTES - 1, FRAME_HEADER_BYTES);
  assert.throws(() => bodiesOf(reader, rest), InvalidInputError);
  assert.equal(bodiesOf(new FrameReader(101), frame).length, 1);
});

test('a body that came in several chunks stays as it is while others come', () => {
  const stream = encodeFrames([1, 2, 3].map((value) => new Uint8Array(100).fill(value)));
  const reader = new FrameReader();
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 70) {
    const chunk = stream.slice(at, at + 70);
    reader.push(chunk, (body) => bodies.push(body));
  }
  assert.deepEqual(bodies.map((body) => new Set(body)), [new Set([1]), new Set([2]), new Set([3])]);
});

test('frames for several streams are encoded once where they are the same, and only there', () => {
  const [one, other, third] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(2)];
  const writer = new FrameWriter();
  const first = writer.encode([one, other]);
  assert.equal(writer.encode([one, other]), first);
  assert.deepEqual(first, encodeFrames([one, other]));
  for (const bodies of [[one], [other, one], [one, third], [one, other, third]]) {
    const frames = writer.encode(bodies);
    assert.notEqual(frames, first);
    assert.deepEqual(frames, encodeFrames(bodies));
    writer.encode([one, other]);
  }
});
