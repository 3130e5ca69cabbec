// A replica's side of the stream: whose entries it takes, what it cuts off, what it answers.
//
// `copy.ts` calls it. The primary's log is the region's: what contradicts it here was the tail of an
// earlier primary that nobody took over. It is cut off, counted and handed to the driver to be set
// aside; what the state machine has already applied of it can only be replaced as a whole.
// Invariants: nothing is acknowledged that is not on the own disk; nothing of an epoch below the promised
// one is taken, however late it arrives.
import type { NodeId } from '../../base/id.ts';
import type { AppendResult, Entry, Message } from './messages.ts';
import type { CopyState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

export function onAppend(s: CopyState, from: NodeId, message: Of<'append'>): void {
  const { attempt, previous, entries } = message;
  s.primaryLast = Math.max(s.primaryLast ?? 0, message.last);
  s.reads.answered(message.echo);
  if (s.installing !== undefined) return;
  if (s.needsState || !s.log.holds(previous)) {
    answer(s, { to: from, attempt, result: partedAs(s, s.needsState ? 'needsState' : 'parted') });
    return;
  }
  const conflict = entries.find(
    ({ epoch, sequence }) => sequence <= s.log.last && s.log.epochAt(sequence) !== epoch,
  );
  if (conflict !== undefined && conflict.sequence <= s.applied) {
    s.needsState = true;
    answer(s, { to: from, attempt, result: partedAs(s, 'needsState') });
    return;
  }
  if (conflict !== undefined) cutTail(s, conflict.sequence);
  takeEntries(s, entries);
  const verified = previous.sequence + entries.length;
  s.committed = Math.max(s.committed, Math.min(message.committed, verified));
  if (message.isSure) {
    if (verified >= message.last) s.setBlank(false);
    s.reads.echoed(message.echo, message.last);
    s.settleEchoes();
  }
  answerMatched(s, { to: from, attempt, verified, hasEntries: entries.length > 0 });
}

/** Counts and hands over what is about to be lost from our log, from `sequence` on. */
export function loseTail(s: CopyState, sequence: number): void {
  const { log } = s;
  if (sequence > log.last) return;
  const held = Math.max(sequence, log.base + 1);
  const all = Number.MAX_SAFE_INTEGER;
  s.outbox.lost.push({
    from: { epoch: log.epochAt(sequence) ?? 0, sequence },
    to: { epoch: log.lastEpoch, sequence: log.last },
    entries: held > log.last ? [] : log.read(held, log.last, { count: all, bytes: all }),
  });
}

function cutTail(s: CopyState, from: number): void {
  loseTail(s, from);
  s.log.cut(from);
  s.durability.truncated(from);
}

function takeEntries(s: CopyState, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (entry.sequence <= s.log.last) continue;
    s.log.append(entry);
    s.changed(entry.sequence);
  }
}

/** What our disk holds of it is told; a heartbeat is answered at once with what it holds so far. */
function answerMatched(
  s: CopyState,
  o: {
    readonly to: NodeId;
    readonly attempt: number;
    readonly verified: number;
    readonly hasEntries: boolean;
  },
): void {
  const { to, attempt, verified, hasEntries } = o;
  const isDurable = verified <= s.durability.index && s.durability.idle;
  const mayLeave = isDurable || !hasEntries;
  const isWaiting = s.outbox.blankChanged || !s.isPromiseDurable;
  const sequence = hasEntries ? verified : Math.min(verified, s.durability.index);
  const result = { kind: 'matched', sequence } as const;
  answer(s, { to, attempt, result, waits: isWaiting || !mayLeave });
}

function partedAs(s: CopyState, kind: 'parted' | 'needsState'): AppendResult {
  const { last } = s.log;
  return { kind, last, runs: s.log.runsUpTo(last), isBlank: s.isBlank };
}

function answer(
  s: CopyState,
  o: {
    readonly to: NodeId;
    readonly attempt: number;
    readonly result: AppendResult;
    readonly waits?: boolean;
  },
): void {
  const { to, attempt, result, waits = true } = o;
  const { promised: epoch, applied, stamp } = s;
  const message = { kind: 'append-reply', epoch, attempt, result, applied, stamp } as const;
  if (waits) s.sendDurable(to, message);
  else s.sendNow(to, message);
}
