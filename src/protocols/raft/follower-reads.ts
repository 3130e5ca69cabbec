// Linearizable reads at a follower: it asks its leader from which index on it may answer, and waits for it.
//
// `node.ts` calls it, on both sides. The leader treats such a question like a read of its own; only the
// index travels, never the state. A question without an answer within an election timeout is given up:
// nothing was read then, and the caller may ask elsewhere.
// Source: Raft (thesis), section 6.4.
import type { NodeId } from '../../base/id.ts';
import type { Message } from './messages.ts';
import { READS_WAITING_MAX } from './reads.ts';
import type { RaftState } from './state.ts';

/** Asks the leader for an index to read at. False: there is no leader to ask, or too many wait. */
export function askLeader(s: RaftState, ticket: number): boolean {
  const { asked } = s.followerReads;
  if (s.leader === undefined || s.leader === s.self || asked.size >= READS_WAITING_MAX) return false;
  const number = s.followerReads.takeNumber();
  asked.set(number, { ticket, untilMs: s.nowMs + s.electionMsMax });
  s.sendNow(s.leader, { kind: 'read', term: s.term, number });
  return true;
}

/** A member asks us as its leader. */
export function onRead(s: RaftState, from: NodeId, message: Extract<Message, { kind: 'read' }>): void {
  const { number } = message;
  const ticket = s.followerReads.takeTicket();
  if (s.role === 'leader' && message.term === s.term && s.reads.ask(ticket)) {
    s.followerReads.served.set(ticket, { from, number });
  } else {
    s.sendNow(from, { kind: 'read-reply', term: s.term, number, index: 0 });
  }
}

export function onReadReply(
  s: RaftState,
  message: Extract<Message, { kind: 'read-reply' }>,
): void {
  const { asked } = s.followerReads;
  const question = asked.get(message.number);
  if (question === undefined) return;
  asked.delete(message.number);
  const index = message.index === 0 ? undefined : message.index;
  s.outbox.reads.push({ ticket: question.ticket, index });
}

/** Gives up what was not answered in time. */
export function expireReads(s: RaftState): void {
  const { asked } = s.followerReads;
  for (const [number, { ticket, untilMs }] of asked) {
    if (untilMs > s.nowMs) return;
    asked.delete(number);
    s.outbox.reads.push({ ticket, index: undefined });
  }
}
