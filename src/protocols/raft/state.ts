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
import { Digests } from './digests.ts';
import { Durability } from '../../base/durability.ts';
import { decodeMembership } from './entry-codec.ts';
import { RaftLog } from './log.ts';
import {
  APPEND_ENTRIES_MAX,
  type Entry,
  type EntryKind,
  type Envelope,
  type HardState,
  IN_FLIGHT_APPENDS_MAX,
  type Membership,
  type Message,
  type Recovered,
  type Snapshot,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotMark,
} from './messages.ts';
import { Lateness, pacedElectionMs } from './pace.ts';
import type { Progress } from './progress.ts';
import { ReadQuestions } from './read-questions.ts';
import { Reads } from './reads.ts';

export interface RaftOptions {
  readonly self: NodeId;
  /**
   * The founders: who votes while the log says nothing, the same on every founder and for ever. Empty
   * on a member that came later: it learns from a leader who votes.
   */
  readonly voters: readonly NodeId[];
  readonly random: Random;
  /**
   * A leader that is silent for the shorter one is missed, and members campaign one after the other, by
   * rank; where none was heard before, each waits a random time between the two. Seed: 150-300 ms.
   */
  readonly electionMsMin: number;
  readonly electionMsMax: number;
  readonly heartbeatMs: number;
  /** Once a leader is missed, each rank waits this much longer than the one before. */
  readonly rankDelayMs: number;
  /**
   * Serves reads by a lease when set, on all members alike: by so many thousandths may the clocks of two
   * members run at different rates (`lease.ts`).
   */
  readonly leaseDriftPerMille?: number;
  // Sizes of what travels, at most as in `messages.ts`; simulated worlds make them small.
  readonly appendEntriesMax: number;
  readonly inFlightAppendsMax: number;
  readonly snapshotChunkBytes: number;
}

/** What all members of a group are given alike. */
export type RaftTuning = Omit<RaftOptions, 'self' | 'voters' | 'random'>;

export const RAFT_DEFAULTS: RaftTuning = {
  electionMsMin: 150,
  electionMsMax: 300,
  heartbeatMs: 50,
  rankDelayMs: 15,
  appendEntriesMax: APPEND_ENTRIES_MAX,
  inFlightAppendsMax: IN_FLIGHT_APPENDS_MAX,
  snapshotChunkBytes: SNAPSHOT_CHUNK_BYTES,
};

/** A leader whose disk owes it a write for so many shortest election timeouts leads no longer. */
const DISK_ELECTIONS_MAX = 2;

/** Who was late once may be later the next time. */
const LATENESS_FACTOR = 2;

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
  /** Leadership began: whoever waits for a leader is told. */
  elected: boolean;
  /** What was lost from the disk is there again. */
  healed: boolean;
  /** By this index a majority has become something else than we. */
  divergedAt: number | undefined;
}

export class RaftState {
  readonly options: RaftOptions;
  readonly self: NodeId;
  readonly log: RaftLog;
  readonly durability: Durability;
  readonly reads: Reads = new Reads();
  readonly followerReads: ReadQuestions;
  /** Of all replies, and of the whole state. */
  readonly digests: Digests = new Digests();
  readonly stateHashes: Digests = new Digests();
  term: number;
  votedFor: NodeId | undefined;
  role: Role = 'follower';
  leader: NodeId | undefined;
  commit: number;
  /** As the driver knows it. */
  commitTold: number;
  #membership: Membership;
  #membershipIndex = 0;
  #isChanging = false;
  /** By the members before those in force this member voted. */
  #wasVoter = false;
  #others: readonly NodeId[];
  nowMs: number;
  wallMs = 0;
  electionDueMs = 0;
  /** When the leader of this term was last heard; -Infinity when it is known to be lost. */
  leaderHeardMs: number = Number.NEGATIVE_INFINITY;
  readonly lateness: Lateness = new Lateness();
  /** The leader that is missed: until one is heard, campaigns follow each other quickly. */
  lostLeader: NodeId | undefined;
  /** Since a leader was last heard. */
  campaigns = 0;
  votes: Map<NodeId, boolean> = new Map();
  /** The write that must be durable before the own vote counts. */
  ownVoteAfter = 0;
  /** The newest write that carries the hard state. */
  hardStateAfter = 0;
  /** The group's round trip, as its leader or an own campaign has measured it. */
  roundTripMs = 0;
  stalledAtMs: number = Number.NEGATIVE_INFINITY;
  /** Entries up to here were on the disk once, and some are lost; 0: none. */
  healUntil: number;
  /** The term that was on the disk at the start. */
  readonly healTerm: number;
  /** Up to here a leader has verified our log since we started. */
  verified = 0;

  // While leading.
  progress: Map<NodeId, Progress> = new Map();
  heartbeatDueMs = 0;
  uncommittedBytes = 0;
  transfer: { readonly target: NodeId; readonly untilMs: number; told: boolean } | undefined;
  /** No lease in this term any more: another was told to lead. */
  leaseEnded = false;
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
            membership: { incoming: options.voters, outgoing: [], learners: [], retiring: [] },
          };
    this.log = new RaftLog(this.snapshot, recovered.entries);
    this.durability = new Durability(this.log.lastIndex);
    this.followerReads = new ReadQuestions(options.random);
    this.healUntil = recovered.healUntil ?? 0;
    this.healTerm = this.term;
    // A lease that we have promised before a restart must have ended before we vote again.
    if (options.leaseDriftPerMille !== undefined) this.leaderHeardMs = nowMs;
    this.commit = this.snapshot.index;
    this.commitTold = this.commit;
    this.#membership = this.snapshot.membership;
    this.#others = [];
    this.refreshMembership();
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
    return this.#votesBy(this.#membership);
  }

  /**
   * Whoever is voted out by an entry that may not be committed must be able to lead once more: no voter of
   * the new members may hold that entry, and none of them is elected by those who do (section 4.2.2).
   */
  get mayCampaign(): boolean {
    return this.isVoter || (this.#wasVoter && this.#membershipIndex > this.commit);
  }

  /** Lost entries that it may have acknowledged keep a member from voting (`healing.ts`). */
  get isHealing(): boolean {
    return this.healUntil > 0;
  }

  get electionMsMin(): number {
    return pacedElectionMs(this.options.electionMsMin, this.roundTripMs);
  }

  get electionMsMax(): number {
    const { electionMsMin, electionMsMax } = this.options;
    return Math.ceil((this.electionMsMin * electionMsMax) / electionMsMin);
  }

  /** Term and vote as we act on them are on the disk. */
  get isHardStateDurable(): boolean {
    return !this.outbox.hardStateChanged && this.durability.persistedNumber >= this.hardStateAfter;
  }

  /** The disk owes us a write for so long that it must be taken for broken (catalogue row 14). */
  get isDiskStuck(): boolean {
    return this.nowMs - this.durability.owedSinceMs > DISK_ELECTIONS_MAX * this.electionMsMin;
  }

  /** Where in the log the members in force were named; the snapshot's index when it names them. */
  get membershipIndex(): number {
    return this.#membershipIndex;
  }

  /** A change of members is under way, or this member is no voter. */
  get isChanging(): boolean {
    return this.#isChanging;
  }

  /** Membership takes effect when its entry is appended, committed or not (section 4.1). */
  refreshMembership(): void {
    const entry = this.log.newestConfiguration();
    this.#membership = entry === undefined ? this.snapshot.membership : decodeMembership(entry.data);
    this.#membershipIndex = entry?.index ?? this.snapshot.index;
    const { outgoing, learners } = this.#membership;
    this.#isChanging = outgoing.length > 0 || learners.length > 0 || !this.isVoter;
    this.#wasVoter = this.#votesBy(this.#membershipBefore());
    this.#others = this.#otherMembers();
  }

  restartElectionTimer(): void {
    const { electionMsMin, electionMsMax } = this;
    this.electionDueMs = this.nowMs + this.options.random.integer(electionMsMin, electionMsMax);
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
    const silentMs = this.nowMs - this.leaderHeardMs;
    if (this.leader === leader && Number.isFinite(silentMs)) {
      this.lateness.note(silentMs - this.options.heartbeatMs, this.nowMs);
    }
    this.leader = leader;
    this.leaderHeardMs = this.nowMs;
    this.lostLeader = undefined;
    this.campaigns = 0;
    this.electionDueMs = this.nowMs + this.patienceMs;
  }

  /**
   * How long a leader may be silent before it is missed. One rank longer than it is fresh: the others,
   * who have heard its last message a moment later, shall miss it too when the first of them asks.
   */
  get patienceMs(): number {
    const { electionMsMin, electionMsMax, options, lateness } = this;
    return Math.min(electionMsMin + options.rankDelayMs + LATENESS_FACTOR * lateness.ms, electionMsMax);
  }

  /** Whether a leader was heard so recently that no election may disturb it. */
  get leaderIsFresh(): boolean {
    return (
      this.role === 'leader' || this.nowMs - this.leaderHeardMs < this.electionMsMin
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

  /** A confirmed or refused read goes to whoever asked for it, here or at another member. */
  answerRead(ticket: number, index: number | undefined): void {
    const { served } = this.followerReads;
    const remote = served.get(ticket);
    if (remote === undefined) {
      this.outbox.reads.push({ ticket, index });
      return;
    }
    served.delete(ticket);
    const { number } = remote;
    this.sendNow(remote.from, { kind: 'read-reply', term: this.term, number, index: index ?? 0 });
  }

  #membershipBefore(): Membership {
    const before = this.log.newestConfiguration(this.#membershipIndex - 1);
    return before === undefined ? this.snapshot.membership : decodeMembership(before.data);
  }

  #votesBy({ incoming, outgoing }: Membership): boolean {
    return incoming.includes(this.self) || outgoing.includes(this.self);
  }

  #otherMembers(): readonly NodeId[] {
    const { incoming, outgoing, learners } = this.#membership;
    const all = new Set<NodeId>([...incoming, ...outgoing, ...learners]);
    all.delete(this.self);
    return [...all];
  }

  #endLeadership(): void {
    this.outbox.deposed = true;
    for (const ticket of this.reads.abandon()) this.answerRead(ticket, undefined);
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
    elected: false,
    healed: false,
    divergedAt: undefined,
  };
}
