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
const part = fc.integer({ min: -32_768, max: 32_767 });
const way = { lat, lon, north: part, east: part };
const update = fc.record({ sequence: u32, timeMs: u32, ...way }, { noNullPrototype: true });
const avatar = fc.record({ player: u32, ...way }, { noNullPrototype: true });
const STANDING = { north: 0, east: 0 };

function tickFrame(timeMs: number, avatars: readonly Avatar[]): Uint8Array {
  const writer = new ByteWriter();
  writeTickHead(writer, timeMs);
  for (const each of avatars) writeAvatar(writer, { ...each, atMs: timeMs }, timeMs);
  return writer.finish();
}

test('an update is read as it was written', () => {
  fc.assert(fc.property(update, (given) => assert.deepEqual(decodeUpdate(encodeUpdate(given)), given)));
});

test('an update has the bytes that the documentation gives', () => {
  const at = { sequence: 0x01020304, timeMs: 0xfffffffe, lat: -1, lon: 0x0a0b0c0d };
  const bytes = encodeUpdate({ ...at, north: 0x0102, east: -2 });
  assert.equal(Buffer.from(bytes).toString('hex'), '0404030201feffffffffffffff0d0c0b0a0201feff');
});

test('a tick frame is read as it was written', () => {
  fc.assert(
    fc.property(u32, fc.array(avatar, { maxLength: 50 }), (timeMs, avatars) => {
      const read = decodeServerMotion(tickFrame(timeMs, avatars.map(insideTurn)));
      assert.deepEqual(read, { kind: 'tick', timeMs, avatars: avatars.map(insideTurn) });
    }),
  );
});

test('a tick frame has the bytes that the documentation gives', () => {
  const bytes = tickFrame(7, [{ player: 0xfffffffe, lat: 1, lon: -2, north: -3, east: 4 }]);
  assert.equal(Buffer.from(bytes).toString('hex'), '0507000000feffffff01000000fefffffffdff0400');
  assert.equal(bytes.length, 5 + AVATAR_BYTES);
});

test('a tick frame tells where somebody is at its time, and how he goes on', () => {
  const writer = new ByteWriter();
  writeTickHead(writer, 2_500);
  const track = { lat: 100, lon: 1_799_999_000, north: -41, east: 800, atMs: 1_000 };
  writeAvatar(writer, { player: 5, ...track }, 2_500);
  assert.deepEqual(decodeServerMotion(writer.finish()), {
    kind: 'tick',
    timeMs: 2_500,
    avatars: [{ player: 5, lat: 38, lon: -1_799_999_800, north: -41, east: 800 }],
  });
});

test('a correction is read as it was written, with each of its reasons', () => {
  const reason = fc.constantFrom('too-fast', 'outside-region', 'not-in-the-world');
  fc.assert(
    fc.property(update, reason, ({ sequence, ...place }, why) => {
      const correction = { sequence, lat: place.lat, lon: place.lon, reason: why } as const;
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
    encodeUpdate({ sequence: 1, timeMs: 9, lat: 2, lon: 3, ...STANDING }),
    encodeCorrection({ sequence: 1, lat: 2, lon: 3, reason: 'too-fast' }),
    tickFrame(1, [{ player: 1, lat: 2, lon: 3, ...STANDING }]),
  ];
  for (const frame of frames) {
    const read = frame[0] === 4 ? decodeUpdate : decodeServerMotion;
    for (let length = 0; length < frame.length; length++) {
      // A tick of nobody is one.
      if (frame[0] === 5 && length === 5) continue;
      assert.throws(() => read(frame.subarray(0, length)), InvalidInputError);
    }
    assert.throws(() => read(Uint8Array.of(...frame, 0)), InvalidInputError);
  }
});

test('frames of the layout before are refused', () => {
  assert.throws(() => decodeUpdate(Uint8Array.of(1, ...new Uint8Array(12))), InvalidInputError);
  assert.throws(() => decodeServerMotion(Uint8Array.of(2, ...new Uint8Array(6))), InvalidInputError);
});

test('places that are not on Earth are refused', () => {
  for (const place of [
    { lat: 900_000_001, lon: 0 },
    { lat: -900_000_001, lon: 0 },
    { lat: 0, lon: 1_800_000_001 },
    { lat: 0, lon: -1_800_000_001 },
  ]) {
    const motion = { ...place, ...STANDING };
    const update = encodeUpdate({ sequence: 1, timeMs: 0, ...motion });
    assert.throws(() => decodeUpdate(update), InvalidInputError);
    assert.throws(() => decodeServerMotion(tickFrame(1, [{ player: 1, ...motion }])), InvalidInputError);
  }
});

test('no bytes whatever lead to anything but a frame or a refusal', () => {
  const start = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 255);
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

/** A walker's longitude is normalised on its way into a frame, a standing one's was before. */
function insideTurn(avatar: Avatar): Avatar {
  return avatar.lon === 1_800_000_000 ? { ...avatar, lon: -1_800_000_000 } : avatar;
}
