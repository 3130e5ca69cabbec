// The one loop of a process that holds groups: what arrived is stepped, then effects are done in the one
// safe order: persist, send, apply, answer.
//
// `services/node` owns one. All groups of a process share the journal, so one synchronised write makes
// durable what all of them decided in a turn (group commit). A leader's appends leave before its own
// write begins, so that the followers' disks work at the same time as its own.
// Invariants: a message that depends on the disk leaves after the write it depends on; nothing is
// answered before it is applied, nor applied before it is committed.
// Source: Raft (thesis), section 10.2.1; catalogue rows 1, 27, 28.
import type { NodeId } from '../base/id.ts';
import type { Random } from '../base/random.ts';
import { decodeMessage, MessageEncoder } from '../protocols/raft/codec.ts';
import type { Envelope, Message, Recovered } from '../protocols/raft/messages.ts';
import { RaftNode } from '../protocols/raft/node.ts';
import { RAFT_DEFAULTS, type RaftTuning } from '../protocols/raft/state.ts';
import type { Notice, StateMachine } from '../protocols/state-machine.ts';
import { encodePeerMessage } from '../wire/peer.ts';
import { AfterFlush } from './after-flush.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { OperatedGroup } from './group.ts';
import { startingPoint } from './group-start.ts';
import type { Journal } from './journal.ts';
import type { Clock, Logger, Peers, Tap } from './ports.ts';
import { RaftGroup } from './raft-group.ts';
import { GROUP_LIMITS, type GroupLimits } from './raft-machine.ts';
import { WakeLoop } from './wake-loop.ts';

/** A wake-up that comes so late means that this process stood still: it listens before it acts. */
const STALL_MS = 40;
/** How long a leaving process waits for its successors. */
const LEAVE_MS_MAX = 400;
const LEAVE_POLL_MS = 10;

export interface TurnOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  /** What the journal found, by group number. */
  readonly recovered: ReadonlyMap<number, Recovered>;
  readonly random: Random;
  readonly limits?: GroupLimits;
  /** What differs from `RAFT_DEFAULTS`. */
  readonly raft?: Partial<RaftTuning>;
  readonly logger: Logger;
  readonly onNotices: (notices: readonly Notice[]) => void;
  /** This process was elected for a group: what it sends now leaves before its disk is asked. */
  readonly onElected: (group: number, term: number) => void;
  /** A promise of ours is broken: the process must end now. */
  readonly fail: (cause: unknown) => void;
  readonly tap?: Tap | undefined;
}

export interface NewGroup {
  readonly number: number;
  readonly name: string;
  /** Who founded the group: for ever the same, whoever its members are by now. */
  readonly members: readonly NodeId[];
  readonly machine: StateMachine;
  /** How this group differs from all others; its members are given it alike. */
  readonly raft?: Partial<RaftTuning>;
}

/** Messages that leave, and writes that are confirmed, when one flush of the journal is durable. */
interface Written {
  readonly group: RaftGroup;
  /** `undefined`: only messages, which depend on an earlier write. */
  readonly write: number | undefined;
  readonly envelopes: readonly Envelope[];
}

export class Turn {
  readonly #options: TurnOptions;
  readonly #groups: Map<number, RaftGroup> = new Map();
  /** Each once; a process holds few groups. */
  #dirty: RaftGroup[] = [];
  readonly #encoder: MessageEncoder = new MessageEncoder();
  readonly #afterFlush: AfterFlush<Written>;
  readonly #loop: WakeLoop;

  constructor(options: TurnOptions) {
    this.#options = options;
    const { clock, fail, journal, peers } = options;
    this.#loop = new WakeLoop({
      clock,
      turn: () => this.#turn(),
      turned: () => peers.flush(),
      dueMs: () => this.#dueMs(),
      due: (dueMs) => this.#due(dueMs),
      fail,
    });
    this.#afterFlush = new AfterFlush({
      journal,
      done: (written) => this.#durable(written),
      guarded: (work) => this.#loop.guarded(work),
    });
  }

  /** Adds a group before `start`. Throws as `startingPoint` does. */
  add(group: NewGroup): OperatedGroup {
    const { self, clock, journal, checkpoints, random, recovered, raft } = this.#options;
    const start = startingPoint(group, { journal, checkpoints, recovered });
    const { healUntil = 0 } = start.recovered;
    if (healUntil > 0) {
      const facts = { group: group.name, until: healUntil };
      this.#options.logger.log('warn', 'entries-lost-and-healing', facts);
    }
    // Whoever came later learns from a leader who votes; by itself it is nobody.
    const voters = group.members.includes(self) ? group.members : [];
    const node = new RaftNode(
      { ...RAFT_DEFAULTS, ...raft, ...group.raft, self, voters, random: random.split(group.name) },
      start.recovered,
      clock.monotonicMs(),
    );
    const added = new RaftGroup(
      {
        number: group.number,
        name: group.name,
        self,
        node,
        machine: group.machine,
        journal,
        checkpoints,
        clock,
        limits: this.#options.limits ?? GROUP_LIMITS,
        wake: (awake) => this.#wake(awake),
        notify: this.#options.onNotices,
        tap: this.#options.tap,
        guarded: (work) => this.#loop.guarded(work),
      },
      start.snapshot,
    );
    this.#groups.set(group.number, added);
    return added;
  }

  /**
   * Hears and says nothing before the disk has confirmed what was found on it: a killed process may not
   * have synced all of it.
   */
  start(): void {
    this.#options.journal.flush(() => {
      this.#dirty = [...this.#groups.values()];
      this.#loop.begin();
    });
  }

  /** The body of a `raft` message between nodes. One that does not decode is logged and not heard. */
  receive(number: number, from: NodeId, body: Uint8Array): void {
    const group = this.#groups.get(number);
    const message = group === undefined ? undefined : this.#decode(from, body);
    if (group === undefined || message === undefined || !this.#loop.isOn) return;
    if (message.kind !== 'pre-vote') this.#step(group, from, message);
    // Whether the leader is missed is judged when everything that has arrived was read, its own
    // messages too: a process that stood still may find both in its sockets.
    else this.#options.clock.defer(() => this.#step(group, from, message));
  }

  /** A link stands again: leaders may have something to say over it. */
  peerUp(_node: NodeId): void {
    for (const group of this.#groups.values()) this.#wake(group);
  }

  peerLost(node: NodeId): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const group of this.#groups.values()) {
      this.#loop.guarded(() => group.node.peerLost(node, nowMs));
      this.#wake(group);
    }
  }

  /** Hands leadership over where this process has it, waits for that a little, and stops for good. */
  leave(): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + LEAVE_MS_MAX;
    for (const group of this.#groups.values()) {
      group.node.transferAway(clock.monotonicMs());
      this.#wake(group);
    }
    return new Promise((resolve) => {
      const poll = (): void => {
        const leads = [...this.#groups.values()].some((group) => group.isLeader);
        if (leads && clock.monotonicMs() < untilMs && !this.#loop.isStopped) {
          clock.wakeAt(clock.monotonicMs() + LEAVE_POLL_MS, poll);
          return;
        }
        this.#loop.stop();
        resolve();
      };
      poll();
    });
  }

  #step(group: RaftGroup, from: NodeId, message: Message): void {
    if (this.#loop.isStopped) return;
    this.#loop.guarded(() => group.node.receive(from, message, this.#options.clock.monotonicMs()));
    this.#stepped(group);
  }

  /** A turn for each late answer would cost more than all that follows from it. */
  #stepped(group: RaftGroup): void {
    if (group.node.hasEffects) this.#wake(group);
    else this.#loop.arm();
  }

  #decode(from: NodeId, body: Uint8Array): Message | undefined {
    try {
      return decodeMessage(body);
    } catch (cause) {
      this.#options.logger.log('warn', 'raft-message-unreadable', { from, cause: String(cause) });
      return undefined;
    }
  }

  #wake(group: RaftGroup): void {
    if (!this.#dirty.includes(group)) this.#dirty.push(group);
    this.#loop.wake();
  }

  #turn(): boolean {
    let isMore = false;
    // A durable write is a step like any other: with a synchronous disk its effects are done at once.
    while (this.#dirty.length > 0) isMore = this.#doEffects() || isMore;
    if (isMore) this.#dirty = [...this.#groups.values()];
    return isMore;
  }

  #doEffects(): boolean {
    const { journal, peers } = this.#options;
    const after: Written[] = [];
    const dirty = this.#dirty;
    this.#dirty = [];
    const collected = dirty.map((group) => ({ group, effects: group.node.collect() }));
    let written = false;
    for (const { group, effects } of collected) {
      this.#send(group, effects.sendNow);
      if (effects.elected !== undefined) this.#elected(group, effects.elected);
      if (effects.write !== undefined) {
        journal.stage(group.number, effects.write);
        written = true;
      }
      const envelopes = effects.sendAfterWrite;
      const write = effects.write === undefined ? undefined : effects.afterWrite;
      if (write !== undefined || envelopes.length > 0) after.push({ group, write, envelopes });
    }
    if (written) {
      peers.flush();
      this.#afterFlush.flush(after);
    } else {
      this.#afterFlush.join(after);
    }
    let more = false;
    for (const { group, effects } of collected) more = group.settle(effects) || more;
    return more;
  }

  #elected({ number, name }: RaftGroup, term: number): void {
    this.#options.logger.log('info', 'elected', { group: name, term });
    this.#options.onElected(number, term);
  }

  /** Everything that this group wrote up to then is durable. */
  #durable({ group, write, envelopes }: Written): void {
    this.#send(group, envelopes);
    if (write !== undefined) group.node.persisted(write, this.#options.clock.monotonicMs());
    if (group.node.hasEffects) this.#wake(group);
    // What was sent leaves at the end of a turn.
    else if (envelopes.length > 0) this.#loop.wake();
  }

  #send(group: RaftGroup, envelopes: readonly Envelope[]): void {
    let body: Uint8Array | undefined;
    let frame: Uint8Array | undefined;
    for (const { to, message } of envelopes) {
      const encoded = this.#encoder.encode(message);
      // What goes to several members alike stays one frame, which links recognise.
      if (frame === undefined || encoded !== body) {
        body = encoded;
        frame = encodePeerMessage({ kind: 'raft', group: group.number, body });
      }
      this.#options.peers.send(to, frame);
    }
  }

  #dueMs(): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { node } of this.#groups.values()) earliestMs = Math.min(earliestMs, node.wakeAtMs);
    return earliestMs;
  }

  #due(dueMs: number): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const stoodStill = nowMs - dueMs > STALL_MS;
    if (stoodStill) {
      this.#options.logger.log('warn', 'stood-still', { lateMs: nowMs - dueMs });
      for (const { node } of this.#groups.values()) node.stalled(nowMs);
    }
    // What this process did not hear may lie in its sockets: it reads them before it misses anybody.
    // A heartbeat of its own waits for nothing.
    if (stoodStill) clock.defer(() => clock.defer(() => this.#tick()));
    else if (!this.#isMissing(nowMs)) this.#tick();
    else clock.defer(() => this.#tick());
  }

  /** Whether anything is due that is no heartbeat of our own. */
  #isMissing(nowMs: number): boolean {
    for (const { isLeader, node } of this.#groups.values()) {
      if (!isLeader && node.wakeAtMs <= nowMs) return true;
    }
    return false;
  }

  #tick(): void {
    if (this.#loop.isStopped) return;
    const { clock, journal } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const number of journal.holdingBack) this.#groups.get(number)?.relieveJournal();
    for (const group of this.#groups.values()) {
      if (group.node.wakeAtMs > nowMs) continue;
      this.#loop.guarded(() => group.node.tick(nowMs));
      this.#wake(group);
    }
    this.#loop.arm();
  }
}
