// How a replica whose log can not be mended is sent the state itself, part by part.
//
// `primary.ts` begins it, `copy.ts` feeds it. The driver brings the primary's state when one is wanted,
// and on the other side makes a received one durable and the state machine's before it reports it.
// Invariants: a part is taken only when it comes next; a received state never replaces one that is newer
// in the same log; while it is being installed nothing is acknowledged, and no place in the log is told.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { type Mark, type Message, PARTS_IN_FLIGHT_MAX, STATE_BYTES_MAX } from './messages.ts';
import type { Progress } from './progress.ts';
import { loseTail } from './replica.ts';
import type { CopyState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** Parts without an answer are sent again after so many heartbeats. */
const RESEND_HEARTBEATS = 4;
/** A receiver that was silent for so many heartbeats no longer keeps the log from being compacted. */
const SILENT_HEARTBEATS_MAX = 50;

/** Sends the parts that may be on their way now, unless the driver has not brought the state yet. */
export function sendParts(s: CopyState, node: NodeId, progress: Progress): void {
  const { outgoing } = s;
  if (outgoing === undefined) return;
  const { mark, parts } = outgoing;
  if (s.nowMs - progress.partSentMs >= RESEND_HEARTBEATS * s.options.heartbeatMs) {
    // Also when all were answered: who took them may have died before they were installed.
    progress.partNext = Math.min(progress.partAnswered, parts.length - 1);
  }
  const end = Math.min(parts.length, progress.partAnswered + PARTS_IN_FLIGHT_MAX);
  for (; progress.partNext < end; progress.partNext++) {
    const bytes = parts[progress.partNext] as Uint8Array;
    progress.partSentMs = s.nowMs;
    const part = progress.partNext;
    s.sendNow(node, { kind: 'state', epoch: s.promised, mark, part, parts: parts.length, bytes });
  }
}

/** The driver brought the state that some replica needs. */
export function provideState(s: CopyState, outgoing: NonNullable<CopyState['outgoing']>): void {
  if (!s.isPrimary) return;
  invariant(outgoing.parts.length > 0, 'a state has at least one part');
  s.outgoing = outgoing;
  for (const [node, progress] of s.progress) {
    if (progress.mode !== 'state') continue;
    progress.sendState();
    sendParts(s, node, progress);
  }
}

/** Not before something of the own epoch is in it: it then says how far all older logs go. */
export function isStateWanted(s: CopyState): boolean {
  if (!s.isPrimary || s.outgoing !== undefined || s.applied <= s.start) return false;
  return [...s.progress.values()].some(({ mode }) => mode === 'state');
}

/** The log must keep what follows a state that is on its way, or its receiver would need the next one. */
export function neededByTransfers(s: CopyState): number {
  if (s.outgoing === undefined) return Number.POSITIVE_INFINITY;
  const sinceMs = s.nowMs - SILENT_HEARTBEATS_MAX * s.options.heartbeatMs;
  const isTaken = [...s.progress.values()].some(
    ({ mode, heardMs }) => mode === 'state' && heardMs >= sinceMs,
  );
  if (isTaken) return s.outgoing.mark.sequence;
  s.outgoing = undefined;
  return Number.POSITIVE_INFINITY;
}

export function onStateReply(s: CopyState, from: NodeId, message: Of<'state-reply'>): void {
  const progress = s.progress.get(from);
  if (progress === undefined) return;
  progress.heardMs = s.nowMs;
  progress.stamp = message.stamp;
  const { outgoing } = s;
  if (progress.mode !== 'state' || message.sequence !== outgoing?.mark.sequence) return;
  if (message.nextPart <= outgoing.parts.length) {
    if (message.nextPart < progress.partAnswered) progress.partNext = message.nextPart;
    progress.partAnswered = message.nextPart;
    sendParts(s, from, progress);
    return;
  }
  progress.streamFrom(message.sequence);
  progress.matched(message.sequence);
  if (![...s.progress.values()].some(({ mode }) => mode === 'state')) s.outgoing = undefined;
}

export function onState(s: CopyState, from: NodeId, message: Of<'state'>): void {
  const { mark, part, parts, bytes } = message;
  if (s.installing !== undefined) {
    // Its sender is not to think that this copy has gone: it would forget the entries behind the state.
    if (isSame(s.installing.mark, mark)) reply(s, { to: from, mark, nextPart: parts });
    return;
  }
  if (s.log.holds(mark)) {
    // The state is of its primary's own epoch: who has that in his log has all that was before it.
    s.needsState = false;
    reply(s, { to: from, mark, nextPart: parts + 1 });
    return;
  }
  if (s.incoming === undefined || !isSame(s.incoming.mark, mark)) {
    s.incoming = { mark, parts: [], bytes: 0 };
  }
  const { incoming } = s;
  if (part === incoming.parts.length && incoming.bytes + bytes.length <= STATE_BYTES_MAX) {
    incoming.parts.push(bytes);
    incoming.bytes += bytes.length;
  }
  if (incoming.parts.length < parts) {
    reply(s, { to: from, mark, nextPart: incoming.parts.length });
    return;
  }
  s.incoming = undefined;
  s.installing = { mark, from };
  loseTail(s, s.log.common({ last: mark.sequence, runs: mark.runs }) + 1);
  s.outbox.install = { mark, parts: incoming.parts };
}

/** The state that `outbox.install` handed out is on the disk and the state machine's. */
export function onInstalled(s: CopyState): void {
  const done = s.installing;
  invariant(done !== undefined, 'a state was being installed');
  const { mark, from } = done;
  s.installing = undefined;
  s.needsState = false;
  // Until the write that begins the log anew is durable, the disk holds nothing of it.
  s.durability.truncated(1);
  s.log.restart(mark);
  s.checkpoint = mark;
  s.applied = mark.sequence;
  // It may be older than what was here: nothing that was heard of it before counts.
  s.reads.forgetEchoes();
  s.outbox.reset = mark;
  s.outbox.changedFrom = mark.sequence + 1;
  if (s.primary === from) reply(s, { to: from, mark, nextPart: Number.MAX_SAFE_INTEGER });
}

function reply(
  s: CopyState,
  o: { readonly to: NodeId; readonly mark: Mark; readonly nextPart: number },
): void {
  const { promised: epoch, stamp } = s;
  const { sequence } = o.mark;
  const { nextPart } = o;
  s.sendDurable(o.to, { kind: 'state-reply', epoch, sequence, nextPart, stamp });
}

function isSame(a: Mark, b: Mark): boolean {
  return a.sequence === b.sequence && a.epoch === b.epoch;
}
