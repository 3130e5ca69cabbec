import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { decodeSpaceMessage, encodeSpaceMessage, type SpaceMessage } from '../../src/wire/space.ts';

const stay = { player: 12, epoch: 1_790_000_000_123 };
const place = { lat: -900_000_000, lon: 1_800_000_000 };
const messages: readonly SpaceMessage[] = [
  { kind: 'enter', ...stay, place, allowedMm: undefined },
  { kind: 'enter', ...stay, place, allowedMm: 0 },
  { kind: 'move', ...stay, update: Uint8Array.of(1, 2, 3) },
  { kind: 'leave', ...stay },
  { kind: 'present', stays: [] },
  { kind: 'present', stays: [stay, { player: 13, epoch: 1 }] },
  { kind: 'entered', ...stay, tickMs: 100, sightMetres: 200 },
  { kind: 'refused', ...stay, reason: 'region-full' },
  { kind: 'unknown', ...stay, newest: 0, isHere: false },
  { kind: 'unknown', ...stay, newest: 11, isHere: true },
  { kind: 'walked-out', ...stay, back: { lat: 0, lon: -1 } },
  { kind: 'answer', ...stay, bytes: Uint8Array.of(3) },
  { kind: 'frames', frames: [{ bytes: Uint8Array.of(2, 0), isWhole: true, players: [12, 13] }] },
  { kind: 'ghosts', from: 101, bytes: Uint8Array.of(9) },
];

test('every message is the same after its trip', () => {
  for (const message of messages) {
    assert.deepEqual(decodeSpaceMessage(encodeSpaceMessage(message)), message);
  }
});

test('a message that was cut short or has a tail is refused', () => {
  for (const message of messages) {
    const bytes = encodeSpaceMessage(message);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeSpaceMessage(bytes.slice(0, end)), InvalidInputError);
    }
    assert.throws(() => decodeSpaceMessage(Uint8Array.of(...bytes, 0)), InvalidInputError);
  }
});

test('a count that lies, an unknown kind and a place off the Earth are refused', () => {
  assert.throws(() => decodeSpaceMessage(Uint8Array.of(4, 0xff, 0xff, 0x03)), /a count of 65535/);
  assert.throws(() => decodeSpaceMessage(Uint8Array.of(99)), /space message 99/);
  const enter = encodeSpaceMessage({ kind: 'enter', ...stay, place, allowedMm: undefined });
  enter[enter.length - 1] = 0x7f;
  assert.throws(() => decodeSpaceMessage(enter), /no place on Earth/);
});
