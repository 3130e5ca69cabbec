import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError } from '../../src/base/errors.ts';
import {
  type CommandEnvelope,
  decodeCommand,
  decodeCommandHead,
  decodeQuery,
  decodeReply,
  encodeCommand,
  encodeQuery,
  encodeReply,
  type Reply,
} from '../../src/wire/command.ts';

const anyCommand: fc.Arbitrary<CommandEnvelope> = fc.record({
  session: fc.maxSafeNat(),
  sessionExpiresAtMs: fc.maxSafeNat(),
  number: fc.maxSafeNat(),
  answeredBelow: fc.maxSafeNat(),
  player: fc.maxSafeNat(),
  call: fc.string({ maxLength: 20 }),
  args: fc.uint8Array({ maxLength: 100 }),
});

test('a command is read as it was written', () => {
  fc.assert(
    fc.property(anyCommand, (command) => {
      assert.deepEqual(decodeCommand(encodeCommand(command)), { ...command });
    }),
  );
});

test('the head of a command says what the whole says, and is read even when the rest is cut', () => {
  fc.assert(
    fc.property(anyCommand, (command) => {
      const { session, sessionExpiresAtMs, number, answeredBelow } = command;
      const bytes = encodeCommand({ ...command, player: 0, call: '', args: new Uint8Array(0) });
      const head = { session, sessionExpiresAtMs, number, answeredBelow };
      assert.deepEqual(decodeCommandHead(bytes), head);
      assert.deepEqual(decodeCommandHead(bytes.subarray(0, -3)), head);
      assert.throws(() => decodeCommandHead(bytes.subarray(0, -4)), InvalidInputError);
    }),
  );
});

test('a command that was cut, lengthened, or is of another version is refused', () => {
  const bytes = encodeCommand({
    session: 1,
    sessionExpiresAtMs: 2,
    number: 3,
    answeredBelow: 1,
    player: 4,
    call: 'trade.give',
    args: Uint8Array.of(1, 2, 3),
  });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeCommand(bytes.subarray(0, length)), InvalidInputError);
  }
  assert.throws(() => decodeCommand(Uint8Array.of(...bytes, 0)), InvalidInputError);
  assert.throws(() => decodeCommand(Uint8Array.of(2, ...bytes.subarray(1))), InvalidInputError);
  assert.throws(() => decodeCommandHead(Uint8Array.of(2, ...bytes.subarray(1))), InvalidInputError);
});

test('a query is read as it was written', () => {
  const query = { player: 7, call: 'holdings.mine', args: Uint8Array.of(1) };
  const bytes = encodeQuery(query);
  assert.deepEqual(decodeQuery(bytes), query);
  assert.throws(() => decodeQuery(bytes.subarray(1)), InvalidInputError);
});

test('a reply is read as it was written, done or rejected, with or without a detail', () => {
  const replies: readonly Reply[] = [
    { kind: 'done', order: 9, value: Uint8Array.of(1, 2) },
    { kind: 'done', order: Number.MAX_SAFE_INTEGER, value: new Uint8Array(10_000) },
    { kind: 'rejected', order: 1, reason: 'not-yours' },
    { kind: 'rejected', order: 1, reason: 'invalid-input', detail: 'gold must be an integer' },
  ];
  for (const reply of replies) assert.deepEqual(decodeReply(encodeReply(reply)), reply);
});

test('a detail without end is cut, whatever its characters, and still read', () => {
  const detail = '😀'.repeat(10_000);
  const read = decodeReply(encodeReply({ kind: 'rejected', order: 1, reason: 'no', detail }));
  assert.equal(read.kind === 'rejected' ? read.detail?.length : undefined, 512);
});

test('no bytes make a reply do anything but decode or refuse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeReply(bytes);
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
      }
    }),
  );
  assert.throws(() => decodeReply(Uint8Array.of(1, 2, 0, 0)), InvalidInputError);
});
