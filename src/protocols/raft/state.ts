// The state of one member of a Raft group, and the few transitions that every part of Raft shares.
//
// `node.ts` owns one; `election`, `replication`, `snapshots`, `reads` and `transfer` are functions over
// it. Nothing here does anything: what must happen is collected in `outbox`, and `node.ts` hands it to
// the loop. Time comes in with every step (`nowMs`, monotonic; `wallMs` only stamps entries).
// Invariants: the term never falls; one vote per term; commit never falls; commit <= last index.
// Source: Raft (thesis), figure 3.1.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import { Durability } from './durability.ts';
import { decodeMembership } from './entry-codec.ts';
import { RaftLog } from './log.ts';
import type {
  Entry,
  EntryKind,
  Envelope,
  HardState,
  Membership,
  Message,
  Recovered,
  Snapshot,
  SnapshotMark,
} from './messages.ts';
import type { Progress } from './progress.ts';
import { Reads } from './reads.ts';

export interface RaftOptions {
  readonly self: NodeId;
  /** Who votes when the log says nothing yet: the same on every member. */
  readonly voters: readonly NodeId[];
  readonly random: Random;
  /** A follower that hears no leader for a random time between these two campaigns. Seed: 150-300 ms. */
  readonly electionMsMin: number;
  readonly electionMsMax: number;
  readonly heartbeatMs: number;
  /** After a lost link to the leader, each rank waits this much longer than the one before. */
  readonly rankDelayMs: number;
}

export const RAFT_DEFAULTS: Omit<RaftOptions, 'self' | 'voters' | 'random'> = {
  electionMsMin: 150,
  electionMsMax: 300,
  heartbeatMs: 50,
  rankDelayMs: 15,
};

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface ResolvedRead {
  readonly ticket: number;
  /** Serve the read once this index is applied; `undefined`: not the leader any more, nothing read. */
  readonly index: number | undefined;
}

/** What must happen because of the steps since the last `collect`. */
export interface Outbox {
  /** May leave before our own disk has anything. */
  now: Envelope[];
  /** Depends on our disk: leaves when everything written so far is durable. */
  afterWrite: Envelope[];
  reads: ResolvedRead[];
  hardStateChanged: boolean;
  /** Lowest index that changed in memory since the last write; Infinity when none did. */
  changedFrom: number;
  reset: SnapshotMark | undefined;
  install: Snapshot | undefined;
  /** Leadership ended: whatever waits for its commit here has an unknown outcome. */
  deposed: boolean;
}

export class RaftState {
  readonly options: RaftOptions;
  readonly self: NodeId;
  readonly log: RaftLog;
  readonly durability: Durability;
  readonly reads: Reads = new Reads();
  term: number;
  votedFor: NodeId | undefined;
  role: Role = 'follower';
  leader: NodeId | undefined;
  commit: number;
  #membership: Membership;
  #others: readonly NodeId[];
  nowMs: number;
  wallMs = 0;
  electionDueMs = 0;
  /** When the leader of this term was last heard; -Infinity when it is known to be lost. */
  leaderHeardMs: number = Number.NEGATIVE_INFINITY;
  /** The leader whose link broke: until another is heard, campaigns follow each other quickly. */
  lostLeader: NodeId | undefined;
  votes: Map<NodeId, boolean> = new Map();
  /** The write that must be durable before the own vote counts. */
  ownVoteAfter = 0;

  // While leading.
  progress: Map<NodeId, Progress> = new Map();
  heartbeatDueMs = 0;
  uncommittedBytes = 0;
  transfer: { readonly target: NodeId; readonly untilMs: number; told: boolean } | undefined;
  /** The state that members in `snapshot` are sent; fetched by the driver when it is wanted. */
  outgoing: Snapshot | undefined;

  /** A snapshot on its way in. */
  incoming: { mark: SnapshotMark; bytes: Uint8Array; nextOffset: number } | undefined;
  installing: { readonly mark: SnapshotMark; readonly from: NodeId; readonly round: number } | undefined;
  snapshot: SnapshotMark;
  outbox: Outbox = emptyOutbox();

  constructor(options: RaftOptions, recovered: Recovered, nowMs: number) {
    this.options = options;
    this.self = options.self;
    this.nowMs = nowMs;
    this.term = recovered.hardState.term;
    this.votedFor = recovered.hardState.votedFor;
    this.snapshot =
      recovered.snapshot.index > 0
        ? recovered.snapshot
        : {
            ...recovered.snapshot,
            membership: { incoming: options.voters, outgoing: [], learners: [] },
          };
    this.log = new RaftLog(this.snapshot, recovered.entries);
    this.durability = new Durability(this.log.lastIndex);
    this.commit = this.snapshot.index;
    this.#membership = this.#membershipInLog();
    this.#others = this.#otherMembers();
    invariant(this.log.lastTerm <= this.term, 'no entry is newer than the term on disk');
    this.restartElectionTimer();
  }

  get hardState(): HardState {
    return { term: this.term, votedFor: this.votedFor };
  }

  get membership(): Membership {
    return this.#membership;
  }

  /** All other members: voters of both sets and learners. */
  get others(): readonly NodeId[] {
    return this.#others;
  }

  get isVoter(): boolean {
    const { incoming, outgoing } = this.#membership;
    return incoming.includes(this.self) || outgoing.includes(this.self);
  }

  /** Membership takes effect when its entry is appended, committed or not (section 4.1). */
  refreshMembership(): void {
    this.#membership = this.#membershipInLog();
    this.#others = this.#otherMembers();
  }

  restartElectionTimer(): void {
    const { random, electionMsMin, electionMsMax } = this.options;
    this.electionDueMs = this.nowMs + random.integer(electionMsMin, electionMsMax);
  }

  /** Follows `leader` (if known) in `term`, which is ours or newer. */
  becomeFollower(term: number, leader: NodeId | undefined): void {
    invariant(term >= this.term, 'the term never falls');
    if (this.role === 'leader') this.#endLeadership();
    if (term > this.term) {
      this.term = term;
      // Only a new term frees the vote: clearing it within a term lets two leaders be elected.
      this.votedFor = undefined;
      this.outbox.hardStateChanged = true;
    }
    this.role = 'follower';
    this.leader = leader;
    this.votes.clear();
    if (leader === undefined) this.leaderHeardMs = Number.NEGATIVE_INFINITY;
  }

  /** A leader of this term spoke. */
  heardLeader(leader: NodeId): void {
    this.leader = leader;
    this.leaderHeardMs = this.nowMs;
    this.lostLeader = undefined;
    this.restartElectionTimer();
  }

  /** Whether a leader was heard so recently that no election may disturb it. */
  get leaderIsFresh(): boolean {
    return (
      this.role === 'leader' || this.nowMs - this.leaderHeardMs < this.options.electionMsMin
    );
  }

  append(kind: EntryKind, data: Uint8Array): Entry {
    const entry: Entry = {
      index: this.log.lastIndex + 1,
      term: this.term,
      kind,
      timeMs: Math.max(this.wallMs, this.log.lastTimeMs),
      data,
    };
    this.log.append(entry);
    this.changed(entry.index);
    return entry;
  }

  changed(fromIndex: number): void {
    this.outbox.changedFrom = Math.min(this.outbox.changedFrom, fromIndex);
  }

  /** Sends without waiting for the own disk: only for what promises nothing about it. */
  sendNow(to: NodeId, message: Message): void {
    this.outbox.now.push({ to, message });
  }

  /** Sends once all that was decided so far is on the own disk. */
  sendDurable(to: NodeId, message: Message): void {
    this.outbox.afterWrite.push({ to, message });
  }

  #membershipInLog(): Membership {
    const entry = this.log.newestConfiguration();
    return entry === undefined ? this.snapshot.membership : decodeMembership(entry.data);
  }

  #otherMembers(): readonly NodeId[] {
    const { incoming, outgoing, learners } = this.#membership;
    const all = new Set<NodeId>([...incoming, ...outgoing, ...learners]);
    all.delete(this.self);
    return [...all];
  }

  #endLeadership(): void {
    this.outbox.deposed = true;
    for (const ticket of this.reads.abandon()) this.outbox.reads.push({ ticket, index: undefined });
    this.progress.clear();
    this.transfer = undefined;
    this.outgoing = undefined;
    this.uncommittedBytes = 0;
    this.restartElectionTimer();
  }
}

export function emptyOutbox(): Outbox {
  return {
    now: [],
    afterWrite: [],
    reads: [],
    hardStateChanged: false,
    changedFrom: Number.POSITIVE_INFINITY,
    reset: undefined,
    install: undefined,
    deposed: false,
  };
}
