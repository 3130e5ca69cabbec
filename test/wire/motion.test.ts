// Motion frames: what is written is read again, and bytes that nobody wrote are refused.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../src/base/bytes.ts';
import { InvalidInputError } from '../../src/base/errors.ts';
import {
  AVATAR_BYTES,
  type Avatar,
  decodeServerMotion,
  decodeUpdate,
  encodeCorrection,
  encodeUpdate,
  writeAvatar,
  writeTickHead,
} from '../../src/wire/motion.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const lat = fc.integer({ min: -900_000_000, max: 900_000_000 });
const lon = fc.integer({ min: -1_800_000_000, max: 1_800_000_000 });
const update = fc.record({ sequence: u32, lat, lon }, { noNullPrototype: true });
const avatar = fc.record({ player: u32, lat, lon }, { noNullPrototype: true });

function tickFrame(tick: number, avatars: readonly Avatar[]): Uint8Array {
  const writer = new ByteWriter();
  writeTickHead(writer, { tick, count: avatars.length });
  for (const each of avatars) writeAvatar(writer, each);
  return writer.finish();
}

test('an update is read as it was written', () => {
  fc.assert(fc.property(update, (given) => assert.deepEqual(decodeUpdate(encodeUpdate(given)), given)));
});

test('an update has the bytes that the documentation gives', () => {
  const bytes = encodeUpdate({ sequence: 0x01020304, lat: -1, lon: 0x0a0b0c0d });
  assert.equal(Buffer.from(bytes).toString('hex'), '0104030201ffffffff0d0c0b0a');
});

test('a tick frame is read as it was written', () => {
  fc.assert(
    fc.property(u32, fc.array(avatar, { maxLength: 50 }), (tick, avatars) => {
      assert.deepEqual(decodeServerMotion(tickFrame(tick, avatars)), { kind: 'tick', tick, avatars });
    }),
  );
});

test('a tick frame has the bytes that the documentation gives', () => {
  const bytes = tickFrame(7, [{ player: 0xfffffffe, lat: 1, lon: -2 }]);
  assert.equal(Buffer.from(bytes).toString('hex'), '02070000000100feffffff01000000feffffff');
  assert.equal(bytes.length, 7 + AVATAR_BYTES);
});

test('a correction is read as it was written, with each of its reasons', () => {
  const reason = fc.constantFrom('too-fast', 'outside-region', 'not-in-the-world');
  fc.assert(
    fc.property(update, reason, (motion, why) => {
      const correction = { ...motion, reason: why } as const;
      const read = decodeServerMotion(encodeCorrection(correction));
      assert.deepEqual(read, { kind: 'correction', correction });
    }),
  );
});

test('a correction has the bytes that the documentation gives', () => {
  const bytes = encodeCorrection({ sequence: 5, lat: 1, lon: 2, reason: 'outside-region' });
  assert.equal(Buffer.from(bytes).toString('hex'), '0305000000010000000200000002');
});

test('frames of a wrong length are refused, whatever their kind', () => {
  const frames = [
    encodeUpdate({ sequence: 1, lat: 2, lon: 3 }),
    encodeCorrection({ sequence: 1, lat: 2, lon: 3, reason: 'too-fast' }),
    tickFrame(1, [{ player: 1, lat: 2, lon: 3 }]),
  ];
  for (const frame of frames) {
    const read = frame[0] === 1 ? decodeUpdate : decodeServerMotion;
    for (let length = 0; length < frame.length; length++) {
      assert.throws(() => read(frame.subarray(0, length)), InvalidInputError);
    }
    assert.throws(() => read(Uint8Array.of(...frame, 0)), InvalidInputError);
  }
});

test('a tick frame that claims more avatars than it holds is refused', () => {
  const frame = tickFrame(1, [{ player: 1, lat: 2, lon: 3 }]);
  frame.set([0xff, 0xff], 5);
  assert.throws(() => decodeServerMotion(frame), InvalidInputError);
});

test('places that are not on Earth are refused', () => {
  for (const place of [
    { lat: 900_000_001, lon: 0 },
    { lat: -900_000_001, lon: 0 },
    { lat: 0, lon: 1_800_000_001 },
    { lat: 0, lon: -1_800_000_001 },
  ]) {
    assert.throws(() => decodeUpdate(encodeUpdate({ sequence: 1, ...place })), InvalidInputError);
    assert.throws(() => decodeServerMotion(tickFrame(1, [{ player: 1, ...place }])), InvalidInputError);
  }
});

test('no bytes whatever lead to anything but a frame or a refusal', () => {
  const start = fc.constantFrom(0, 1, 2, 3, 4, 255);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 40 }), (kind, rest) => {
      for (const read of [decodeUpdate, decodeServerMotion]) {
        try {
          read(Uint8Array.of(kind, ...rest));
        } catch (error) {
          assert.ok(error instanceof InvalidInputError);
        }
      }
    }),
  );
});
