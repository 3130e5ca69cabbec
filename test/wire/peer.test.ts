import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError } from '../../src/base/errors.ts';
import { nodeId } from '../../src/base/id.ts';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../src/wire/peer.ts';

const body = Uint8Array.of(1, 2, 3);
const messages: readonly PeerMessage[] = [
  { kind: 'raft', group: 2, body },
  { kind: 'raft', group: 300, body: new Uint8Array(100_000) },
  { kind: 'ask', number: 5, group: 2, mode: 'command', body },
  { kind: 'ask', number: 6, group: 2, mode: 'query', body: new Uint8Array(0) },
  { kind: 'ask', number: 5, group: 101, mode: 'command', body, level: 'one' },
  { kind: 'ask', number: 5, group: 101, mode: 'command', body, level: 'all' },
  { kind: 'ask', number: 6, group: 101, mode: 'query', body, bound: { kind: 'primary' } },
  {
    kind: 'ask',
    number: 6,
    group: 101,
    mode: 'query',
    body,
    bound: { kind: 'atLeast', epoch: 3, sequence: 9_000 },
  },
  { kind: 'ask', number: 6, group: 101, mode: 'query', body, bound: { kind: 'atMostMsOld', ms: 500 } },
  { kind: 'answer', number: 5, answer: { kind: 'answered', reply: body } },
  { kind: 'answer', number: 5, answer: { kind: 'answered', reply: body, epoch: 7 } },
  { kind: 'answer', number: 5, answer: { kind: 'moved', leader: nodeId(3), term: 4 } },
  { kind: 'answer', number: 5, answer: { kind: 'moved', leader: undefined, term: 0 } },
  { kind: 'leads', group: 2, term: 300 },
  { kind: 'answer', number: 5, answer: { kind: 'unavailable', retryAfterMs: 100 } },
  { kind: 'answer', number: Number.MAX_SAFE_INTEGER, answer: { kind: 'uncertain' } },
  { kind: 'notice', player: 0, region: 103, push: 'chat', value: '"hello"' },
  { kind: 'notice', player: 9, push: 'trade.received', value: '{"from":"Zoë"}' },
];

test('every message is read as it was written', () => {
  for (const message of messages) {
    assert.deepEqual(decodePeerMessage(encodePeerMessage(message)), message);
  }
});

test('a message that was cut or lengthened is refused', () => {
  for (const message of messages) {
    const bytes = encodePeerMessage(message);
    assert.throws(() => decodePeerMessage(bytes.subarray(0, -1)), InvalidInputError);
    assert.throws(() => decodePeerMessage(Uint8Array.of(...bytes, 0)), InvalidInputError);
  }
});

test('an unknown kind of message is refused', () => {
  assert.throws(() => decodePeerMessage(Uint8Array.of(0)), InvalidInputError);
  assert.throws(() => decodePeerMessage(Uint8Array.of(99, 1, 1)), InvalidInputError);
  assert.throws(() => decodePeerMessage(Uint8Array.of(2, 1, 1, 9, 0)), InvalidInputError);
  assert.throws(() => decodePeerMessage(Uint8Array.of(3, 1, 1, 9, 0)), InvalidInputError);
});

test('nobody can be told to wait for ever', () => {
  const answer = { kind: 'unavailable', retryAfterMs: Number.MAX_SAFE_INTEGER } as const;
  const read = decodePeerMessage(encodePeerMessage({ kind: 'answer', number: 1, answer }));
  assert.deepEqual(read, {
    kind: 'answer',
    number: 1,
    answer: { kind: 'unavailable', retryAfterMs: 60_000 },
  });
});

test('no bytes do anything but decode or be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 9 }), (bytes, tag) => {
      try {
        decodePeerMessage(Uint8Array.of(tag, ...bytes));
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
      }
    }),
  );
});
