// One copy of a region at work: its core, its own journal and checkpoints, its state machine, its callers.
//
// `services/region-node` holds one per region that has a copy here; it may be primary today and replica
// tomorrow. The order of a turn is the safe one: set lost tails aside, write, send, apply, answer.
// Invariants: an entry is applied once, in order, and only when it is on the own disk; a caller is
// answered once, and not before his level is reached; what players are told leaves only from committed
// entries, so that no promotion ever un-sends it.
import { InvalidInputError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import { decodeMessage, encodeMessage } from '../protocols/primary/codec.ts';
import { type Effects, RegionCopy, type Standing } from '../protocols/primary/copy.ts';
import type { Appointment } from '../protocols/primary/fencing.ts';
import type { Entry, Envelope, Promised } from '../protocols/primary/messages.ts';
import { COPY_DEFAULTS, type CopyOptions } from '../protocols/primary/state.ts';
import type { Notice, StateMachine } from '../protocols/state-machine.ts';
import type { AckLevel, ReadBound } from '../wire/levels.ts';
import { encodePeerMessage, type GroupAnswer } from '../wire/peer.ts';
import type { CopyStatus } from '../wire/status.ts';
import { AfterFlush } from './after-flush.ts';
import { type CopyStorage, startOfCopy, toLogWrite } from './copy-journal.ts';
import { copyStatus } from './copy-status.ts';
import { COPY_LIMITS, type CopyLimits, CopyMachine } from './copy-machine.ts';
import type { Group, Inspection, ReadPlace } from './group.ts';
import { HeldNotices } from './held-notices.ts';
import { LostTails } from './lost-tails.ts';
import type { Clock, Logger, Peers, Tap } from './ports.ts';
import { Proposals } from './proposals.ts';
import { WakeLoop } from './wake-loop.ts';

/** Commands and reads that wait here; more are refused, since their answers would be late. */
const WAITING_MAX = 65_536;
const RETRY_AFTER_MS = 50;

type Answer = (answer: GroupAnswer) => void;

export interface ReplicaSetOptions {
  readonly number: number;
  readonly name: string;
  readonly self: NodeId;
  /** The first one is the primary of epoch 1 by definition. */
  readonly copies: readonly NodeId[];
  readonly machine: StateMachine;
  readonly storage: CopyStorage;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly logger: Logger;
  /** Drawn anew for each start of the process; above 0. */
  readonly life: number;
  readonly limits?: CopyLimits;
  readonly timing?: Partial<CopyOptions>;
  /** `always`: epoch 1 needs no lease, where no witnesses are there to give one. */
  readonly lease: 'granted' | 'always';
  /** Told by the primary only, and only of committed entries. */
  readonly onNotices: (notices: readonly Notice[]) => void;
  /** Something that `status` shows may have changed: for those who send what was committed. */
  readonly onProgress?: () => void;
  /** A promise of ours is broken: the process must end now. */
  readonly fail: (cause: unknown) => void;
  readonly tap?: Tap | undefined;
}

/** What leaves, and what is confirmed, when one flush of the journal is durable. */
interface Written {
  readonly write: number | undefined;
  readonly envelopes: readonly Envelope[];
  readonly promises: Effects['promises'];
}

export class ReplicaSet implements Group {
  readonly name: string;
  readonly number: number;
  readonly #options: ReplicaSetOptions;
  readonly #copy: RegionCopy;
  readonly #state: CopyMachine;
  readonly #lostTails: LostTails;
  readonly #afterFlush: AfterFlush<Written>;
  readonly #proposals = new Proposals();
  readonly #reads = new Map<number, { readonly request: Uint8Array; readonly answer: Answer }>();
  readonly #promises = new Map<number, (promised: Promised) => void>();
  readonly #notices = new HeldNotices();
  readonly #loop: WakeLoop;
  #nextTicket = 1;

  /** Throws `CorruptionError` when the copy's disk can not give its state back, or `ForeignDataError`. */
  constructor(options: ReplicaSetOptions) {
    this.#options = options;
    this.name = options.name;
    this.number = options.number;
    const { storage, machine, self, copies, life, clock, fail } = options;
    const { recovered, state } = startOfCopy(options, storage);
    const foundsItself = options.lease === 'always';
    this.#copy = new RegionCopy(
      { ...COPY_DEFAULTS, ...options.timing, foundsItself, self, copies, life },
      recovered,
      this.#now(),
    );
    if (options.lease === 'always') this.#copy.lease(1, Number.POSITIVE_INFINITY);
    this.#lostTails = new LostTails(storage.disk);
    this.#loop = new WakeLoop({
      clock,
      turn: () => this.#turn(),
      turned: () => {
        options.peers.flush();
        options.onProgress?.();
      },
      dueMs: () => this.#copy.wakeAtMs,
      due: () => this.#tick(),
      fail,
    });
    const guarded = (work: () => void): void => this.#loop.guarded(work);
    this.#state = new CopyMachine({
      ...options,
      ...storage,
      copy: this.#copy,
      machine,
      limits: options.limits ?? COPY_LIMITS,
      guarded,
      wake: () => this.#loop.wake(),
    });
    if (state !== undefined) this.#state.restore(recovered.mark, state);
    this.#afterFlush = new AfterFlush({
      journal: storage.journal,
      done: (written) => this.#durable(written),
      guarded,
    });
  }

  /** Hears and says nothing before the disk has confirmed what was found on it. */
  start(): void {
    this.#options.storage.journal.flush(() => this.#loop.begin());
  }

  stop(): void {
    this.#loop.stop();
  }

  propose(command: Uint8Array, answer: Answer, level: AckLevel = 'quorum'): void {
    if (this.#proposals.size >= WAITING_MAX || this.#loop.isStopped) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    const proposed = this.#copy.propose(command, this.#now());
    if (proposed.kind === 'not-primary') return answer(this.#moved());
    const sinceMs = this.#options.clock.monotonicMs();
    this.#proposals.add(level, { position: proposed.position, sinceMs, answer });
    this.#loop.wake();
  }

  query(
    request: Uint8Array,
    answer: Answer,
    at: ReadPlace | ReadBound = { kind: 'primary' },
  ): void {
    if (this.#reads.size >= WAITING_MAX || this.#loop.isStopped) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    const bound = typeof at === 'string' ? ({ kind: 'primary' } as const) : at;
    const ticket = this.#nextTicket++;
    const decided = this.#copy.read(ticket, bound, this.#options.clock.monotonicMs());
    this.#reads.set(ticket, { request, answer });
    if (decided !== undefined) this.#answerRead(ticket, decided.serves);
    else this.#loop.wake();
  }

  /** The body of a `region` message between nodes. One that does not decode is logged and not heard. */
  receive(from: NodeId, body: Uint8Array): void {
    if (!this.#loop.isOn) return;
    const message = this.#decode(from, body);
    if (message === undefined) return;
    this.#loop.guarded(() => this.#copy.receive(from, message, this.#now()));
    this.#loop.wake();
  }

  peerUp(node: NodeId): void {
    this.#copy.peerUp(node, this.#options.clock.monotonicMs());
    this.#loop.wake();
  }

  /** Hears nothing older than `epoch` from now on; `promised` is told once that is on the disk. */
  promise(epoch: number, promised: (promised: Promised) => void): void {
    const ticket = this.#nextTicket++;
    this.#promises.set(ticket, promised);
    this.#copy.promise(epoch, ticket);
    this.#loop.wake();
  }

  /** Who was appointed; what a later promise or appointment has overtaken is ignored. */
  appoint(appointment: Appointment): void {
    this.#loop.guarded(() => this.#copy.appoint(appointment, this.#now()));
    this.#loop.wake();
  }

  /** Until then, by the monotonic clock, nobody else serves in `epoch` or beyond. */
  lease(epoch: number, untilMs: number): void {
    this.#copy.lease(epoch, untilMs);
  }

  inspect(): Inspection {
    return this.#state.inspect();
  }

  read(request: Uint8Array): Uint8Array {
    return this.#state.query(request);
  }

  /** Takes a checkpoint now; false when one is under way, or there is nothing to save. */
  takeCheckpoint(): boolean {
    return this.#state.takeCheckpoint();
  }

  get standing(): Standing {
    return this.#copy.standing;
  }

  status(): CopyStatus {
    return copyStatus(this.#options.self, this.#copy.status, {
      region: this.name,
      waiting: this.#proposals.size + this.#reads.size,
      stateHash: this.#state.stateHash,
      hashedSequence: this.#state.hashedSequence,
      lostTails: this.#lostTails.ranges,
    });
  }

  #now(): { nowMs: number; wallMs: number } {
    const { clock } = this.#options;
    return { nowMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }

  #decode(from: NodeId, body: Uint8Array): ReturnType<typeof decodeMessage> | undefined {
    try {
      return decodeMessage(body);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      const facts = { from, region: this.name, cause: cause.message };
      this.#options.logger.log('warn', 'region-message-unreadable', facts);
      return undefined;
    }
  }

  /** A durable write is a step like any other: with a synchronous disk its effects are done at once. */
  #turn(): boolean {
    let isMore = true;
    while (isMore) isMore = this.#doEffects(this.#copy.collect());
    return this.#state.isBehind;
  }

  /** True when something was done that may have further effects. */
  #doEffects(effects: Effects): boolean {
    const { storage, peers } = this.#options;
    for (const lost of effects.lost) this.#lost(lost);
    this.#send(effects.sendNow);
    const { promises, sendAfterWrite: envelopes } = effects;
    const write = effects.write === undefined ? undefined : effects.afterWrite;
    const written = { write, envelopes, promises };
    if (effects.write !== undefined) {
      storage.journal.stage(this.number, toLogWrite(effects.write));
      peers.flush();
      this.#afterFlush.flush([written]);
    } else if (envelopes.length > 0 || promises.length > 0) {
      this.#afterFlush.join([written]);
    }
    return this.#settle(effects) || effects.write !== undefined;
  }

  #settle(effects: Effects): boolean {
    if (effects.deposed) this.#deposed();
    for (const { ticket, serves } of effects.reads) this.#answerRead(ticket, serves);
    if (effects.install !== undefined) this.#state.install(effects.install);
    if (effects.stateWanted) this.#state.provide();
    const applied = this.#state.apply((entry, notices, reply) => {
      this.#tap(entry, reply);
      this.#proposals.applied(entry.sequence, reply);
      if (this.#copy.isPrimary) this.#notices.hold(entry.sequence, notices);
    });
    this.#proposals.settle((level) => this.#copy.reached(level));
    this.#notices.tell(this.#copy.reached('quorum'), this.#options.onNotices);
    this.#state.checkpointIfDue();
    return applied;
  }

  #tap({ epoch, sequence: index, timeMs, kind, data: command }: Entry, reply: Uint8Array): void {
    const { tap } = this.#options;
    if (tap === undefined) return;
    const applied = kind === 'command' ? { command, reply } : undefined;
    tap(this.name, { epoch, index, timeMs, applied });
  }

  #durable({ write, envelopes, promises }: Written): void {
    this.#send(envelopes);
    for (const { ticket, promised } of promises) {
      this.#promises.get(ticket)?.(promised);
      this.#promises.delete(ticket);
    }
    if (write === undefined) return;
    this.#copy.persisted(write, this.#options.clock.monotonicMs());
    this.#loop.wake();
  }

  #send(envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      const body = encodeMessage(message);
      this.#options.peers.send(to, encodePeerMessage({ kind: 'region', region: this.number, body }));
    }
  }

  #answerRead(ticket: number, serves: boolean): void {
    const read = this.#reads.get(ticket);
    this.#reads.delete(ticket);
    if (read === undefined) return;
    if (!serves) return read.answer(this.#moved());
    const { epoch } = this.#state.position;
    read.answer({ kind: 'answered', reply: this.#state.query(read.request), epoch });
  }

  /** Not here; perhaps at another's, as of the epoch that this copy has promised. */
  #moved(): GroupAnswer {
    return { kind: 'moved', leader: this.#copy.otherPrimary, term: this.#copy.promised };
  }

  #lost(lost: Effects['lost'][number]): void {
    const { from, to } = lost;
    this.#lostTails.setAside(lost);
    const facts = { region: this.name, from, to, entries: to.sequence - from.sequence + 1 };
    this.#options.logger.log('warn', 'region-lost-tail', facts);
  }

  /** Another is primary now: what was proposed here may be in its log, or lost. */
  #deposed(): void {
    this.#proposals.abandon();
    this.#notices.forget();
  }

  #tick(): void {
    if (this.#loop.isStopped) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#copy.tick(nowMs);
    this.#proposals.expire(nowMs);
    this.#loop.run();
  }
}
