// The leader's half of replication: how its log reaches the others, and when an entry is committed.
//
// `node.ts` and `election.ts` call it. The leader sends entries before its own disk has them: its own
// copy counts for the commit only once it is durable, like everybody else's. Heartbeats are appends, so
// each of them also checks that the logs meet, and heals a pipeline that lost something.
// Invariant: only entries of the own term are committed by counting.
// Source: Raft (thesis), sections 3.5, 3.6.2, 6.4, 10.2; catalogue rows 19 to 29 and 31.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { committedIndex, hasQuorum } from '../../base/quorum.ts';
import type { Digest, Digests } from './digests.ts';
import { APPEND_BYTES_MAX, type Entry, type Message } from './messages.ts';
import { Progress } from './progress.ts';
import { sendSnapshot } from './snapshots.ts';
import type { RaftState } from './state.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** A member that is silent for so many heartbeats is only probed until it speaks again. */
const SILENT_HEARTBEATS_MAX = 3;

export function becomeLeader(s: RaftState): void {
  s.role = 'leader';
  s.leader = s.self;
  s.lostLeader = undefined;
  s.campaigns = 0;
  s.votes.clear();
  const fresh = (): Progress =>
    new Progress(s.log.lastIndex + 1, s.nowMs, s.options.inFlightAppendsMax);
  s.progress = new Map(s.others.map((node) => [node, fresh()]));
  // Nothing of earlier terms commits by counting, so the term opens with an entry of its own.
  s.append('noop', NO_BYTES);
  s.outbox.elected = true;
  s.leaseEnded = false;
  s.heartbeatDueMs = s.nowMs + s.options.heartbeatMs;
}

/** Sends every member what it can take now. Called once per turn, so that entries travel together. */
export function sendAppends(s: RaftState): void {
  for (const [node, progress] of s.progress) {
    while (progress.canSend && progress.next <= s.log.lastIndex) sendEntries(s, node, progress);
  }
}

export function isSendDue({ log, progress }: RaftState): boolean {
  for (const member of progress.values()) {
    if (member.canSend && member.next <= log.lastIndex) return true;
  }
  return false;
}

/** Keeps leadership known, and begins again where nothing was heard of what was sent. */
export function sendHeartbeats(s: RaftState): void {
  s.heartbeatDueMs = s.nowMs + s.options.heartbeatMs;
  s.roundTripMs = longestRoundTrip(s);
  for (const [node, progress] of s.progress) {
    const silentMs = s.nowMs - progress.heardMs - s.roundTripMs;
    const silent = silentMs > SILENT_HEARTBEATS_MAX * s.options.heartbeatMs;
    if (silent && progress.state === 'replicate') progress.probe();
    if (progress.state === 'snapshot') sendSnapshot(s, node, progress);
    if (s.nowMs - progress.sentMs >= s.options.heartbeatMs / 2) sendEmpty(s, node, progress);
  }
}

/** A link broke: what was on its way is lost, and the member is asked where it stands. */
export function onMemberLost(s: RaftState, node: NodeId): void {
  const progress = s.progress.get(node);
  if (progress?.state === 'replicate') progress.probe();
}

/** Begins a confirmation round for the reads that wait, if this term has committed anything yet. */
export function beginReads(s: RaftState): void {
  if (!s.reads.hasUnsent || s.log.termAt(s.commit) !== s.term) return;
  s.reads.begin(s.commit);
  for (const [node, progress] of s.progress) sendEmpty(s, node, progress);
  resolveReads(s);
}

export function onAppendReply(
  s: RaftState,
  from: NodeId,
  message: Extract<Message, { kind: 'append-reply' }>,
): void {
  const progress = heardMember(s, from, message);
  if (progress === undefined) return;
  const { result, digest, stateHash } = message;
  progress.answered(message.sentMs, s.nowMs);
  compare(s, s.digests, from, digest);
  compare(s, s.stateHashes, from, stateHash);
  if (result.kind !== 'matched') {
    if (result.kind === 'lost') progress.lost(result.nextIndex);
    if (progress.conflicted(result.prevIndex, result.nextIndex)) sendEmpty(s, from, progress);
  } else if (progress.state !== 'snapshot' || result.index >= s.log.baseIndex) {
    onMatched(s, progress, result.index);
  }
  resolveReads(s);
}

export function onSnapshotReply(
  s: RaftState,
  from: NodeId,
  message: Extract<Message, { kind: 'snapshot-reply' }>,
): void {
  const progress = heardMember(s, from, message);
  if (progress === undefined) return;
  const snapshot = s.outgoing;
  if (progress.state === 'snapshot' && snapshot !== undefined) {
    if (message.index === snapshot.index && message.nextOffset > snapshot.state.length) {
      onMatched(s, progress, message.index);
      const still = [...s.progress.values()].some((other) => other.state === 'snapshot');
      if (!still) s.outgoing = undefined;
    } else if (message.index === snapshot.index) {
      progress.snapshotOffset = message.nextOffset;
      progress.snapshotSentMs = Number.NEGATIVE_INFINITY;
      sendSnapshot(s, from, progress);
    }
  }
  resolveReads(s);
}

/** Commits what a majority of disks holds, if it is of this term. */
export function advanceCommit(s: RaftState): void {
  if (s.role !== 'leader') return;
  const reached = (node: NodeId): number =>
    node === s.self ? s.durability.index : (s.progress.get(node)?.match ?? 0);
  const index = committedIndex(s.membership, reached);
  if (index <= s.commit || s.log.termAt(index) !== s.term) return;
  for (let i = s.commit + 1; i <= index; i++) {
    s.uncommittedBytes -= s.log.entryAt(i)?.data.length ?? 0;
  }
  s.uncommittedBytes = Math.max(0, s.uncommittedBytes);
  s.commit = index;
}

/** Whether a majority was heard within the longest election timeout (CheckQuorum). */
export function hearsQuorum(s: RaftState): boolean {
  const sinceMs = s.nowMs - s.electionMsMax;
  return hasQuorum(
    s.membership,
    (node) => node === s.self || (s.progress.get(node)?.heardMs ?? sinceMs - 1) >= sinceMs,
  );
}

/** Whoever contradicts a majority about the state is told to stop, or is this very process. */
export function compare(s: RaftState, digests: Digests, node: NodeId, said: Digest): void {
  const { index } = said;
  if (!digests.note(node, said) || s.role !== 'leader') return;
  for (const other of digests.divergent(s.membership, index)) {
    if (other === s.self) s.outbox.divergedAt = index;
    else s.sendNow(other, { kind: 'diverged', term: s.term, index });
  }
}

/** To the voter that is farthest, of those that answer; as it was while none has. */
function longestRoundTrip(s: RaftState): number {
  let longest: number | undefined;
  for (const [node, { roundTripMs }] of s.progress) {
    if (roundTripMs === undefined || !isVoter(s, node)) continue;
    longest = Math.max(longest ?? 0, roundTripMs);
  }
  return longest ?? s.roundTripMs;
}

function isVoter({ membership }: RaftState, node: NodeId): boolean {
  return membership.incoming.includes(node) || membership.outgoing.includes(node);
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}

/** The progress of a member that answered us as the leader of this term; else `undefined`. */
function heardMember(
  s: RaftState,
  from: NodeId,
  message: { readonly term: number; readonly round: number },
): Progress | undefined {
  if (message.term > s.term) {
    s.becomeFollower(message.term, undefined);
    return undefined;
  }
  const progress = s.progress.get(from);
  if (s.role !== 'leader' || message.term < s.term || progress === undefined) return undefined;
  progress.heardMs = s.nowMs;
  progress.answeredRound = Math.max(progress.answeredRound, message.round);
  return progress;
}

function onMatched(s: RaftState, progress: Progress, index: number): void {
  invariant(index <= s.log.lastIndex, 'nobody holds more of our log than we do');
  if (progress.matched(index)) advanceCommit(s);
}

function resolveReads(s: RaftState): void {
  if (!s.reads.isConfirming) return;
  s.reads.resolve(
    (round) =>
      hasQuorum(
        s.membership,
        (node) => node === s.self || (s.progress.get(node)?.answeredRound ?? 0) >= round,
      ),
    (ticket, index) => s.answerRead(ticket, index),
  );
}

function sendEntries(s: RaftState, node: NodeId, progress: Progress): void {
  const prevIndex = progress.next - 1;
  const prevTerm = s.log.termAt(prevIndex);
  if (prevTerm === undefined) {
    progress.needsSnapshot();
    sendSnapshot(s, node, progress);
    return;
  }
  const entries = s.log.read(progress.next, s.options.appendEntriesMax, APPEND_BYTES_MAX);
  progress.sent(prevIndex + entries.length, bytesOf(entries));
  progress.sentMs = s.nowMs;
  const { term, commit, nowMs: sentMs, roundTripMs } = s;
  const { round } = s.reads;
  const kind = 'append';
  s.sendNow(node, { kind, term, round, prevIndex, prevTerm, commit, sentMs, roundTripMs, entries });
}

/** Carries term, commit and round; its answer tells whether what was sent before has arrived. */
function sendEmpty(s: RaftState, node: NodeId, progress: Progress): void {
  const end = progress.state === 'snapshot' ? 0 : progress.next - 1;
  const endTerm = s.log.termAt(end);
  if (endTerm === undefined && progress.state !== 'snapshot') progress.needsSnapshot();
  progress.sentMs = s.nowMs;
  s.sendNow(node, {
    kind: 'append',
    term: s.term,
    round: s.reads.round,
    // Every log agrees on what lies before its first entry, so 0 asks nothing.
    prevIndex: endTerm === undefined ? 0 : end,
    prevTerm: endTerm ?? 0,
    commit: s.commit,
    sentMs: s.nowMs,
    roundTripMs: s.roundTripMs,
    entries: [],
  });
}
