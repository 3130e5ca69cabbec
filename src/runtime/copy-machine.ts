// The state of one copy: feeding it entries, serving reads, saving and replacing it as a whole.
//
// `replica-set.ts` owns one and calls it in its turn. Checkpoints are taken, and received states taken
// over, bit by bit (`checkpoint-walk.ts`): the former when the log since the last one has grown as heavy
// as the state, or old.
// Invariants: entries are applied in order, each once; the journal keeps what the checkpoint before the
// newest needs, so that a damaged newest one costs replay and nothing else.
import { crc32c } from '../base/crc32c.ts';
import { invariant } from '../base/errors.ts';
import type { RegionCopy } from '../protocols/primary/copy.ts';
import type { Entry, Mark, Position, StateTransfer } from '../protocols/primary/messages.ts';
import type { Notice } from '../protocols/state-machine.ts';
import { installInPieces, type Walk, walkToCheckpoint, type WalkedState } from './checkpoint-walk.ts';
import { stateHead, stateWithoutHead, toJournalMark } from './copy-journal.ts';
import type { Inspection } from './group.ts';
import { PIECE_MS } from './in-pieces.ts';
import { digestWith, ENTRY_OVERHEAD_BYTES, type KeptState } from './kept-state.ts';
import { understood } from './understood.ts';

/** Entries applied in one go; the rest waits until what arrived meanwhile was read. */
const APPLY_ENTRIES_MAX = 1_024;

/** When checkpoints are due and how much log stays behind them; tests make all of it small. */
export interface CopyLimits {
  readonly checkpointBytesMin: number;
  /** If anything has changed since the last one. */
  readonly checkpointEveryMs: number;
  /** Entries kept in memory behind a checkpoint, so that a replica that trails a little needs no state. */
  readonly trailingEntries: number;
  /** How long anybody waits while a state is saved or taken over; 0: for one step of it. */
  readonly pieceMs: number;
}

export const COPY_LIMITS: CopyLimits = {
  checkpointBytesMin: 1024 * 1024,
  checkpointEveryMs: 300_000,
  trailingEntries: 5_000,
  pieceMs: PIECE_MS,
};

export interface CopyMachineOptions extends KeptState {
  readonly copy: RegionCopy;
  readonly limits: CopyLimits;
}

type Applied = (entry: Entry, notices: readonly Notice[], reply: Uint8Array) => void;

const NO_BYTES: Uint8Array = new Uint8Array(0);

export class CopyMachine {
  readonly #o: CopyMachineOptions;
  #position: Position = { epoch: 0, sequence: 0 };
  #timeMs = 0;
  /** What the replies to all commands so far add up to. */
  #digest = 0;
  #checkpoint: Mark | undefined;
  #checkpointMs: number;
  #dueBytes: number;
  #bytesSince = 0;
  #isSaving = false;
  #isInstalling = false;
  #provides = false;
  stateHash = 0;
  hashedSequence = 0;

  constructor(options: CopyMachineOptions) {
    this.#o = options;
    this.#dueBytes = options.limits.checkpointBytesMin;
    this.#checkpointMs = options.clock.monotonicMs();
  }

  /** The last entry that was applied. */
  get position(): Position {
    return this.#position;
  }

  get isBehind(): boolean {
    return this.#position.sequence < this.#o.copy.applicable;
  }

  query(request: Uint8Array): Uint8Array {
    return this.#o.machine.query(request, this.#position.sequence, this.#timeMs);
  }

  inspect(): Inspection {
    const { epoch, sequence } = this.#position;
    return { applied: sequence, epoch, stateHash: crc32c(this.#o.machine.snapshot()) };
  }

  /** Applies what may be; true when anything was. `applied` hears of each entry. */
  apply(applied: Applied): boolean {
    const { copy, machine } = this.#o;
    const entries = copy.applicableAfter(this.#position.sequence, APPLY_ENTRIES_MAX);
    for (const entry of entries) {
      const { epoch, sequence, timeMs, data } = entry;
      invariant(sequence === this.#position.sequence + 1, 'entries are applied without a gap');
      this.#position = { epoch, sequence };
      this.#timeMs = timeMs;
      this.#bytesSince += data.length + ENTRY_OVERHEAD_BYTES;
      if (entry.kind === 'opening') {
        applied(entry, [], NO_BYTES);
        continue;
      }
      const { reply, notices } = machine.apply({ index: sequence, timeMs, command: data });
      this.#digest = digestWith(this.#digest, reply);
      applied(entry, notices, reply);
    }
    if (entries.length === 0) return false;
    copy.noteApplied(this.#position.sequence);
    return true;
  }

  /** `state`: the bytes of a whole checkpoint without its head. Throws `ForeignDataError`. */
  restore(mark: Mark, state: Uint8Array): void {
    const { machine, name } = this.#o;
    understood(`the state of ${name} at entry ${mark.sequence}`, () => machine.restore(state));
    this.#replaced(mark, { bytes: state.length, stateHash: crc32c(state) });
  }

  /** A state from the primary: durable first, then ours. Nothing is applied before it is. */
  install({ mark, parts }: StateTransfer): void {
    const { copy, clock, wake } = this.#o;
    this.#isInstalling = true;
    installInPieces({
      ...this.#walkTo(mark),
      parts,
      stateIn: stateWithoutHead,
      installed: (state) => {
        this.#isInstalling = false;
        this.#replaced(mark, state);
        copy.installed(clock.monotonicMs());
        wake();
      },
    });
  }

  /** A replica needs the whole state: as it is now, so that it trails no more. */
  provide(): void {
    this.#provides = true;
    this.takeCheckpoint();
  }

  checkpointIfDue(): void {
    const { clock, limits } = this.#o;
    const isOld = clock.monotonicMs() - this.#checkpointMs >= limits.checkpointEveryMs;
    if (this.#bytesSince >= this.#dueBytes || (isOld && this.#bytesSince > 0)) this.takeCheckpoint();
  }

  takeCheckpoint(): boolean {
    const { clock, copy, journal, limits, number } = this.#o;
    if (this.#isSaving || this.#isInstalling || this.#position.sequence === 0) return false;
    const { sequence } = this.#position;
    const runs = copy.runsUpTo(sequence);
    const mark: Mark = { ...this.#position, timeMs: this.#timeMs, digest: this.#digest, runs };
    const before = this.#checkpoint;
    this.#isSaving = true;
    this.#bytesSince = 0;
    this.#checkpointMs = clock.monotonicMs();
    walkToCheckpoint({
      ...this.#walkTo(mark),
      head: stateHead(runs),
      walked: (walked) => this.#walked(mark, walked),
      saved: () => {
        this.#isSaving = false;
        // A state from the primary may have overtaken this one.
        if (this.#checkpoint?.sequence !== sequence || this.#checkpoint.epoch !== mark.epoch) return;
        if (before !== undefined) journal.compact(number, toJournalMark(before));
        copy.compact(mark, Math.max(0, sequence - limits.trailingEntries));
      },
    });
    return true;
  }

  /** The machine's state is that of the mark. */
  #replaced(mark: Mark, { bytes, stateHash }: Pick<WalkedState, 'bytes' | 'stateHash'>): void {
    this.#position = { epoch: mark.epoch, sequence: mark.sequence };
    this.#timeMs = mark.timeMs;
    this.#digest = mark.digest;
    this.#checkpoint = mark;
    this.#bytesSince = 0;
    this.#dueBytes = Math.max(this.#o.limits.checkpointBytesMin, bytes);
    this.stateHash = stateHash;
    this.hashedSequence = mark.sequence;
  }

  #walkTo(mark: Mark): Walk {
    const { checkpoints, clock, guarded, limits, machine, name: group } = this.#o;
    const { pieceMs } = limits;
    return { checkpoints, clock, guarded, pieceMs, machine, group, mark: toJournalMark(mark) };
  }

  #walked(mark: Mark, { parts, bytes, stateHash }: WalkedState): void {
    const known = this.#checkpoint;
    if (known !== undefined && isBefore(mark, known)) return;
    this.#checkpoint = mark;
    this.#dueBytes = Math.max(this.#o.limits.checkpointBytesMin, bytes);
    this.stateHash = stateHash;
    this.hashedSequence = mark.sequence;
    // A state of an earlier epoch would not tell how far that epoch's log goes: the next one will.
    if (!this.#provides || mark.epoch !== this.#o.copy.promised) return;
    this.#provides = false;
    this.#o.copy.provideState({ mark, parts });
    this.#o.wake();
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence < b.sequence);
}
