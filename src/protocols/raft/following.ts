// The follower's half of replication: whom it follows, what it takes into its log, what it answers.
//
// `node.ts` and `snapshots.ts` call it.
// Invariants: nothing committed is ever truncated; `matched` speaks only of what the own disk holds; the
// commit index never passes what this very append has verified.
// Source: Raft (thesis), section 3.5; catalogue rows 16 to 18, 21, 25.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { noteVerified } from './healing.ts';
import type { AppendResult, Entry, Message } from './messages.ts';
import type { RaftState } from './state.ts';

export function onAppend(
  s: RaftState,
  from: NodeId,
  message: Extract<Message, { kind: 'append' }>,
): void {
  const { term, prevIndex, entries } = message;
  if (term < s.term) {
    refuseOldLeader(s, from);
    return;
  }
  s.roundTripMs = message.roundTripMs;
  followLeader(s, from, term);
  if (s.installing !== undefined) return;
  const prevTerm = s.log.termAt(prevIndex);
  if (prevIndex > s.commit && prevTerm !== message.prevTerm) {
    const nextIndex =
      prevTerm === undefined ? s.log.lastIndex + 1 : s.log.firstOfTermAt(prevIndex);
    const kind = s.isHealing ? 'lost' : 'conflict';
    const result = { kind, prevIndex, nextIndex } as const;
    s.sendDurable(from, replyTo(s, message, result));
    return;
  }
  takeEntries(s, entries);
  const verified = prevIndex + entries.length;
  s.commit = Math.max(s.commit, Math.min(message.commit, verified));
  noteVerified(s, verified);
  if (entries.length === 0) answerHeartbeat(s, from, message, verified);
  else reportMatched(s, from, message, verified);
}

/** What an answer repeats; snapshots are not timed. */
type Asked = { readonly round: number; readonly sentMs?: number };

/**
 * A message of an earlier term: its sender learns ours and steps down. It may lead ours by then, and count
 * rounds anew: what it sent in the earlier term is repeated neither as a round nor as a moment, since that
 * would confirm reads and leases of which this member knows nothing (catalogue row 32).
 */
export function refuseOldLeader(s: RaftState, from: NodeId): void {
  s.sendDurable(from, replyTo(s, { round: 0 }, { kind: 'matched', index: 0 }));
}

/** `from` leads `term`, which is ours or newer. */
export function followLeader(s: RaftState, from: NodeId, term: number): void {
  invariant(s.role !== 'leader' || term > s.term, `one leader per term: ${from} also leads ${term}`);
  if (term > s.term) s.verified = 0;
  if (term > s.term || s.role !== 'follower') s.becomeFollower(term, from);
  s.heardLeader(from);
}

/** Our disk holds the leader's log up to `verified`, now or once all that was written so far is. */
export function reportMatched(s: RaftState, to: NodeId, asked: Asked, verified: number): void {
  const reply = replyTo(s, asked, { kind: 'matched', index: verified });
  if (verified <= s.durability.index && !s.outbox.hardStateChanged && s.durability.idle) {
    s.sendNow(to, reply);
  } else {
    s.sendDurable(to, reply);
  }
}

/**
 * A slow disk is no dead member: that it hears its leader is told at once, with as much of the log as the
 * disk holds so far (catalogue row 15). The rest is reported by the appends that brought it.
 */
function answerHeartbeat(s: RaftState, to: NodeId, asked: Asked, verified: number): void {
  if (!s.isHardStateDurable) {
    reportMatched(s, to, asked, verified);
    return;
  }
  const index = Math.min(verified, s.durability.index);
  s.sendNow(to, replyTo(s, asked, { kind: 'matched', index }));
}

function replyTo(s: RaftState, { round, sentMs = 0 }: Asked, result: AppendResult): Message {
  const { term } = s;
  const [digest, stateHash] = [s.digests.own, s.stateHashes.own];
  return { kind: 'append-reply', term, round, result, sentMs, digest, stateHash };
}

/** Appends what is new; cuts our log only where it really conflicts (catalogue row 16). */
function takeEntries(s: RaftState, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const held = s.log.termAt(entry.index);
    if (entry.index <= s.log.baseIndex || held === entry.term) continue;
    if (held !== undefined) {
      invariant(entry.index > s.commit, 'nothing committed is ever truncated');
      s.log.truncate(entry.index);
      s.durability.truncated(entry.index);
      s.refreshMembership();
    }
    s.log.append(entry);
    s.changed(entry.index);
    if (entry.kind === 'configuration') s.refreshMembership();
  }
}
