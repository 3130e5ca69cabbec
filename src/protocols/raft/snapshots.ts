// How a member that lacks what the log no longer holds is sent the state itself, in chunks.
//
// `replication.ts` begins it, `node.ts` feeds it. The driver supplies the bytes of the newest checkpoint
// when one is wanted, makes a received one durable and the state machine's, and only then reports it
// installed: until it has, this member acknowledges nothing and leads nobody.
// Invariants: a chunk is taken only at the offset that comes next; a received snapshot never replaces a
// newer state; what it does not cover is kept only if it is the same log (catalogue rows 40 to 42).
// Source: Raft (thesis), section 5.1.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { followLeader, refuseOldLeader, reportMatched } from './following.ts';
import { noteVerified } from './healing.ts';
import type { Message, SnapshotMark } from './messages.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './state.ts';

/** A chunk without an answer is sent again after so many heartbeats. */
const RESEND_HEARTBEATS = 6;
/** A receiver that was silent for so many election timeouts is no longer waited for. */
const SNAPSHOT_SILENT_TIMEOUTS = 10;

/** Sends the next chunk, unless one is on its way or the driver has not brought the state yet. */
export function sendSnapshot(s: RaftState, node: NodeId, progress: Progress): void {
  const snapshot = s.outgoing;
  if (snapshot === undefined) return;
  const waitedMs = s.nowMs - progress.snapshotSentMs;
  if (waitedMs < RESEND_HEARTBEATS * s.options.heartbeatMs) return;
  progress.snapshotSentMs = s.nowMs;
  progress.sentMs = s.nowMs;
  const offset = Math.min(progress.snapshotOffset, snapshot.state.length);
  const { state, ...mark } = snapshot;
  s.sendNow(node, {
    kind: 'snapshot',
    term: s.term,
    round: s.reads.round,
    mark,
    offset,
    totalBytes: state.length,
    chunk: state.subarray(offset, offset + s.options.snapshotChunkBytes),
  });
}

/**
 * The log must keep what follows a snapshot that is on its way, or its receiver would need the next one
 * at once, for ever. A receiver that is not heard any more does not hold the log up.
 */
export function neededBySnapshots(s: RaftState): number {
  if (s.outgoing === undefined) return Number.POSITIVE_INFINITY;
  const sinceMs = s.nowMs - SNAPSHOT_SILENT_TIMEOUTS * s.electionMsMax;
  const receiving = [...s.progress.values()].some(
    ({ state, heardMs }) => state === 'snapshot' && heardMs >= sinceMs,
  );
  if (receiving) return s.outgoing.index;
  s.outgoing = undefined;
  return Number.POSITIVE_INFINITY;
}

export function onSnapshot(
  s: RaftState,
  from: NodeId,
  message: Extract<Message, { kind: 'snapshot' }>,
): void {
  const { term, round, mark, totalBytes } = message;
  if (term < s.term) {
    refuseOldLeader(s, from);
    return;
  }
  followLeader(s, from, term);
  if (s.installing !== undefined) return;
  if (mark.index <= s.commit) {
    // What is committed here is the leader's own log: a snapshot of it brings nothing.
    s.incoming = undefined;
    reportMatched(s, from, message, Math.min(s.commit, s.log.lastIndex));
    return;
  }
  const nextOffset = takeChunk(s, message);
  if (nextOffset < totalBytes) {
    replyOffset(s, from, round, nextOffset);
    return;
  }
  const bytes = s.incoming?.bytes;
  invariant(bytes !== undefined, 'a whole snapshot was received');
  s.incoming = undefined;
  s.installing = { mark, from, round };
  s.outbox.install = { ...mark, state: bytes };
}

/** The state machine and the disk now hold the snapshot that `outbox.install` handed out. */
export function onInstalled(s: RaftState): void {
  const done = s.installing;
  invariant(done !== undefined, 'a snapshot was being installed');
  s.installing = undefined;
  const { mark } = done;
  invariant(mark.index > s.commit, 'a snapshot never replaces a newer state');
  const same = s.log.termAt(mark.index) === mark.term;
  // Until the write that begins the log anew is durable, the disk holds nothing of it.
  if (!same) s.durability.truncated(s.log.baseIndex + 1);
  s.log.restart(mark);
  noteVerified(s, mark.index);
  s.snapshot = mark;
  s.commit = mark.index;
  s.refreshMembership();
  s.outbox.reset = mark;
  s.outbox.changedFrom = mark.index + 1;
  s.sendDurable(done.from, {
    kind: 'snapshot-reply',
    term: s.term,
    round: done.round,
    index: mark.index,
    // Beyond the last byte: not only received but installed.
    nextOffset: Number.MAX_SAFE_INTEGER,
  });
}

/** Returns the offset that comes next. A first chunk begins anew; any other out of place is ignored. */
function takeChunk(s: RaftState, message: Extract<Message, { kind: 'snapshot' }>): number {
  const { mark, offset, totalBytes, chunk } = message;
  if (s.incoming === undefined || !isSame(s.incoming.mark, mark)) {
    s.incoming = { mark, bytes: new Uint8Array(totalBytes), nextOffset: 0 };
  }
  const { incoming } = s;
  if (offset === incoming.nextOffset && offset + chunk.length <= incoming.bytes.length) {
    incoming.bytes.set(chunk, offset);
    incoming.nextOffset += chunk.length;
  }
  return incoming.nextOffset;
}

function isSame(a: SnapshotMark, b: SnapshotMark): boolean {
  return a.index === b.index && a.term === b.term;
}

function replyOffset(s: RaftState, to: NodeId, round: number, nextOffset: number): void {
  const { index } = s.incoming?.mark ?? { index: 0 };
  s.sendNow(to, { kind: 'snapshot-reply', term: s.term, round, index, nextOffset });
}
