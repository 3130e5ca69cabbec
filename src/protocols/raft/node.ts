// One member of a Raft group as a pure state machine: steps go in, effects come out.
//
// `runtime/raft-group` drives it under real disks and sockets, the tests under virtual ones. What the
// driver owes, in this order, for each `collect`:
//  1. hand `write` to the disk (if any) and remember its number;
//  2. send `sendNow`, at any time;
//  3. when all writes up to `afterWrite` are durable: send `sendAfterWrite`, call `persisted`;
//  4. apply entries up to `commit`, serve `reads` whose index is applied, then answer callers;
//  5. `install`: make the snapshot durable and the state machine's, then call `installed`;
//  6. `snapshotWanted`: bring a snapshot with `provideSnapshot`; `deposed`: what waits is uncertain.
// No step may be made between `collect` and handing its write to the disk.
// Source: Ongaro, "Consensus: Bridging Theory and Practice" (thesis); seed, Part II.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Digest } from './digests.ts';
import { collect, type Effects, hasEffects } from './effects.ts';
import {
  campaign,
  onElectionTimer,
  onOwnVoteDurable,
  onPeerLost,
  onPreVote,
  onPreVoteReply,
  onVote,
  onVoteReply,
} from './election.ts';
import { decodeMembership } from './entry-codec.ts';
import { askLeader, expireReads, onRead, onReadReply } from './follower-reads.ts';
import { onAppend } from './following.ts';
import { endHealing } from './healing.ts';
import { holdsLease } from './lease.ts';
import {
  type Entry,
  type Membership,
  type Message,
  type Recovered,
  type Snapshot,
  type SnapshotMark,
  UNCOMMITTED_BYTES_MAX,
} from './messages.ts';
import { beginChange, type Reconfigured } from './reconfiguration.ts';
import {
  advanceCommit,
  compare,
  hearsQuorum,
  onAppendReply,
  onMemberLost,
  onSnapshotReply,
  sendHeartbeats,
} from './replication.ts';
import { neededBySnapshots, onInstalled, onSnapshot } from './snapshots.ts';
import { type RaftOptions, RaftState, type Role } from './state.ts';
import {
  beginTransfer,
  bestSuccessor,
  giveWay,
  goOnWithTransfer,
  onTimeoutNow,
  type Transferred,
  transferTo,
} from './transfer.ts';

/** `appended` is no promise yet: the outcome is known when the entry at `index` is applied. */
export type Proposed =
  | { readonly kind: 'appended'; readonly index: number; readonly term: number }
  | { readonly kind: 'not-leader' }
  | { readonly kind: 'busy' };

const REQUESTS: ReadonlySet<Message['kind']> = new Set([
  'pre-vote',
  'vote',
  'append',
  'snapshot',
  'timeout-now',
]);

export class RaftNode {
  readonly #s: RaftState;

  constructor(options: RaftOptions, recovered: Recovered, nowMs: number) {
    this.#s = new RaftState(options, recovered, nowMs);
  }

  get role(): Role {
    return this.#s.role;
  }

  /** Who leads `term`, as far as this member knows; `undefined` also when it is missed. */
  get leader(): NodeId | undefined {
    const { leader, lostLeader } = this.#s;
    return leader === lostLeader ? undefined : leader;
  }

  get term(): number {
    return this.#s.term;
  }

  get commit(): number {
    return this.#s.commit;
  }

  /** The index of the log's last entry. */
  get last(): number {
    return this.#s.log.lastIndex;
  }

  /** Up to here the log's entries are no longer held. */
  get base(): number {
    return this.#s.log.baseIndex;
  }

  /** Who is in force now; another object as soon as that changes. */
  get membership(): Membership {
    return this.#s.membership;
  }

  /** The index of the newest snapshot that stands for the log before it. */
  get snapshotIndex(): number {
    return this.#s.snapshot.index;
  }

  /** When `tick` must be called next, monotonic. */
  get wakeAtMs(): number {
    const s = this.#s;
    if (s.role === 'leader') return s.heartbeatDueMs;
    return Math.min(s.electionDueMs, s.followerReads.dueMs);
  }

  /** Time passed. Early calls do nothing. */
  tick(nowMs: number): void {
    const s = this.#at(nowMs);
    expireReads(s);
    if (s.role === 'leader') {
      if (!hearsQuorum(s)) {
        s.becomeFollower(s.term, undefined);
        return;
      }
      if (s.isDiskStuck) {
        giveWay(s);
        return;
      }
      goOnWithTransfer(s);
      if (s.role === 'leader' && nowMs >= s.heartbeatDueMs) sendHeartbeats(s);
    } else if (nowMs >= s.electionDueMs) {
      onElectionTimer(s);
    }
  }

  /**
   * This process did not run for a while, so silence proves nothing: before it may campaign, it listens
   * for at least the shortest election timeout.
   */
  stalled(nowMs: number): void {
    const s = this.#at(nowMs);
    s.stalledAtMs = nowMs;
    if (s.role !== 'leader') {
      s.electionDueMs = Math.max(s.electionDueMs, nowMs + s.electionMsMin);
    }
  }

  /**
   * A message from another node. Answers count from members only. Requests are heard from anyone in the
   * world: who asks may have become a member by an entry that has not reached us (catalogue row 13), and
   * who is none any more can not disturb, since a heard leader is sticky and logs are compared.
   */
  receive(from: NodeId, message: Message, nowMs: number): void {
    const s = this.#at(nowMs);
    if (from === s.self) return;
    if (!s.others.includes(from) && !REQUESTS.has(message.kind)) return;
    switch (message.kind) {
      case 'pre-vote':
        return onPreVote(s, from, message);
      case 'pre-vote-reply':
        return onPreVoteReply(s, from, message);
      case 'vote':
        return onVote(s, from, message);
      case 'vote-reply':
        return onVoteReply(s, from, message);
      case 'append':
        return onAppend(s, from, message);
      case 'append-reply':
        onAppendReply(s, from, message);
        return goOnWithTransfer(s);
      case 'snapshot':
        return onSnapshot(s, from, message);
      case 'snapshot-reply':
        return onSnapshotReply(s, from, message);
      case 'timeout-now':
        return onTimeoutNow(s, from, message);
      case 'read':
        return onRead(s, from, message);
      case 'read-reply':
        return onReadReply(s, message);
      case 'diverged':
        if (message.term >= s.term) s.outbox.divergedAt = message.index;
    }
  }

  /** Appends a command if this member leads. `wallMs` (Unix) stamps it. */
  propose(command: Uint8Array, wallMs: number): Proposed {
    const s = this.#s;
    if (s.role !== 'leader') return { kind: 'not-leader' };
    if (s.transfer !== undefined) return { kind: 'busy' };
    if (s.uncommittedBytes + command.length > UNCOMMITTED_BYTES_MAX) return { kind: 'busy' };
    s.wallMs = wallMs;
    s.uncommittedBytes += command.length;
    const entry = s.append('command', command);
    return { kind: 'appended', index: entry.index, term: entry.term };
  }

  /** Makes `voters` the voters of this group, in as many steps as it takes (`reconfiguration.ts`). */
  reconfigure(voters: readonly NodeId[], nowMs: number): Reconfigured {
    return beginChange(this.#at(nowMs), voters);
  }

  /**
   * Asks for a linearizable read; `Effects.reads` answers the ticket. A follower asks its leader. False:
   * not asked, since too many wait or no leader is known. Tickets are above zero.
   */
  read(ticket: number, nowMs: number): boolean {
    const s = this.#at(nowMs);
    if (s.role !== 'leader') return askLeader(s, ticket);
    if (!holdsLease(s) || s.log.termAt(s.commit) !== s.term) return s.reads.ask(ticket);
    s.outbox.reads.push({ ticket, index: s.commit });
    return true;
  }

  /** What all replies up to an entry, or the whole state after it, come to; each in order of entries. */
  noteDigest(of: 'replies' | 'state', digest: Digest): void {
    const s = this.#s;
    const digests = of === 'replies' ? s.digests : s.stateHashes;
    digests.own = digest;
    compare(s, digests, s.self, digest);
  }

  /** All writes up to `number` are durable. */
  persisted(number: number, nowMs: number): void {
    const s = this.#at(nowMs);
    s.durability.persisted(number);
    endHealing(s);
    onOwnVoteDurable(s, number);
    advanceCommit(s);
  }

  /** The link to a node broke: a hint, which only makes a campaign come sooner. */
  peerLost(node: NodeId, nowMs: number): void {
    const s = this.#at(nowMs);
    onMemberLost(s, node);
    onPeerLost(s, node);
  }

  /** The state as of `mark` is durable elsewhere; entries up to `keepAfter` may be forgotten. */
  compact(mark: SnapshotMark, keepAfter: number): void {
    const s = this.#s;
    invariant(keepAfter <= mark.index && mark.index <= s.commit, 'only what is applied is compacted');
    if (mark.index > s.snapshot.index) s.snapshot = mark;
    s.log.compact(Math.min(keepAfter, neededBySnapshots(s)));
  }

  /**
   * The next write holds all that is not committed once more, so that the disk need not keep where it was
   * written first: it may never be committed here, as where a member has left without having heard of it.
   * Nothing while a write is under way: a disk that is slow is not given more.
   */
  rewriteUncommitted(): void {
    const s = this.#s;
    if (s.durability.idle) s.changed(s.commit + 1);
  }

  /** The members as of the entry at `index`: what a snapshot at `index` must carry. */
  membershipAt(index: number): Membership {
    const entry = this.#s.log.newestConfiguration(index);
    return entry === undefined ? this.#s.snapshot.membership : decodeMembership(entry.data);
  }

  provideSnapshot(snapshot: Snapshot): void {
    const s = this.#s;
    // The log may have been cut off behind it meanwhile: whoever took it in could not go on from there.
    if (s.role !== 'leader' || snapshot.index < s.log.baseIndex) return;
    s.outgoing = snapshot;
    for (const progress of s.progress.values()) {
      if (progress.state === 'snapshot') progress.needsSnapshot();
    }
    sendHeartbeats(s);
  }

  installed(nowMs: number): void {
    onInstalled(this.#at(nowMs));
  }

  /** Hands leadership to `target`, or says why not. Given up after an election timeout. */
  transferTo(target: NodeId, nowMs: number): Transferred {
    return transferTo(this.#at(nowMs), target);
  }

  /** Hands leadership to the member that is furthest. False when there is nothing to hand over. */
  transferAway(nowMs: number): boolean {
    const s = this.#at(nowMs);
    const target = bestSuccessor(s);
    return target !== undefined && beginTransfer(s, target);
  }

  /** Campaigns at once, without PreVote: for the only member of a group, and for tests. */
  campaignNow(nowMs: number): void {
    campaign(this.#at(nowMs), false);
  }

  /** Takes what the steps since the last call have decided. */
  collect(): Effects {
    return collect(this.#s);
  }

  /** False: `collect` would bring nothing that the one before did not. */
  get hasEffects(): boolean {
    return hasEffects(this.#s);
  }

  /** Committed entries after `index`, for applying. */
  committedAfter(index: number, countMax: number): readonly Entry[] {
    const s = this.#s;
    const entries = s.log.read(index + 1, countMax, Number.MAX_SAFE_INTEGER);
    const excess = index + entries.length - s.commit;
    return excess > 0 ? entries.slice(0, entries.length - excess) : entries;
  }

  get status(): RaftStatus {
    const s = this.#s;
    return {
      role: s.role,
      term: s.term,
      leader: s.leader,
      commit: s.commit,
      last: s.log.lastIndex,
      base: s.log.baseIndex,
      snapshot: s.snapshot,
      membership: s.membership,
      durable: s.durability.index,
      healUntil: s.healUntil,
      roundTripMs: s.roundTripMs,
      votedFor: s.votedFor,
      members: [...s.progress].map(([node, { match, state }]) => ({ node, match, state })),
    };
  }

  /** The entry at `index`, if the log holds it: for checkers. */
  entryAt(index: number): Entry | undefined {
    return this.#s.log.entryAt(index);
  }

  #at(nowMs: number): RaftState {
    this.#s.nowMs = Math.max(this.#s.nowMs, nowMs);
    return this.#s;
  }
}

export interface RaftStatus {
  readonly role: Role;
  readonly term: number;
  readonly leader: NodeId | undefined;
  readonly commit: number;
  readonly last: number;
  readonly base: number;
  readonly snapshot: SnapshotMark;
  readonly membership: Membership;
  readonly durable: number;
  /** Above 0: entries up to here were lost from the disk, and this member does not vote meanwhile. */
  readonly healUntil: number;
  readonly roundTripMs: number;
  readonly votedFor: NodeId | undefined;
  readonly members: readonly {
    readonly node: NodeId;
    readonly match: number;
    readonly state: 'probe' | 'replicate' | 'snapshot';
  }[];
}
