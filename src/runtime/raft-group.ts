// A replicated group on the embedded Raft: who waits for what, applying, reading, checkpoints.
//
// `turn.ts` owns the groups of a process and moves them; `services` sees only `Group`. The order of a
// turn is there; here is what one group does when its turn comes.
// Checkpoints hold nobody up: the state is turned into bytes slice by slice (`checkpoint-walk.ts`).
// Invariants: an entry is applied once, in order; a caller is answered once; `answered` only after the
// entry is committed, hence durable on a majority.
import { crc32c } from '../base/crc32c.ts';
import { CorruptionError, invariant } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import { DIGEST_EVERY } from '../protocols/raft/digests.ts';
import type { Entry, Snapshot, SnapshotMark } from '../protocols/raft/messages.ts';
import type { Effects, RaftNode } from '../protocols/raft/node.ts';
import type { Reconfigured } from '../protocols/raft/reconfiguration.ts';
import type { Transferred } from '../protocols/raft/transfer.ts';
import type { Notice, StateMachine } from '../protocols/state-machine.ts';
import type { ReadBound } from '../wire/levels.ts';
import type { GroupAnswer } from '../wire/peer.ts';
import type { GroupStatus, MemberStatus } from '../wire/status.ts';
import { type WalkedState, walkToCheckpoint } from './checkpoint-walk.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Inspection, OperatedGroup, ReadPlace } from './group.ts';
import type { Journal } from './journal.ts';
import type { Clock } from './ports.ts';

/** Commands that wait for their commit here; more are refused, since their answers would be late. */
export const PROPOSALS_WAITING_MAX = 65_536;
/**
 * A checkpoint is taken when the log since the last one weighs as much as the state did, and at least
 * this: what a state costs to save is then shared by as many commands as it would cost to replay.
 */
export const CHECKPOINT_BYTES_MIN: number = 4 * 1024 * 1024;
/** About what an entry weighs besides its command. */
const ENTRY_OVERHEAD_BYTES = 64;
/** Of the threshold: members take their checkpoints one after the other, never all at once. */
const STAGGER = 0.15;
/** Entries kept in memory behind a checkpoint, so that a follower that trails a little needs none. */
export const TRAILING_ENTRIES = 5_000;

/** How much log lies between checkpoints and behind them; the simulator makes both small. */
export interface GroupLimits {
  readonly checkpointBytesMin: number;
  readonly trailingEntries: number;
}

export const GROUP_LIMITS: GroupLimits = {
  checkpointBytesMin: CHECKPOINT_BYTES_MIN,
  trailingEntries: TRAILING_ENTRIES,
};
/** Entries applied in one go; the rest waits until what arrived meanwhile was read. */
export const APPLY_ENTRIES_MAX = 4_096;
const RETRY_AFTER_MS = 50;

type Answer = (answer: GroupAnswer) => void;

interface Proposal {
  readonly term: number;
  readonly answer: Answer;
}

export interface RaftGroupOptions {
  readonly number: number;
  readonly name: string;
  readonly self: NodeId;
  readonly node: RaftNode;
  readonly machine: StateMachine;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  readonly limits: GroupLimits;
  /** Tells the loop that this group has something to do. */
  readonly wake: (group: RaftGroup) => void;
  readonly notify: (notices: readonly Notice[]) => void;
  /** Does work of a later turn; a broken promise in it ends the process. */
  readonly guarded: (work: () => void) => void;
}

export class RaftGroup implements OperatedGroup {
  readonly name: string;
  readonly number: number;
  readonly node: RaftNode;
  readonly #options: RaftGroupOptions;
  readonly #machine: StateMachine;
  readonly #proposals: Map<number, Proposal> = new Map();
  readonly #reads: Map<number, { readonly request: Uint8Array; readonly answer: Answer }> = new Map();
  /** Confirmed reads, by the index that must be applied first, in rising order. */
  #confirmed: { readonly ticket: number; readonly index: number }[] = [];
  #nextTicket = 1;
  #applied = 0;
  #appliedTerm = 0;
  #appliedTimeMs = 0;
  #bytesSince = 0;
  #checkpointDueBytes: number;
  #saving = false;
  /** A member waits for the state that is being saved. */
  #provides = false;
  #checkpoint: SnapshotMark | undefined;
  #stateHash = 0;
  /** What the replies to all commands so far add up to. */
  #digest = 0;

  constructor(options: RaftGroupOptions, restored: Snapshot | undefined) {
    this.#options = options;
    this.name = options.name;
    this.number = options.number;
    this.node = options.node;
    this.#machine = options.machine;
    this.#checkpointDueBytes = this.#dueBytes(0);
    if (restored !== undefined) this.#restore(restored);
  }

  get applied(): number {
    return this.#applied;
  }

  get isLeader(): boolean {
    return this.node.role === 'leader';
  }

  propose(command: Uint8Array, answer: Answer): void {
    if (this.#proposals.size >= PROPOSALS_WAITING_MAX) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    const proposed = this.node.propose(command, this.#options.clock.wallMs());
    if (proposed.kind === 'not-leader') {
      answer(this.#moved());
    } else if (proposed.kind === 'busy') {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
    } else {
      this.#proposals.set(proposed.index, { term: proposed.term, answer });
      this.#options.wake(this);
    }
  }

  query(request: Uint8Array, answer: Answer, at: ReadPlace | ReadBound = 'leader'): void {
    if (!this.isLeader && (at !== 'here' || this.node.leader === undefined)) {
      answer(this.#moved());
      return;
    }
    const ticket = this.#nextTicket++;
    if (!this.node.read(ticket, this.#options.clock.monotonicMs())) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    this.#reads.set(ticket, { request, answer });
    this.#options.wake(this);
  }

  transfer(to: NodeId): Transferred {
    const transferred = this.node.transferTo(to, this.#options.clock.monotonicMs());
    this.#options.wake(this);
    return transferred;
  }

  reconfigure(voters: readonly NodeId[]): Reconfigured {
    const reconfigured = this.node.reconfigure(voters, this.#options.clock.monotonicMs());
    this.#options.wake(this);
    return reconfigured;
  }

  inspect(): Inspection {
    return { applied: this.#applied, stateHash: crc32c(this.#machine.snapshot()) };
  }

  read(request: Uint8Array): Uint8Array {
    return this.#machine.query(request, this.#applied, this.#appliedTimeMs);
  }

  /** This group's oldest entries keep old journal segments on disk: a checkpoint sets them free. */
  relieveJournal(): void {
    if (!this.#saving && this.#applied > 0) this.#takeCheckpoint();
  }

  /**
   * Applies, reads and answers what the effects allow. True when more remains to be applied. Throws
   * `CorruptionError` when a majority has another state than this copy.
   */
  settle(effects: Effects): boolean {
    if (effects.divergedAt !== undefined) throw diverged(this.name, effects.divergedAt);
    if (effects.deposed) this.#abandonProposals();
    for (const read of effects.reads) {
      if (read.index === undefined) this.#refuseRead(read.ticket);
      else this.#confirmed.push({ ticket: read.ticket, index: read.index });
    }
    if (effects.install !== undefined) this.#install(effects.install);
    this.#apply();
    this.#serveReads();
    if (effects.snapshotWanted) this.#provideSnapshot();
    if (!this.#saving && this.#bytesSince >= this.#checkpointDueBytes) this.#takeCheckpoint();
    return this.#applied < this.node.commit;
  }

  status(): GroupStatus {
    const raft = this.node.status;
    return {
      group: this.name,
      role: this.#roleShown(),
      term: raft.term,
      leader: raft.leader,
      commit: raft.commit,
      applied: this.#applied,
      last: raft.last,
      snapshot: raft.snapshot.index,
      stateHash: this.#stateHash,
      hashedIndex: this.#checkpoint?.index ?? 0,
      waiting: this.#proposals.size + this.#reads.size,
      members: this.#members(),
    };
  }

  #moved(): GroupAnswer {
    return { kind: 'moved', leader: this.node.leader, term: this.node.term };
  }

  #roleShown(): GroupStatus['role'] {
    const { role, membership } = this.node.status;
    if (this.node.status.healUntil > 0) return 'healing';
    if (membership.learners.includes(this.#options.self)) return 'learner';
    return role === 'pre-candidate' ? 'candidate' : role;
  }

  #members(): MemberStatus[] {
    const raft = this.node.status;
    if (raft.role !== 'leader') return [];
    const self: MemberStatus = {
      node: this.#options.self,
      match: raft.durable,
      lag: raft.last - raft.durable,
      state: 'self',
    };
    const others = raft.members.map(({ node, match, state }) => ({
      node,
      match,
      lag: raft.last - match,
      state,
    }));
    return [self, ...others].sort((a, b) => a.node - b.node);
  }

  #apply(): void {
    if (this.#applied >= this.node.commit) return;
    const entries = this.node.committedAfter(this.#applied, APPLY_ENTRIES_MAX);
    const tell = this.isLeader;
    for (const entry of entries) this.#applyOne(entry, tell);
  }

  #applyOne(entry: Entry, tell: boolean): void {
    invariant(entry.index === this.#applied + 1, 'entries are applied in order, without a gap');
    this.#applied = entry.index;
    this.#appliedTerm = entry.term;
    this.#appliedTimeMs = entry.timeMs;
    this.#bytesSince += entry.data.length + ENTRY_OVERHEAD_BYTES;
    const waiting = this.#proposals.get(entry.index);
    if (waiting !== undefined) this.#proposals.delete(entry.index);
    if (entry.kind === 'command') this.#applyCommand(entry, tell, waiting);
    else waiting?.answer({ kind: 'uncertain' });
    if (entry.index % DIGEST_EVERY === 0) this.node.noteDigest(entry.index, this.#digest);
  }

  #applyCommand(entry: Entry, tell: boolean, waiting: Proposal | undefined): void {
    const { index, timeMs, data } = entry;
    const { reply, notices } = this.#machine.apply({ index, timeMs, command: data });
    this.#digest = crc32c(reply, 0, reply.length, this.#digest ^ reply.length);
    if (tell && notices.length > 0) this.#options.notify(notices);
    // Another leader's entry at this index says nothing about what was proposed here.
    waiting?.answer(
      waiting.term === entry.term ? { kind: 'answered', reply } : { kind: 'uncertain' },
    );
  }

  #serveReads(): void {
    while (this.#confirmed.length > 0) {
      const oldest = this.#confirmed[0] as { readonly ticket: number; readonly index: number };
      if (oldest.index > this.#applied) return;
      this.#confirmed.shift();
      const read = this.#reads.get(oldest.ticket);
      this.#reads.delete(oldest.ticket);
      if (read === undefined) continue;
      const reply = this.#machine.query(read.request, this.#applied, this.#appliedTimeMs);
      read.answer({ kind: 'answered', reply });
    }
  }

  #refuseRead(ticket: number): void {
    const read = this.#reads.get(ticket);
    this.#reads.delete(ticket);
    read?.answer(this.#moved());
  }

  /** Leadership ended: what was proposed may still be committed by the next leader. */
  #abandonProposals(): void {
    for (const { answer } of this.#proposals.values()) answer({ kind: 'uncertain' });
    this.#proposals.clear();
  }

  #install(snapshot: Snapshot): void {
    this.#options.checkpoints.save(this.name, snapshot);
    this.#restore(snapshot);
    this.node.installed(this.#options.clock.monotonicMs());
    this.#options.wake(this);
  }

  #restore(snapshot: Snapshot): void {
    this.#machine.restore(snapshot.state);
    this.#applied = snapshot.index;
    this.#appliedTerm = snapshot.term;
    this.#appliedTimeMs = snapshot.timeMs;
    this.#digest = snapshot.digest;
    this.#noteCheckpoint(snapshot);
  }

  #noteCheckpoint(snapshot: Snapshot): void {
    this.#bytesSince = 0;
    this.#checkpointDueBytes = this.#dueBytes(snapshot.state.length);
    this.#checkpoint = markOf(snapshot);
    this.#stateHash = crc32c(snapshot.state);
  }

  #dueBytes(stateBytes: number): number {
    const rank = Math.max(0, this.node.status.membership.incoming.indexOf(this.#options.self));
    return Math.max(this.#options.limits.checkpointBytesMin, stateBytes) * (1 + STAGGER * rank);
  }

  /** The state as it is now, saved bit by bit while entries go on being applied. */
  #takeCheckpoint(): void {
    const { checkpoints, clock, journal, limits } = this.#options;
    const mark: SnapshotMark = {
      index: this.#applied,
      term: this.#appliedTerm,
      timeMs: this.#appliedTimeMs,
      membership: this.node.membershipAt(this.#applied),
      digest: this.#digest,
    };
    // The journal keeps what the checkpoint before needs: if the newest turns out damaged, that one
    // and the entries after it still give the same state.
    const before = this.#checkpoint;
    this.#saving = true;
    this.#bytesSince = 0;
    walkToCheckpoint({
      clock,
      checkpoints,
      group: this.name,
      mark,
      machine: this.#machine,
      guarded: this.#options.guarded,
      walked: (walked) => this.#walked(walked),
      saved: () => {
        this.#saving = false;
        // A snapshot from the leader may have overtaken this one.
        if (this.#checkpoint?.index !== mark.index) return;
        if (before !== undefined) journal.compact(this.number, before);
        this.node.compact(mark, Math.max(0, mark.index - limits.trailingEntries));
      },
    });
  }

  #walked({ mark, parts, bytes, stateHash }: WalkedState): void {
    if (this.#checkpoint !== undefined && this.#checkpoint.index > mark.index) return;
    this.#checkpoint = mark;
    this.#stateHash = stateHash;
    this.#checkpointDueBytes = this.#dueBytes(bytes);
    if (!this.#provides) return;
    this.#provides = false;
    this.node.provideSnapshot({ ...mark, state: joined(parts, bytes) });
    this.#options.wake(this);
  }

  /** A member trails too far: it is sent the state as it is now, so that it trails no more. */
  #provideSnapshot(): void {
    if (this.#applied === 0 || this.#saving) return;
    this.#provides = true;
    this.#takeCheckpoint();
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function diverged(group: string, index: number): CorruptionError {
  return new CorruptionError(
    `group ${group} has become something else here by entry ${index} than on a majority of its ` +
      'members: this copy must not serve; give its node a new identity with `bluemarble replace NODE`',
  );
}

function markOf({ index, term, timeMs, membership, digest }: SnapshotMark): SnapshotMark {
  return { index, term, timeMs, membership, digest };
}
