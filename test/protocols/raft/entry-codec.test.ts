import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../../../src/base/bytes.ts';
import { InvalidInputError } from '../../../src/base/errors.ts';
import { nodeId } from '../../../src/base/id.ts';
import { decodeMessage, MessageEncoder } from '../../../src/protocols/raft/codec.ts';
import {
  decodeMembership,
  encodeMembership,
  readEntry,
  readHardState,
  readMark,
  writeEntry,
  writeHardState,
  writeMark,
} from '../../../src/protocols/raft/entry-codec.ts';
import {
  type Entry,
  ENTRY_BYTES_MAX,
  JOINT_VOTERS_MAX,
  type Membership,
  type Message,
} from '../../../src/protocols/raft/messages.ts';

const entry: Entry = { index: 1, term: 2, kind: 'noop', timeMs: 3, data: new Uint8Array() };
const membership: Membership = {
  incoming: [nodeId(1), nodeId(2), nodeId(300)],
  outgoing: [nodeId(4)],
  learners: [nodeId(5), nodeId(6)],
  retiring: [nodeId(300)],
};

function throughBytes<Part>(
  write: (writer: ByteWriter, part: Part) => void,
  read: (reader: ByteReader) => Part,
  part: Part,
): Part {
  const writer = new ByteWriter();
  write(writer, part);
  const reader = new ByteReader(writer.finish());
  const result = read(reader);
  reader.end();
  return result;
}

test('entries of every kind survive their bytes, up to the largest', () => {
  const large = Number.MAX_SAFE_INTEGER;
  const entries: readonly Entry[] = [
    entry,
    { ...entry, kind: 'command', data: new Uint8Array(ENTRY_BYTES_MAX).fill(7) },
    { ...entry, kind: 'configuration', data: encodeMembership(membership) },
    { index: large, term: large, kind: 'command', timeMs: large, data: Uint8Array.of(0) },
  ];
  for (const one of entries) assert.deepEqual(throughBytes(writeEntry, readEntry, one), one);
});

test('row 30: what was encoded stays as it was, whatever is encoded behind it', () => {
  const encoder = new MessageEncoder();
  const append = (index: number, size: number): Message => {
    const head = { kind: 'append', term: 2, round: 0, prevIndex: index - 1, prevTerm: 2, commit: 0 } as const;
    const data = new Uint8Array(size).fill(index);
    const entries = [{ ...entry, index, kind: 'command', data } as const];
    return { ...head, sentMs: 0, roundTripMs: 0, entries };
  };
  const messages = Array.from({ length: 300 }, (_, i) => append(i + 1, (i * 97) % 5_000));
  const sent = messages.map((message) => encoder.encode(message));
  assert.deepEqual(sent.map(decodeMessage), messages);
});

test('hard state, marks and memberships survive their bytes', () => {
  for (const votedFor of [undefined, nodeId(9)]) {
    const state = { term: 77, votedFor };
    assert.deepEqual(throughBytes(writeHardState, readHardState, state), state);
  }
  const mark = { index: 5, term: 2, timeMs: 9, membership, digest: 2 ** 32 - 1 };
  assert.deepEqual(throughBytes(writeMark, readMark, mark), mark);
  assert.deepEqual(decodeMembership(encodeMembership(membership)), membership);
});

test('bytes that no writer made are refused', () => {
  const writer = new ByteWriter();
  writeEntry(writer, { ...entry, data: new Uint8Array(ENTRY_BYTES_MAX + 1) });
  const crowd = Array.from({ length: JOINT_VOTERS_MAX + 1 }, (_, i) => nodeId(i + 1));
  const bad: readonly (() => unknown)[] = [
    () => readEntry(new ByteReader(writer.finish())),
    () => readEntry(new ByteReader(Uint8Array.of(1, 2, 3, 4, 0))),
    () => readEntry(new ByteReader(Uint8Array.of(1, 2, 0, 4, 9))),
    () => decodeMembership(encodeMembership({ ...membership, learners: crowd })),
    () => decodeMembership(Uint8Array.of(...encodeMembership(membership), 0)),
    () => decodeMembership(new Uint8Array()),
  ];
  for (const read of bad) assert.throws(read, InvalidInputError);
});
