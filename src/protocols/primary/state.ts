// Everything that one copy of a region knows in memory, and what must happen next.
//
// `copy.ts` owns one; the files beside it are its verbs: `primary.ts` and `replica.ts` (the two sides of
// the stream), `fencing.ts` (who may be primary), `transfer.ts` (whole states), `reads.ts`, `lag.ts`.
// Invariants: `promised` never falls and is on the disk before anybody is told of it; who follows or
// leads an epoch has promised it.
import { Durability } from '../../base/durability.ts';
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { RegionLog } from './log.ts';
import type {
  Entry,
  EntryKind,
  Envelope,
  LostTail,
  Mark,
  Message,
  Promised,
  Recovered,
  Stamp,
  StateTransfer,
  Whereabouts,
} from './messages.ts';
import type { Progress } from './progress.ts';
import { Reads, type ResolvedRead } from './reads.ts';

export interface CopyOptions {
  readonly self: NodeId;
  /** All copies of the region; the first is the primary of epoch 1 by definition. */
  readonly copies: readonly NodeId[];
  /** Drawn anew for each life of the process, so that stamps of an earlier one mean nothing. */
  readonly life: number;
  /** Where no placement appoints anybody: the first copy begins the world, and is primary of epoch 1. */
  readonly foundsItself: boolean;
  readonly heartbeatMs: number;
  readonly whereaboutsMs: number;
  /** From so many entries behind on, a copy is unhealthy: it serves no bounded read. */
  readonly lagEntriesMax: number;
}

export const COPY_DEFAULTS: Omit<CopyOptions, 'self' | 'copies' | 'life'> = {
  foundsItself: true,
  heartbeatMs: 200,
  whereaboutsMs: 1_000,
  lagEntriesMax: 100,
};

/** What must happen because of the steps since the last `collect`. */
export interface Outbox {
  now: Envelope[];
  /** Depends on our disk: leaves when everything written so far is durable. */
  afterWrite: Envelope[];
  /** Answers to `promise`, told when all that was decided so far is durable. */
  promises: { readonly ticket: number; readonly promised: Promised }[];
  reads: ResolvedRead[];
  promisedChanged: boolean;
  blankChanged: boolean;
  /** Lowest sequence that changed in memory since the last write; Infinity when none did. */
  changedFrom: number;
  reset: Mark | undefined;
  install: StateTransfer | undefined;
  lost: LostTail[];
  deposed: boolean;
}

export class CopyState {
  readonly options: CopyOptions;
  readonly self: NodeId;
  readonly others: readonly NodeId[];
  readonly log: RegionLog;
  readonly durability: Durability;
  readonly reads: Reads = new Reads();
  promised: number;
  isBlank: boolean;
  /** Whose stream we take or send, of the epoch `promised`; `undefined`: nobody is appointed yet. */
  primary: NodeId | undefined;
  /** Where our log ended when our own epoch began. */
  start = 0;
  nowMs: number;
  applied: number;
  committed = 0;
  /** The primary's last sequence, as far as it was heard of in this epoch. */
  primaryLast: number | undefined;
  /** Since when it knows who is primary. */
  followsSinceMs: number;
  /** Until when, by our own clock, no other can serve in our epoch. */
  leaseUntilMs: number = Number.NEGATIVE_INFINITY;
  leaseEpoch = 0;
  whereabouts: Map<NodeId, Whereabouts & { readonly heardMs: number }> = new Map();
  whereaboutsDueMs: number;

  /** The epoch that was promised in this life while the copy was blank; 0: none. */
  promisedBlank = 0;
  /** The newest write that carries the promise. */
  promisedAfter = 0;

  /** Tickets of promises that wait for a state to be installed. */
  promisesAsked: number[] = [];

  // As primary.
  progress: Map<NodeId, Progress> = new Map();
  heartbeatDueMs: number;
  /** The state that replicas are sent; the driver brings it when it is wanted. */
  outgoing: StateTransfer | undefined;
  /** All copies hold everything up to here. */
  everywhere = 0;

  // As replica.
  needsState = false;
  incoming: { readonly mark: Mark; readonly parts: Uint8Array[]; bytes: number } | undefined;
  installing: { readonly mark: Mark; readonly from: NodeId } | undefined;
  checkpoint: Mark;
  outbox: Outbox = emptyOutbox();

  constructor(options: CopyOptions, recovered: Recovered, nowMs: number) {
    this.options = options;
    this.self = options.self;
    this.others = options.copies.filter((node) => node !== options.self);
    this.nowMs = nowMs;
    this.followsSinceMs = nowMs;
    this.whereaboutsDueMs = nowMs;
    this.heartbeatDueMs = nowMs;
    this.promised = recovered.promised;
    this.isBlank = recovered.isBlank;
    this.checkpoint = recovered.mark;
    this.applied = recovered.mark.sequence;
    this.log = new RegionLog(recovered.mark, recovered.entries);
    this.durability = new Durability(this.log.last);
    // What is written from now on must not make a blank disk look like one that has lost nothing.
    this.outbox.blankChanged = recovered.isBlank;
    invariant(this.log.lastEpoch <= this.promised, 'no entry is newer than the promise on disk');
  }

  /** What is applied is part of the log of this epoch's primary: something of the epoch is in it. */
  get isOfEpoch(): boolean {
    return !this.needsState && this.log.epochAt(this.applied) === this.promised;
  }

  get isPrimary(): boolean {
    return this.primary === this.self;
  }

  get isPromiseDurable(): boolean {
    return !this.outbox.promisedChanged && this.durability.persistedNumber >= this.promisedAfter;
  }

  /** This moment, by our own clock. */
  get stamp(): Stamp {
    return { life: this.options.life, ms: this.nowMs };
  }

  /** The primary, sure that nobody else serves: the only one who answers for the region. */
  get isServing(): boolean {
    const isSure = this.leaseEpoch === this.promised && this.nowMs < this.leaseUntilMs;
    return this.isPrimary && isSure;
  }

  /** From now on nothing of an earlier epoch is heard. A primary of one is deposed by it. */
  raisePromise(epoch: number, primary: NodeId | undefined): void {
    invariant(epoch >= this.promised, 'a promise never falls');
    if (epoch > this.promised) {
      if (this.isPrimary) this.#endPrimacy();
      this.promised = epoch;
      this.outbox.promisedChanged = true;
      this.primary = undefined;
      this.primaryLast = undefined;
      this.incoming = undefined;
      this.needsState = false;
      this.reads.forgetEchoes();
    }
    if (primary === undefined) return;
    const known = this.primary;
    invariant(known === undefined || known === primary, `epoch ${epoch} has one primary`);
    if (known === undefined) this.followsSinceMs = this.nowMs;
    this.primary = primary;
  }

  /** Takes what the primary has said of its log as far as it is applied here. */
  settleEchoes(): void {
    if (this.isOfEpoch) this.reads.applied(this.applied);
  }

  append(kind: EntryKind, data: Uint8Array, wallMs: number): Entry {
    const entry: Entry = {
      epoch: this.promised,
      sequence: this.log.last + 1,
      kind,
      timeMs: Math.max(wallMs, this.log.lastTimeMs),
      data,
    };
    this.log.append(entry);
    this.changed(entry.sequence);
    return entry;
  }

  changed(from: number): void {
    this.outbox.changedFrom = Math.min(this.outbox.changedFrom, from);
  }

  setBlank(isBlank: boolean): void {
    if (this.isBlank === isBlank) return;
    this.isBlank = isBlank;
    this.outbox.blankChanged = true;
  }

  sendNow(to: NodeId, message: Message): void {
    this.outbox.now.push({ to, message });
  }

  sendDurable(to: NodeId, message: Message): void {
    this.outbox.afterWrite.push({ to, message });
  }

  #endPrimacy(): void {
    this.outbox.deposed = true;
    this.progress.clear();
    this.outgoing = undefined;
  }
}

export function emptyOutbox(): Outbox {
  return {
    now: [],
    afterWrite: [],
    promises: [],
    reads: [],
    promisedChanged: false,
    blankChanged: false,
    changedFrom: Number.POSITIVE_INFINITY,
    reset: undefined,
    install: undefined,
    lost: [],
    deposed: false,
  };
}
