// The copies of regions that a region node holds: opened from their folders, asked, watched, and their
// events sent.
//
// `region-node.ts` owns one. A copy whose folder is damaged is set aside and begun anew: blank, it counts
// for nothing until a primary has brought it level, and the other copies of this node go on. One that is
// whole and of another program ends the node: it is all that the program that wrote it has.
import { ByteReader } from '../base/bytes.ts';
import { CorruptionError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import type { StateMachine } from '../protocols/state-machine.ts';
import type { CopyLimits } from '../runtime/copy-machine.ts';
import type { Events } from '../runtime/ports.ts';
import { ReplicaSet } from '../runtime/replica-set.ts';
import type { PeerMessage } from '../wire/peer.ts';
import type { CopyStatus } from '../wire/status.ts';
import type { Feature } from '../world/feature.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { Auditor } from './auditor.ts';
import { emitsEvents, EventPump, type EventSource } from './events/event-pump.ts';
import { Forwarding } from './calls/forwarding.ts';
import { Global } from './global.ts';
import type { NodeSetting } from './node-role.ts';
import { readCheckpointWish } from './calls/operation.ts';
import { Outbox } from './calls/outbox.ts';
import { featuresNamed, surroundingsOf } from './topology/surroundings.ts';
import type { RegionPlan } from './topology/topology.ts';

/** What a drill changes of the copies that a node holds. */
export interface CopyTuning {
  readonly limits?: CopyLimits | undefined;
  /** Stands between a copy and its state machine. */
  watched?(region: RegionPlan, machine: StateMachine): StateMachine;
}

export class RegionCopies {
  readonly sets: ReadonlyMap<number, ReplicaSet>;
  readonly auditor: Auditor;
  readonly #tuning: CopyTuning;
  readonly #pump: EventPump;
  readonly #asked: Global;
  readonly #forwarding: Forwarding;

  /** The doors' peers must lead to this node too (`own-link.ts`). `events` carries what is emitted. */
  constructor(setting: NodeSetting, events: Events, tuning: CopyTuning = {}) {
    this.#tuning = tuning;
    const { topology, node: self, doors } = setting;
    const { clock, entropy, peers } = doors;
    const outbox = new Outbox(clock, peers);
    const regionNodes = topology.nodes.filter(({ kind }) => kind === 'region').map(({ id }) => id);
    const sets = new Map<number, ReplicaSet>();
    const sources: EventSource[] = [];
    this.auditor = new Auditor(clock);
    for (const plan of topology.regions.filter(({ copies }) => copies.includes(self))) {
      const features = featuresNamed(plan.features, setting.features);
      const set = this.#open(setting, plan, features);
      sets.set(plan.number, set);
      this.auditor.add(set, features);
      if (emitsEvents(features)) sources.push(eventSourceOf(set));
    }
    this.sets = sets;
    this.#pump = new EventPump({ clock, events, sources });
    const firstNumber = new ByteReader(entropy.bytes(4)).u32() * 2 ** 20;
    this.#forwarding = new Forwarding({ clock, outbox, firstNumber });
    this.#asked = new Global({ groups: sets, outbox, regionNodes, forwarding: this.#forwarding });
  }

  start(): void {
    for (const set of this.sets.values()) set.start();
    this.#pump.start();
  }

  /** True when the message was for a copy here. */
  received(from: NodeId, message: PeerMessage): boolean {
    if (message.kind === 'region') this.sets.get(message.region)?.receive(from, message.body);
    else if (message.kind === 'ask') this.#asked.asked(from, message);
    else return message.kind === 'answer' && this.#forwarding.answered(from, message);
    return true;
  }

  up(node: NodeId): void {
    for (const set of this.sets.values()) set.peerUp(node);
  }

  lost(node: NodeId): void {
    this.#forwarding.lost(node);
  }

  /** An operator wants checkpoints: now, whether or not they are due. */
  operated(message: unknown): void {
    const wish = readCheckpointWish(message);
    for (const set of this.sets.values()) {
      if (wish?.region === '' || wish?.region === set.name) set.takeCheckpoint();
    }
  }

  statuses(): readonly CopyStatus[] {
    return [...this.sets.values()].map((set) => set.status());
  }

  stop(): void {
    this.#pump.stop();
    for (const set of this.sets.values()) set.stop();
  }

  #open(setting: NodeSetting, plan: RegionPlan, features: readonly Feature[]): ReplicaSet {
    const { doors } = setting;
    try {
      return this.#openFolder(setting, plan, features);
    } catch (cause) {
      if (!(cause instanceof CorruptionError)) throw cause;
      const facts = { region: plan.name, cause: cause.message };
      doors.logger.log('error', 'copy-damaged-and-set-aside', facts);
      doors.setCopyAside(plan.name);
      return this.#openFolder(setting, plan, features);
    }
  }

  #openFolder(setting: NodeSetting, plan: RegionPlan, features: readonly Feature[]): ReplicaSet {
    const { topology, node: self, doors } = setting;
    const { clock, entropy, logger, peers } = doors;
    const { number, name, copies } = plan;
    const { limits, watched } = this.#tuning;
    const machine = createGroupMachine(features, surroundingsOf(topology, number));
    return new ReplicaSet({
      number,
      name,
      self,
      copies,
      machine: watched?.(plan, machine) ?? machine,
      ...(limits === undefined ? {} : { limits }),
      storage: doors.openCopy(name),
      clock,
      peers,
      logger,
      life: 1 + new ByteReader(entropy.bytes(4)).u32(),
      timing: topology.lagEntriesMax === undefined ? {} : { lagEntriesMax: topology.lagEntriesMax },
      lease: 'granted',
      onNotices: (notices) => this.#asked.tell(notices),
      onProgress: () => this.#pump.changed(number),
      fail: (cause) => doors.fail(cause),
      tap: doors.tap,
    });
  }
}

/** Only the primary that is sure of itself sends events, and only what no successor of its can lack. */
function eventSourceOf(set: ReplicaSet): EventSource {
  return {
    number: set.number,
    committed() {
      const { role, isServing, committed } = set.standing;
      return role === 'primary' && isServing ? committed : undefined;
    },
    read: (request) => set.read(request),
    propose: (command, answer, level) => set.propose(command, answer, level),
  };
}
