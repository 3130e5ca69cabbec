// One copy of a region as a pure state machine: steps go in, effects come out.
//
// `runtime/replica-set` drives it under real disks and sockets, the tests under virtual ones. What the
// driver owes, in this order, for each `collect`:
//  1. set `lost` aside, before the write that follows from it;
//  2. hand `write` to the disk (if any) and remember its number; send `sendNow` at any time;
//  3. when all writes up to `afterWrite` are durable: send `sendAfterWrite`, tell `promises`, and call
//     `persisted`;
//  4. apply entries up to `applicable` and call `noteApplied`, then answer callers whose level is reached;
//  5. `install`: make the state durable and the state machine's, then call `installed`;
//  6. `stateWanted`: bring a state with `provideState`; `deposed`: what waits is uncertain.
// No step may be made between `collect` and handing its write to the disk.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import {
  answerPromises,
  type Appointment,
  appoint,
  follows,
  found,
  isFounding,
  onRefused,
  promise,
  resumeFirstEpoch,
} from './fencing.ts';
import {
  type CopyLag,
  isDeserted,
  isHealthy,
  lags,
  onWhereabouts,
  ownWhereabouts,
  tellWhereabouts,
} from './lag.ts';
import {
  type CopyWrite,
  type Entry,
  type Envelope,
  type EpochRun,
  type LostTail,
  type Mark,
  type Message,
  type Position,
  type Recovered,
  type StateTransfer,
  type Whereabouts,
} from './messages.ts';
import { advance, greet, onAppendReply, onLevel, sendAppends, sendHeartbeats } from './primary.ts';
import type { Bound, ResolvedRead } from './reads.ts';
import { onAppend } from './replica.ts';
import { beginRead, resolveReads } from './serving.ts';
import { type CopyOptions, CopyState, emptyOutbox, type Outbox } from './state.ts';
import {
  isStateWanted,
  neededByTransfers,
  onInstalled,
  onState,
  onStateReply,
  provideState,
} from './transfer.ts';

/** What the driver must do because of the steps since the last `collect`. */
export interface Effects {
  readonly lost: readonly LostTail[];
  readonly write: CopyWrite | undefined;
  /** The number of `write`, or of the newest write before it. */
  readonly afterWrite: number;
  readonly sendNow: readonly Envelope[];
  readonly sendAfterWrite: readonly Envelope[];
  readonly promises: Outbox['promises'];
  readonly reads: readonly ResolvedRead[];
  readonly install: StateTransfer | undefined;
  readonly stateWanted: boolean;
  readonly deposed: boolean;
}

/** `appended` is no promise yet: the levels are reached when `reached` has passed the sequence. */
export type Proposed =
  | { readonly kind: 'appended'; readonly position: Position }
  /** Not here: at `otherPrimary`, if one is known. */
  | { readonly kind: 'not-primary' };

export type Role = 'primary' | 'replica' | 'fenced' | 'catching-up' | 'blank';

/** A first copy that waits for the others' word asks so often. */
const FOUNDING_MS = 100;

export class RegionCopy {
  readonly #s: CopyState;

  /** `wallMs` (Unix) stamps the opening of an epoch that goes on at once. */
  constructor(options: CopyOptions, recovered: Recovered, now: { nowMs: number; wallMs: number }) {
    this.#s = new CopyState(options, recovered, now.nowMs);
    this.#s.reads.begin(options.life, now.nowMs);
    resumeFirstEpoch(this.#s, now.wallMs);
    found(this.#s, now.wallMs);
  }

  /** When `tick` must be called next, monotonic. */
  get wakeAtMs(): number {
    const s = this.#s;
    const own = Math.min(s.whereaboutsDueMs, s.reads.dueMs);
    return s.isPrimary ? Math.min(own, s.heartbeatDueMs) : own;
  }

  /** Appointed, whether or not it may serve at this moment. */
  get isPrimary(): boolean {
    return this.#s.isPrimary;
  }

  get promised(): number {
    return this.#s.promised;
  }

  /** Who else is primary, as far as this copy knows. */
  get otherPrimary(): NodeId | undefined {
    return this.#s.isPrimary ? undefined : this.#s.primary;
  }

  tick(nowMs: number): void {
    const s = this.#at(nowMs);
    if (s.isPrimary && nowMs >= s.heartbeatDueMs) sendHeartbeats(s);
    if (nowMs < s.whereaboutsDueMs) return;
    tellWhereabouts(s, isFounding(s));
    if (isFounding(s)) s.whereaboutsDueMs = nowMs + FOUNDING_MS;
  }

  /** A message from another node; nothing from one that holds no copy. `wallMs` may stamp an opening. */
  receive(from: NodeId, message: Message, now: { nowMs: number; wallMs: number }): void {
    const s = this.#at(now.nowMs);
    if (!s.others.includes(from)) return;
    switch (message.kind) {
      case 'whereabouts':
        onWhereabouts(s, from, message);
        return found(s, now.wallMs);
      case 'refused':
        return onRefused(s, message);
      case 'append':
        if (follows(s, from, message.epoch)) onAppend(s, from, message);
        return;
      case 'state':
        if (follows(s, from, message.epoch)) onState(s, from, message);
        return;
      default:
        // Answers and questions count only in the epoch that they speak of.
        if (message.epoch === s.promised && s.isPrimary) this.#answered(from, message);
    }
  }

  /** Appends a command if this copy serves as primary. `wallMs` (Unix) stamps it. */
  propose(command: Uint8Array, now: { nowMs: number; wallMs: number }): Proposed {
    const s = this.#at(now.nowMs);
    if (!s.isServing) return { kind: 'not-primary' };
    const { epoch, sequence } = s.append('command', command, now.wallMs);
    return { kind: 'appended', position: { epoch, sequence } };
  }

  /** Asks to read; what can not be decided at once is in a later `Effects.reads`. */
  read(ticket: number, bound: Bound, nowMs: number): ResolvedRead | undefined {
    return beginRead(this.#at(nowMs), ticket, bound);
  }

  /** Hears nothing older than `epoch` any more; the answer to `ticket` comes when that is durable. */
  promise(epoch: number, ticket: number): void {
    promise(this.#s, epoch, ticket);
  }

  appoint(appointment: Appointment, now: { nowMs: number; wallMs: number }): void {
    appoint(this.#at(now.nowMs), appointment, now.wallMs);
  }

  /** Until `untilMs` (monotonic) no other copy can serve in `epoch` or beyond. */
  lease(epoch: number, untilMs: number): void {
    this.#s.leaseEpoch = epoch;
    this.#s.leaseUntilMs = untilMs;
  }

  peerUp(node: NodeId, nowMs: number): void {
    greet(this.#at(nowMs), node);
  }

  persisted(number: number, nowMs: number): void {
    const s = this.#at(nowMs);
    s.durability.persisted(number);
    advance(s);
  }

  /** The state machine holds everything up to `sequence`. */
  noteApplied(sequence: number): void {
    const s = this.#s;
    invariant(sequence <= this.applicable, 'only what is on the own disk is applied');
    s.applied = sequence;
    s.settleEchoes();
  }

  installed(nowMs: number): void {
    const s = this.#at(nowMs);
    onInstalled(s);
    answerPromises(s);
  }

  provideState(state: StateTransfer): void {
    provideState(this.#s, state);
  }

  /** The state as of `mark` is durable elsewhere; entries up to `keepAfter` may be forgotten. */
  compact(mark: Mark, keepAfter: number): void {
    const s = this.#s;
    invariant(keepAfter <= mark.sequence && mark.sequence <= s.applied, 'only what is applied goes');
    if (mark.sequence > s.checkpoint.sequence) s.checkpoint = mark;
    s.log.compact(Math.min(keepAfter, neededByTransfers(s)));
  }

  /** Entries up to here may be applied: they are on the own disk and, as far as is known, in the log. */
  get applicable(): number {
    const s = this.#s;
    return s.needsState || s.installing !== undefined ? s.applied : s.durability.index;
  }

  /** Entries after `sequence`, for applying. */
  applicableAfter(sequence: number, countMax: number): readonly Entry[] {
    if (sequence >= this.applicable) return [];
    const limits = { count: countMax, bytes: Number.MAX_SAFE_INTEGER };
    return this.#s.log.read(sequence + 1, this.applicable, limits);
  }

  /** Up to which sequence commands of this level may be answered, while this copy is primary. */
  reached(level: 'one' | 'quorum' | 'all'): number {
    const s = this.#s;
    if (level === 'one') return s.durability.index;
    return level === 'quorum' ? s.committed : Math.min(s.everywhere, s.committed);
  }

  runsUpTo(sequence: number): readonly EpochRun[] {
    return this.#s.log.runsUpTo(sequence);
  }

  /** Takes what the steps since the last call have decided. */
  collect(): Effects {
    const s = this.#s;
    if (s.isPrimary) sendAppends(s);
    resolveReads(s);
    const out = s.outbox;
    s.outbox = emptyOutbox();
    const write = writeOf(s, out);
    if (write !== undefined) s.durability.issue(s.log.last, s.nowMs);
    if (out.promisedChanged) s.promisedAfter = s.durability.issued;
    return {
      lost: out.lost,
      write,
      afterWrite: s.durability.issued,
      sendNow: out.now,
      sendAfterWrite: out.afterWrite,
      promises: out.promises,
      reads: out.reads,
      install: out.install,
      stateWanted: isStateWanted(s),
      deposed: out.deposed,
    };
  }

  get standing(): Standing {
    const s = this.#s;
    const { promised, isServing, committed } = s;
    return { role: roleOf(s), promised, isServing, committed };
  }

  get status(): RegionCopyStatus {
    const s = this.#s;
    return {
      ...this.standing,
      primary: s.primary,
      isHealthy: isHealthy(s),
      last: { epoch: s.log.lastEpoch, sequence: s.log.last },
      base: s.log.base,
      durable: s.durability.index,
      applied: s.applied,
      checkpoint: s.checkpoint,
      isBlank: s.isBlank,
      isDeserted: isDeserted(s),
      own: ownWhereabouts(s),
      copies: lags(s),
      waitingReads: s.reads.waiting.length,
    };
  }

  /** For checkers. */
  entryAt(sequence: number): Entry | undefined {
    return this.#s.log.entryAt(sequence);
  }

  epochAt(sequence: number): number | undefined {
    return this.#s.log.epochAt(sequence);
  }

  #answered(from: NodeId, message: Message): void {
    const s = this.#s;
    if (message.kind === 'append-reply') onAppendReply(s, from, message);
    else if (message.kind === 'state-reply') onStateReply(s, from, message);
    else if (message.kind === 'level') onLevel(s, from, message);
  }

  #at(nowMs: number): CopyState {
    this.#s.nowMs = Math.max(this.#s.nowMs, nowMs);
    return this.#s;
  }
}

/** What of the status is asked after every step, made without the rest. */
export interface Standing {
  readonly role: Role;
  readonly promised: number;
  readonly isServing: boolean;
  readonly committed: number;
}

export interface RegionCopyStatus extends Standing {
  readonly primary: NodeId | undefined;
  readonly isHealthy: boolean;
  readonly last: Position;
  readonly base: number;
  readonly durable: number;
  readonly applied: number;
  readonly checkpoint: Mark;
  readonly isBlank: boolean;
  /** A majority of the copies hears each other and not the primary. */
  readonly isDeserted: boolean;
  readonly own: Whereabouts;
  readonly copies: readonly CopyLag[];
  readonly waitingReads: number;
}

function roleOf(s: CopyState): Role {
  if (s.isPrimary) return 'primary';
  if (s.isBlank) return 'blank';
  if (s.needsState || s.incoming !== undefined || s.installing !== undefined) return 'catching-up';
  return s.primary === undefined ? 'fenced' : 'replica';
}

function writeOf(s: CopyState, out: Outbox): CopyWrite | undefined {
  const { promisedChanged, blankChanged, changedFrom, reset } = out;
  const changed = changedFrom <= s.log.last;
  if (!promisedChanged && !blankChanged && !changed && reset === undefined) return undefined;
  const limits = { count: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
  return {
    entries: changed ? s.log.read(changedFrom, s.log.last, limits) : [],
    ...(promisedChanged ? { promised: s.promised } : {}),
    ...(blankChanged ? { isBlank: s.isBlank } : {}),
    ...(reset === undefined ? {} : { reset }),
  };
}

