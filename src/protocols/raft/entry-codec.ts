// The bytes of a log's parts: entries, hard state, membership and snapshot marks.
//
// The journal, the checkpoints and Raft's messages write them alike, so an entry has one encoding
// from the leader's memory to the last follower's disk. Readers throw `InvalidInputError` for
// whatever the writers did not make.
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { InvalidInputError } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import {
  ENTRY_BYTES_MAX,
  type Entry,
  type EntryKind,
  type HardState,
  JOINT_VOTERS_MAX,
  type Membership,
  type SnapshotMark,
} from './messages.ts';

const ENTRY_KINDS: readonly EntryKind[] = ['noop', 'command', 'configuration'];
/** Each of the four lists of a membership; learners are future voters, so they are no more. */
const MEMBERS_MAX = JOINT_VOTERS_MAX;

export function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer
    .varint(entry.index)
    .varint(entry.term)
    .u8(ENTRY_KINDS.indexOf(entry.kind))
    .varint(entry.timeMs)
    .bytes(entry.data);
}

/** A `view` keeps the whole of what is read for as long as the entry lives. */
export function readEntry(reader: ByteReader, take: 'copy' | 'view' = 'copy'): Entry {
  const index = reader.varint();
  const term = reader.varint();
  const code = reader.u8();
  const kind = ENTRY_KINDS[code];
  if (kind === undefined) throw new InvalidInputError(`entry kind ${code}`);
  const timeMs = reader.varint();
  const data = take === 'view' ? reader.view(ENTRY_BYTES_MAX) : reader.bytes(ENTRY_BYTES_MAX);
  return { index, term, kind, timeMs, data };
}

export function writeHardState(writer: ByteWriter, state: HardState): void {
  writer.varint(state.term).varint(state.votedFor ?? 0);
}

export function readHardState(reader: ByteReader): HardState {
  const term = reader.varint();
  const voted = reader.varint();
  return { term, votedFor: voted === 0 ? undefined : nodeId(voted) };
}

export function writeMark(writer: ByteWriter, mark: SnapshotMark): void {
  writer.varint(mark.index).varint(mark.term).varint(mark.timeMs).u32(mark.digest);
  writeMembership(writer, mark.membership);
}

export function readMark(reader: ByteReader): SnapshotMark {
  return {
    index: reader.varint(),
    term: reader.varint(),
    timeMs: reader.varint(),
    digest: reader.u32(),
    membership: readMembership(reader),
  };
}

/** Passes over what `readMark` would read. */
export function skipMark(reader: ByteReader): void {
  reader.varint();
  reader.varint();
  reader.varint();
  reader.u32();
  for (let list = 0; list < 4; list++) {
    for (let rest = reader.varint(); rest > 0; rest--) reader.varint();
  }
}

export function writeMembership(writer: ByteWriter, membership: Membership): void {
  const { incoming, outgoing, learners, retiring } = membership;
  for (const list of [incoming, outgoing, learners, retiring]) {
    writer.varint(list.length);
    for (const node of list) writer.varint(node);
  }
}

export function readMembership(reader: ByteReader): Membership {
  return {
    incoming: readNodes(reader),
    outgoing: readNodes(reader),
    learners: readNodes(reader),
    retiring: readNodes(reader),
  };
}

/** The data of a `configuration` entry. */
export function encodeMembership(membership: Membership): Uint8Array {
  const writer = new ByteWriter(32);
  writeMembership(writer, membership);
  return writer.finish();
}

export function decodeMembership(bytes: Uint8Array): Membership {
  const reader = new ByteReader(bytes);
  const membership = readMembership(reader);
  reader.end();
  return membership;
}

function readNodes(reader: ByteReader): readonly NodeId[] {
  const count = reader.varint();
  if (count > MEMBERS_MAX) throw new InvalidInputError(`${count} members, ${MEMBERS_MAX} may be`);
  return Array.from({ length: count }, () => nodeId(reader.varint()));
}
