// How a group finds its leader: PreVote, votes, stickiness, and the order in which members try.
//
// `node.ts` calls it. A campaign begins with PreVote: nobody's term rises before a majority says that it
// would vote and hears no leader. A leader is missed when its link breaks or when it has been silent for
// an election timeout; then the members try one after the other, by rank, so that two seldom campaign at
// once, and again soon when nobody was elected. A broken link only shortens the waiting: a vote is never
// given for a hint.
// Source: Raft (thesis), sections 3.4, 3.6.1, 4.2.3 and 9.6; catalogue rows 1 to 13.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { countVotes } from '../../base/quorum.ts';
import type { Message } from './messages.ts';
import { smoothed } from './pace.ts';
import { becomeLeader } from './replication.ts';
import type { RaftState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/**
 * While a leader is missed, a campaign that is not won is repeated after this, the next after twice as
 * long, and so on up to an election timeout: at first because a lost vote must not cost a whole one, then
 * because a member that nobody answers, or whose disk is slow, gains nothing by haste.
 */
const AGAIN_MS = 20;
/** Answers need as long as this in any case. */
const AGAIN_ROUND_TRIPS = 3;
/** Two members of one rank, which miss different leaders, do not try in step for ever. */
const AGAIN_MS_SPREAD = 10;
const DOUBLINGS_MAX = 10;

/** The election timer fired: the leader that was followed is missed, or a campaign is due. */
export function onElectionTimer(s: RaftState): void {
  const { leader, lostLeader } = s;
  if (leader !== undefined && leader !== lostLeader) {
    s.lostLeader = leader;
    s.electionDueMs = s.nowMs + rankDelay(s, leader);
  }
  if (s.nowMs >= s.electionDueMs) preCampaign(s);
}

/** Asks whether a campaign could be won. */
function preCampaign(s: RaftState): void {
  if (!s.mayCampaign || s.isHealing || s.isDiskStuck || s.installing !== undefined) {
    s.restartElectionTimer();
    return;
  }
  s.becomeFollower(s.term, undefined);
  s.role = 'pre-candidate';
  s.votes.set(s.self, true);
  s.campaigns += 1;
  againLater(s);
  const { lastIndex, lastTerm } = s.log;
  for (const to of voters(s)) {
    const term = s.term + 1;
    s.sendNow(to, { kind: 'pre-vote', term, lastIndex, lastTerm, sentMs: s.nowMs });
  }
  countPreVotes(s);
}

/** Asks for votes in a new term; `transfer` says that the leader itself wants it. */
export function campaign(s: RaftState, transfer: boolean): void {
  if (!s.mayCampaign || s.isHealing || s.installing !== undefined) return;
  s.becomeFollower(s.term + 1, undefined);
  s.role = 'candidate';
  // A candidate votes for itself, so the vote and the new term reach the disk as one record, and no
  // request leaves before they have.
  s.votedFor = s.self;
  s.ownVoteAfter = s.durability.issued + 1;
  againLater(s);
  const { lastIndex, lastTerm } = s.log;
  for (const to of voters(s)) {
    s.sendDurable(to, { kind: 'vote', term: s.term, lastIndex, lastTerm, transfer });
  }
}

export function onPreVote(s: RaftState, from: NodeId, message: Of<'pre-vote'>): void {
  const granted =
    message.term > s.term &&
    !s.leaderIsFresh &&
    !s.isHealing &&
    s.log.isAtMost(message.lastIndex, message.lastTerm);
  // Our own term goes along: one who asks with an older term learns it here and nowhere else.
  const { term: askedTerm, sentMs } = message;
  s.sendNow(from, { kind: 'pre-vote-reply', term: s.term, askedTerm, granted, sentMs });
}

export function onPreVoteReply(s: RaftState, from: NodeId, message: Of<'pre-vote-reply'>): void {
  // Members that are far away need more patience than we have had so far.
  s.roundTripMs = smoothed(s.roundTripMs, Math.max(0, s.nowMs - message.sentMs));
  if (message.term > s.term) {
    s.becomeFollower(message.term, undefined);
    againLater(s);
    return;
  }
  if (s.role !== 'pre-candidate' || message.askedTerm !== s.term + 1) return;
  s.votes.set(from, message.granted);
  countPreVotes(s);
}

export function onVote(s: RaftState, from: NodeId, message: Of<'vote'>): void {
  // While a leader is heard, a vote request can only disturb: it does not even raise the term.
  if (message.term < s.term || (s.leaderIsFresh && !message.transfer)) {
    s.sendDurable(from, { kind: 'vote-reply', term: s.term, granted: false });
    return;
  }
  if (message.term > s.term) s.becomeFollower(message.term, undefined);
  const free = s.votedFor === undefined || s.votedFor === from;
  const granted = free && !s.isHealing && s.log.isAtMost(message.lastIndex, message.lastTerm);
  if (granted) {
    invariant(s.role !== 'leader' && s.role !== 'candidate', 'who votes for another does not run');
    // A PreVote of our own that is still under way must not disturb the one we vote for.
    s.becomeFollower(s.term, undefined);
    if (s.votedFor === undefined) {
      s.votedFor = from;
      s.outbox.hardStateChanged = true;
    }
    s.restartElectionTimer();
  }
  s.sendDurable(from, { kind: 'vote-reply', term: s.term, granted });
}

export function onVoteReply(s: RaftState, from: NodeId, message: Of<'vote-reply'>): void {
  if (message.term > s.term) {
    s.becomeFollower(message.term, undefined);
    againLater(s);
    return;
  }
  if (s.role !== 'candidate' || message.term !== s.term) return;
  s.votes.set(from, message.granted);
  countRealVotes(s);
}

/** Our disk has moved on: the own vote counts from here on. */
export function onOwnVoteDurable(s: RaftState, writeNumber: number): void {
  if (s.role !== 'candidate' || writeNumber < s.ownVoteAfter || s.votes.has(s.self)) return;
  s.votes.set(s.self, true);
  // The requests leave only now.
  againLater(s);
  countRealVotes(s);
}

/** The link to `node` broke. If it led us, it is missed at once. */
export function onPeerLost(s: RaftState, node: NodeId): void {
  // Whoever has promised a lease keeps it, whatever a link says.
  if (s.options.leaseDriftPerMille !== undefined) return;
  if (s.role !== 'follower' || s.leader !== node) return;
  s.leaderHeardMs = Number.NEGATIVE_INFINITY;
  s.lostLeader = node;
  s.electionDueMs = Math.min(s.electionDueMs, s.nowMs + rankDelay(s, node));
}

function countPreVotes(s: RaftState): void {
  const result = countVotes(s.membership, s.votes);
  if (result === 'won') campaign(s, false);
  else if (result === 'lost') againLater(s);
}

function countRealVotes(s: RaftState): void {
  const result = countVotes(s.membership, s.votes);
  if (result === 'won') {
    invariant(s.votedFor === s.self, 'a leader has voted for itself');
    becomeLeader(s);
  } else if (result === 'lost') {
    s.role = 'follower';
    againLater(s);
  }
}

/** When the next campaign comes, unless this one is won or a leader is heard before. */
function againLater(s: RaftState): void {
  s.restartElectionTimer();
  if (s.lostLeader === undefined) return;
  const onceMs = Math.max(AGAIN_MS, AGAIN_ROUND_TRIPS * s.roundTripMs);
  const waitMs = onceMs * 2 ** Math.min(Math.max(s.campaigns - 1, 0), DOUBLINGS_MAX);
  const spreadMs = s.options.random.integer(0, AGAIN_MS_SPREAD) + rankDelay(s, s.lostLeader);
  s.electionDueMs = Math.min(s.electionDueMs, s.nowMs + waitMs + spreadMs);
}

/** Our place in line, in time: the voter whose id follows the lost leader's goes first. */
function rankDelay(s: RaftState, lost: NodeId): number {
  const line = [...voters(s), s.self].filter((node) => node !== lost).sort((a, b) => a - b);
  const next = line.findIndex((node) => node > lost);
  const first = next === -1 ? 0 : next;
  const rank = (line.indexOf(s.self) - first + line.length) % line.length;
  return rank * Math.max(s.options.rankDelayMs, s.roundTripMs);
}

function voters(s: RaftState): NodeId[] {
  const all = new Set<NodeId>([...s.membership.incoming, ...s.membership.outgoing]);
  all.delete(s.self);
  return [...all];
}
