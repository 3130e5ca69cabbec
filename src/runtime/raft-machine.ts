// The state of one group at this member: feeding it entries, saving it, sending it on, replacing it.
//
// `raft-group.ts` owns one and calls it in its turn; what `copy-machine.ts` is to a region's copy. States
// are saved, sent on and taken over piece by piece (`checkpoint-walk.ts`).
// At places that all members share its hash is taken for them to compare (`state-hash.ts`).
// Invariants: entries are applied in order, each once; the journal keeps what the checkpoint before the
// newest needs, so that a damaged newest one costs replay and nothing else.
import { crc32c } from '../base/crc32c.ts';
import { invariant } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import { DIGEST_EVERY } from '../protocols/raft/digests.ts';
import type { Entry, Snapshot, SnapshotMark } from '../protocols/raft/messages.ts';
import type { RaftNode } from '../protocols/raft/node.ts';
import type { Notice } from '../protocols/state-machine.ts';
import {
  installInPieces,
  joined,
  type Walk,
  type WalkedState,
  walkToCheckpoint,
} from './checkpoint-walk.ts';
import type { Inspection } from './group.ts';
import { inPieces, PIECE_MS } from './in-pieces.ts';
import { hashInPieces, HASH_PLACES, type HashPlaces, isHashPlace } from './state-hash.ts';
import { digestWith, ENTRY_OVERHEAD_BYTES, type KeptState } from './kept-state.ts';
import { understood } from './understood.ts';

/**
 * A checkpoint is taken when the log since the last one weighs as much as the state did, and at least
 * this: what a state costs to save is then shared by as many commands as it would cost to replay.
 */
export const CHECKPOINT_BYTES_MIN: number = 8 * 1024 * 1024;
/** Of the threshold: members take their checkpoints one after the other, never all at once. */
const STAGGER = 0.15;
/** Entries kept in memory behind a checkpoint, so that a follower that trails a little needs none. */
export const TRAILING_ENTRIES = 5_000;
/** Entries applied in one go; the rest waits until what arrived meanwhile was read. */
export const APPLY_ENTRIES_MAX = 4_096;

/** How much log lies between checkpoints or hashes and behind them; the simulator makes all of it small. */
export interface GroupLimits extends HashPlaces {
  readonly checkpointBytesMin: number;
  readonly trailingEntries: number;
  /** How long anybody waits while a state is saved or taken over; 0: for one step of it. */
  readonly pieceMs: number;
}

export const GROUP_LIMITS: GroupLimits = {
  checkpointBytesMin: CHECKPOINT_BYTES_MIN,
  trailingEntries: TRAILING_ENTRIES,
  pieceMs: PIECE_MS,
  ...HASH_PLACES,
};

export interface RaftMachineOptions extends KeptState {
  readonly self: NodeId;
  readonly node: RaftNode;
  readonly limits: GroupLimits;
}

/** A command has become part of the state; any other entry bears no notices and no reply. */
type Told = (entry: Entry, notices: readonly Notice[], reply: Uint8Array | undefined) => void;

export class RaftMachine {
  readonly #o: RaftMachineOptions;
  readonly #node: RaftNode;
  #applied = 0;
  #appliedTerm = 0;
  #appliedTimeMs = 0;
  /** What the replies to all commands so far add up to. */
  #digest = 0;
  #checkpoint: SnapshotMark | undefined;
  /** Up to here the journal was told, since the start, that it need keep no entries. */
  #freed = 0;
  #dueBytes: number;
  #bytesSince = 0;
  #isSaving = false;
  #isInstalling = false;
  #isHashing = false;
  /** How large the state was when it was last walked. */
  #stateBytes = 0;
  /** A member waits for a state: that of the next walk, or of the one under way. */
  #isWanted = false;
  /** It is being put together for the members that wait. */
  #isProviding = false;
  stateHash = 0;

  constructor(options: RaftMachineOptions, restored: Snapshot | undefined) {
    this.#o = options;
    this.#node = options.node;
    this.#dueBytes = this.#dueAfter(0);
    if (restored === undefined) return;
    const { state, ...mark } = restored;
    const { machine, name } = options;
    understood(`the state of ${name} at entry ${mark.index}`, () => machine.restore(state));
    this.#replaced(mark, { bytes: state.length, stateHash: crc32c(state) });
  }

  get applied(): number {
    return this.#applied;
  }

  /** The place of the newest checkpoint, which `stateHash` is of. */
  get hashedIndex(): number {
    return this.#checkpoint?.index ?? 0;
  }

  query(request: Uint8Array): Uint8Array {
    return this.#o.machine.query(request, this.#applied, this.#appliedTimeMs);
  }

  inspect(): Inspection {
    return { applied: this.#applied, stateHash: crc32c(this.#o.machine.snapshot()) };
  }

  /** Applies what is committed, some of it at a time. */
  apply(told: Told): void {
    if (this.#applied >= this.#node.commit) return;
    const entries = this.#node.committedAfter(this.#applied, APPLY_ENTRIES_MAX);
    for (const entry of entries) this.#applyOne(entry, told);
  }

  /** A state from the leader: durable first, then ours. */
  install({ state: bytes, ...mark }: Snapshot): void {
    this.#isInstalling = true;
    installInPieces({
      ...this.#walkTo(mark),
      parts: [bytes],
      stateIn: (state) => state,
      installed: (state) => {
        this.#isInstalling = false;
        this.#replaced(mark, state);
        this.#freed = mark.index;
        this.#node.installed(this.#o.clock.monotonicMs());
        this.#o.wake();
      },
    });
  }

  /**
   * A member trails too far: it is sent the state as it is now, or as a walk under way has found it. Where
   * others ask for checkpoints all the time it would never have its own turn.
   */
  provide(): void {
    if (this.#isProviding) return;
    this.#isWanted = true;
    this.checkpointNow();
  }

  checkpointIfDue(): void {
    if (this.#bytesSince >= this.#dueBytes) this.checkpointNow();
  }

  checkpointNow(): void {
    if (this.#maySave) this.#takeCheckpoint();
  }

  /**
   * A checkpoint frees what was applied at the one before. What is left then waits for its commit, perhaps
   * for ever: where a majority is gone, or this member was let go before it heard of that.
   */
  relieveJournal(): void {
    if (this.#freed < this.#applied) {
      this.checkpointNow();
    } else if (!this.#isInstalling) {
      this.#node.rewriteUncommitted();
      this.#o.wake();
    }
  }

  get #maySave(): boolean {
    return !this.#isWalked && !this.#isInstalling && this.#applied > 0;
  }

  /** A state bears one walk over it at a time. */
  get #isWalked(): boolean {
    return this.#isSaving || this.#isHashing;
  }

  #applyOne(entry: Entry, told: Told): void {
    const { index, term, timeMs, data } = entry;
    invariant(index === this.#applied + 1, 'entries are applied in order, without a gap');
    this.#applied = index;
    this.#appliedTerm = term;
    this.#appliedTimeMs = timeMs;
    this.#bytesSince += data.length + ENTRY_OVERHEAD_BYTES;
    if (entry.kind === 'command') {
      const { reply, notices } = this.#o.machine.apply({ index, timeMs, command: data });
      this.#digest = digestWith(this.#digest, reply);
      told(entry, notices, reply);
    } else {
      told(entry, [], undefined);
    }
    if (index % DIGEST_EVERY === 0) {
      this.#node.noteDigest('replies', { index, value: this.#digest });
    }
    if (isHashPlace(index, this.#stateBytes, this.#o.limits)) this.#hashState(index);
  }

  /** Left out while the state is walked already: the others compare theirs without this one. */
  #hashState(index: number): void {
    if (this.#isWalked || this.#isInstalling) return;
    this.#isHashing = true;
    hashInPieces(this.#o.machine, this.#o, ({ hash, bytes }) => {
      this.#isHashing = false;
      this.#stateBytes = bytes;
      this.#node.noteDigest('state', { index, value: hash });
    });
  }

  /** The machine's state is that of the mark. */
  #replaced(mark: SnapshotMark, { bytes, stateHash }: Pick<WalkedState, 'bytes' | 'stateHash'>): void {
    this.#applied = mark.index;
    this.#appliedTerm = mark.term;
    this.#appliedTimeMs = mark.timeMs;
    this.#digest = mark.digest;
    this.#bytesSince = 0;
    this.#stateBytes = bytes;
    this.#dueBytes = this.#dueAfter(bytes);
    this.#checkpoint = mark;
    this.stateHash = stateHash;
  }

  #dueAfter(stateBytes: number): number {
    const rank = Math.max(0, this.#node.membership.incoming.indexOf(this.#o.self));
    return Math.max(this.#o.limits.checkpointBytesMin, stateBytes) * (1 + STAGGER * rank);
  }

  #walkTo(mark: SnapshotMark): Walk {
    const { checkpoints, clock, guarded, limits, machine, name: group } = this.#o;
    return { checkpoints, clock, guarded, pieceMs: limits.pieceMs, machine, group, mark };
  }

  /** The state as it is now, saved bit by bit while entries go on being applied. */
  #takeCheckpoint(): void {
    const { journal, limits, number } = this.#o;
    const mark: SnapshotMark = {
      index: this.#applied,
      term: this.#appliedTerm,
      timeMs: this.#appliedTimeMs,
      membership: this.#node.membershipAt(this.#applied),
      digest: this.#digest,
    };
    // The journal keeps what the checkpoint before needs: if the newest turns out damaged, that one
    // and the entries after it still give the same state.
    const before = this.#checkpoint;
    this.#isSaving = true;
    this.#bytesSince = 0;
    walkToCheckpoint({
      ...this.#walkTo(mark),
      walked: (walked) => this.#walked(walked),
      saved: () => {
        this.#isSaving = false;
        // A snapshot from the leader may have overtaken this one.
        if (this.#checkpoint?.index !== mark.index) return;
        if (before !== undefined) {
          journal.compact(number, before);
          this.#freed = before.index;
        }
        this.#node.compact(mark, Math.max(0, mark.index - limits.trailingEntries));
      },
    });
  }

  #walked({ mark, parts, bytes, stateHash }: WalkedState): void {
    if (this.#checkpoint !== undefined && this.#checkpoint.index > mark.index) {
      this.#isWanted = false;
      return;
    }
    this.#checkpoint = mark;
    this.stateHash = stateHash;
    this.#stateBytes = bytes;
    this.#dueBytes = this.#dueAfter(bytes);
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#isProviding = true;
    inPieces(joined(parts), this.#walkTo(mark), (state) => {
      this.#isProviding = false;
      this.#node.provideSnapshot({ ...mark, state });
      this.#o.wake();
    });
  }
}
