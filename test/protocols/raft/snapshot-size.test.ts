import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../../src/base/errors.ts';
import { decodeMessage, MessageEncoder } from '../../../src/protocols/raft/codec.ts';
import { type Message, SNAPSHOT_BYTES_MAX } from '../../../src/protocols/raft/messages.ts';

function announcing(totalBytes: number): Uint8Array {
  const membership = { incoming: [], outgoing: [], learners: [], retiring: [] };
  const mark = { index: 5, term: 1, timeMs: 1, digest: 0, membership };
  const chunk = Uint8Array.of(1, 2);
  const snapshot: Message = { kind: 'snapshot', term: 1, round: 0, mark, offset: 0, totalBytes, chunk };
  return new MessageEncoder().encode(snapshot);
}

test('a snapshot that announces more than a member may hold is refused before memory is set aside', () => {
  assert.equal(decodeMessage(announcing(SNAPSHOT_BYTES_MAX)).kind, 'snapshot');
  assert.throws(() => decodeMessage(announcing(SNAPSHOT_BYTES_MAX + 1)), InvalidInputError);
});
