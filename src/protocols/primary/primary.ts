// The primary's side of the stream: its log to the replicas, their disks back as acknowledgements.
//
// `copy.ts` calls it. An entry leaves only when our own disk has it: a primary that dies and comes back
// in the same epoch then never gives a second entry the name of one that a replica already has.
// Invariants: `committed` is counted over entries of the own epoch only, as in Raft: what an earlier
// primary left on a majority could still lose a promotion against a longer log of another earlier one.
// And it is counted under the lease only: a copy that lost its disk has forgotten what it promised to a
// successor, and would take entries of ours that the successor's log does not hold.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { committedIndex } from '../../base/quorum.ts';
import { APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, type Entry, type Message } from './messages.ts';
import { Progress } from './progress.ts';
import type { CopyState } from './state.ts';
import { sendParts } from './transfer.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Begins, or after a restart goes on with, the epoch that was promised and is ours. */
export function becomePrimary(s: CopyState, wallMs: number): void {
  invariant(s.isPrimary, 'only who is appointed becomes primary');
  s.needsState = false;
  s.incoming = undefined;
  s.setBlank(false);
  const goesOn = s.log.lastEpoch === s.promised;
  s.start = s.log.last;
  if (!goesOn) s.append('opening', NO_BYTES, wallMs);
  s.progress = new Map(s.others.map((node) => [node, new Progress(s.start + 1, s.nowMs)]));
  s.heartbeatDueMs = s.nowMs;
}

/** Sends every replica what it can take now. Called once per turn, so that entries travel together. */
export function sendAppends(s: CopyState): void {
  for (const [node, progress] of s.progress) {
    while (progress.canStream && progress.next <= s.durability.index) sendEntries(s, node, progress);
  }
}

/**
 * Keeps the replicas informed. An answer also tells whether what was sent before has arrived: until one
 * comes, no more is on the way to a replica than it may have in flight.
 */
export function sendHeartbeats(s: CopyState): void {
  const { heartbeatMs } = s.options;
  s.heartbeatDueMs = s.nowMs + heartbeatMs;
  for (const [node, progress] of s.progress) {
    if (progress.mode === 'state') sendParts(s, node, progress);
    if (s.nowMs - progress.sentMs >= heartbeatMs / 2) sendEmpty(s, node, progress);
  }
}

/** A link stands again: what was on its way may be lost, and the answer will tell. */
export function greet(s: CopyState, node: NodeId): void {
  const progress = s.progress.get(node);
  if (progress !== undefined) sendEmpty(s, node, progress);
}

export function onAppendReply(s: CopyState, from: NodeId, message: Of<'append-reply'>): void {
  const progress = s.progress.get(from);
  if (progress === undefined) return;
  const { result, attempt } = message;
  progress.heardMs = s.nowMs;
  progress.stamp = message.stamp;
  progress.applied = message.applied;
  if (result.kind === 'matched') {
    invariant(result.sequence <= s.log.last, 'nobody holds more of our log than we do');
    if (progress.mode === 'state') return;
    progress.isBlank = false;
    progress.matched(result.sequence);
    advance(s);
    return;
  }
  if (result.isBlank) progress.match = 0;
  progress.isBlank = result.isBlank;
  if (attempt !== progress.attempt || progress.mode === 'state') return;
  const agreed = s.log.common(result);
  if (result.kind === 'needsState' || agreed < s.log.base) progress.sendState();
  else progress.streamFrom(agreed);
}

/** A replica wants to know how new it is: any append tells, and carries its stamp. */
export function onLevel(s: CopyState, from: NodeId, { stamp }: Of<'level'>): void {
  const progress = s.progress.get(from);
  if (progress === undefined) return;
  progress.stamp = stamp;
  sendEmpty(s, from, progress);
}

/** Counts anew how far a majority, and all, have come. */
export function advance(s: CopyState): void {
  if (!s.isPrimary) return;
  const reached = (node: NodeId): number =>
    node === s.self ? s.durability.index : (s.progress.get(node)?.match ?? 0);
  const { copies } = s.options;
  s.everywhere = Math.min(...copies.map(reached));
  const majority = committedIndex({ incoming: copies, outgoing: [] }, reached);
  if (!s.isServing) return;
  if (majority > s.committed && s.log.epochAt(majority) === s.promised) s.committed = majority;
}

function sendEntries(s: CopyState, node: NodeId, progress: Progress): void {
  if (progress.next <= s.log.base) {
    progress.sendState();
    sendParts(s, node, progress);
    return;
  }
  const limits = { count: APPEND_ENTRIES_MAX, bytes: APPEND_BYTES_MAX };
  const entries = s.log.read(progress.next, s.durability.index, limits);
  sendAppend(s, { node, progress, entries });
  progress.sent(progress.next - 1 + entries.length, bytesOf(entries));
}

/** Carries what changes without entries; its answer tells whether what was sent before has arrived. */
function sendEmpty(s: CopyState, node: NodeId, progress: Progress): void {
  sendAppend(s, { node, progress, entries: [] });
}

function sendAppend(
  s: CopyState,
  o: { readonly node: NodeId; readonly progress: Progress; readonly entries: readonly Entry[] },
): void {
  const { node, progress, entries } = o;
  // What is being sent as a state asks nothing of the receiver's log: all logs begin at 0 alike.
  const sequence = progress.mode === 'state' ? 0 : progress.next - 1;
  const epoch = s.log.epochAt(sequence);
  progress.sentMs = s.nowMs;
  s.sendNow(node, {
    kind: 'append',
    epoch: s.promised,
    attempt: progress.attempt,
    previous: epoch === undefined ? { epoch: 0, sequence: 0 } : { epoch, sequence },
    entries,
    last: s.durability.index,
    committed: s.committed,
    isSure: s.isServing,
    echo: progress.stamp,
  });
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}
