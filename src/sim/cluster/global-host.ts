// A global node of a simulated world: the shipped loop, journal, checkpoints and groups on a virtual disk.
//
// `cluster.ts` owns it and starts its processes; `nemesis.ts` sets how its disk misbehaves.
import { CorruptionError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import type { StateMachine } from '../../protocols/state-machine.ts';
import { Checkpoints } from '../../runtime/checkpoints.ts';
import type { Group, OperatedGroup } from '../../runtime/group.ts';
import { Journal } from '../../runtime/journal.ts';
import type { PeerListener, Peers } from '../../runtime/ports.ts';
import { RaftGroup } from '../../runtime/raft-group.ts';
import { Turn } from '../../runtime/turn.ts';
import type { EventPump } from '../../services/events/event-pump.ts';
import { Global } from '../../services/global.ts';
import { openGroupEvents } from '../../services/group-events.ts';
import { openRoute } from '../../services/open-route.ts';
import { Outbox } from '../../services/calls/outbox.ts';
import { readAnywhere, regionNodesOf } from '../../services/topology/topology.ts';
import { featuresNamed, surroundingsOf } from '../../services/topology/surroundings.ts';
import { Witnessing } from '../../services/witnessing.ts';
import { decodePeerMessage, type GroupAnswer } from '../../wire/peer.ts';
import { createGroupMachine } from '../../world/group-machine.ts';
import { settingOf } from './doors.ts';
import { Drive } from '../machine/drive.ts';
import type { VirtualProcess } from '../machine/process.ts';
import { rottenMemory, SIM_HASH_EVERY } from '../machine/rotten-memory.ts';
import type { World } from './setting.ts';

const SIM_HASHES = { stateHashEvery: SIM_HASH_EVERY, hashedBytesPerEntry: Number.MAX_SAFE_INTEGER };

export class GlobalHost {
  readonly node: number;
  life: VirtualProcess | undefined;
  losesPower = false;
  /** Its disk lost what it was trusted with, and it said so: it stays down. */
  isRefused = false;
  /** Its groups' states are no more what their logs say. */
  isRotten = false;
  groups: ReadonlyMap<number, RaftGroup> = new Map();
  turn: Turn | undefined;
  readonly drive: Drive;
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, node: number) {
    this.#world = world;
    this.node = node;
    this.#random = world.random.split(`host ${node}`);
    this.drive = new Drive({
      ...world,
      random: this.#random,
      durable: (name, bytes) => world.invariants.durable(node, name, bytes),
    });
  }

  run(life: VirtualProcess): void {
    const { invariants, network, plan, queue, topology } = this.#world;
    const { drive } = this;
    const disk = drive.attach(life);
    const { journal, recovered } = Journal.open(disk, { segmentBytes: plan.segmentBytes });
    invariants.recovered(this.node, recovered, drive);
    drive.machineDied = false;
    const peers = network.join(life, (id) => topology.nodes.some((node) => node.id === id));
    const turn: Turn = new Turn({
      self: life.node,
      clock: life.clock,
      peers,
      journal,
      checkpoints: new Checkpoints(disk),
      recovered,
      random: this.#random.split(`turn at ${queue.nowUs}`),
      limits: { ...plan.limits, ...SIM_HASHES, pieceMs: 0 },
      raft: plan.raft,
      logger: { log: () => {} },
      onNotices: (notices) => global.tell(notices),
      onElected: (group, term) => global.elected(group, term),
      fail: (cause) => life.end(cause),
    });
    const groups = this.#openGroups(life, turn);
    const outbox = new Outbox(life.clock, peers);
    const regional = plan.regions && this.#openRegional(life, { peers, groups, outbox });
    const changed = (group: number): void => regional?.events.changed(group);
    const global = new Global({
      groups: groups as ReadonlyMap<number, Group>,
      outbox,
      regionNodes: regionNodesOf(topology),
      readHere: readAnywhere(topology),
      changed,
    });
    this.groups = groups;
    this.turn = turn;
    invariants.lives(this.node, groups);
    const witnessing = regional?.witnessing;
    const listener: PeerListener = {
      received(from, frame) {
        const message = decodePeerMessage(frame);
        if (message.kind === 'raft') turn.receive(message.group, from, message.body);
        else if (message.kind === 'ask') global.asked(from, message);
        else witnessing?.received(from, message);
      },
      up(node) {
        turn.peerUp(node);
        global.up(node);
      },
      lost(node) {
        turn.peerLost(node);
        witnessing?.lost(node);
      },
    };
    const refused = (node: NodeId): void => witnessing?.witness.gone(node);
    peers.listen(witnessing === undefined ? listener : { ...listener, refused });
    turn.start();
    regional?.events.start();
    witnessing?.witness.start();
  }

  /** Asks this copy itself for a linearizable read, as a caller beside it would. */
  readHere(group: number, body: Uint8Array, answer: (answer: GroupAnswer) => void): void {
    const copy = this.groups.get(group);
    if (copy === undefined) answer({ kind: 'moved', leader: undefined, term: 0 });
    else copy.query(body, answer, 'here');
  }

  #openGroups(life: VirtualProcess, turn: Turn): ReadonlyMap<number, RaftGroup> {
    const { invariants, topology, features } = this.#world;
    const groups = new Map<number, RaftGroup>();
    for (const group of topology.groups) {
      if (!group.members.includes(life.node)) continue;
      const { number, name, founders: members = group.members } = group;
      invariants.hosts(this.node, number);
      const held = featuresNamed(group.features, features);
      const own = createGroupMachine(held, surroundingsOf(topology, number));
      const machine = invariants.watched(this.node, group, own);
      const added = turn.add({ number, name, members, machine: this.#inMemory(machine) });
      if (added instanceof RaftGroup) groups.set(group.number, added);
    }
    return groups;
  }

  #inMemory(machine: StateMachine): StateMachine {
    return rottenMemory(machine, () => this.isRotten);
  }

  /** What a global node does for regions: it is a witness, and its groups send and take events. */
  #openRegional(
    life: VirtualProcess,
    o: { peers: Peers; groups: ReadonlyMap<number, OperatedGroup>; outbox: Outbox },
  ): { readonly witnessing: Witnessing; readonly events: EventPump } {
    const { peers, groups, outbox } = o;
    const random = this.#random.split(`regional at ${this.#world.queue.nowUs}`);
    const setting = settingOf(this.#world, life, { peers, random });
    const route = openRoute(setting, outbox);
    return {
      witnessing: new Witnessing(setting, { groups, outbox, route }),
      events: openGroupEvents(setting, groups, route),
    };
  }

  /** What the disk keeps when the process, or with it the machine, has ended. */
  ended(power: boolean, cause: unknown): void {
    this.groups = new Map();
    this.turn = undefined;
    this.drive.ended(power, cause);
  }

  mayEndBy(cause: unknown): boolean {
    return this.drive.mayEndBy(cause) || (this.isRotten && cause instanceof CorruptionError);
  }
}
