// A global node of a simulated world: the shipped loop, journal, checkpoints and groups on a virtual disk.
//
// `cluster.ts` owns it and starts its processes; `nemesis.ts` sets how its disk misbehaves.
import { Random } from '../base/random.ts';
import { Checkpoints } from '../runtime/checkpoints.ts';
import type { Group } from '../runtime/group.ts';
import { Journal } from '../runtime/journal.ts';
import { RaftGroup } from '../runtime/raft-group.ts';
import { Turn } from '../runtime/turn.ts';
import { Global } from '../services/global.ts';
import { Outbox } from '../services/outbox.ts';
import type { GroupPlan } from '../services/topology.ts';
import { decodePeerMessage, type GroupAnswer } from '../wire/peer.ts';
import type { Feature } from '../world/feature.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { Drive } from './drive.ts';
import type { VirtualProcess } from './process.ts';
import type { World } from './setting.ts';

export class GlobalHost {
  readonly node: number;
  life: VirtualProcess | undefined;
  losesPower = false;
  /** Its disk lost what it was trusted with, and it said so: it stays down. */
  isRefused = false;
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
    const { invariants, network, plan, queue, topology, features } = this.#world;
    const { clock } = life;
    const { drive } = this;
    const disk = drive.attach(life);
    const { journal, recovered } = Journal.open(disk, { segmentBytes: plan.segmentBytes });
    invariants.recovered(this.node, recovered, drive);
    drive.machineDied = false;
    const peers = network.join(life, (id) => topology.nodes.some((node) => node.id === id));
    const turn: Turn = new Turn({
      self: life.node,
      clock,
      peers,
      journal,
      checkpoints: new Checkpoints(disk),
      recovered,
      random: this.#random.split(`turn at ${queue.nowUs}`),
      limits: plan.limits,
      raft: plan.raft,
      logger: { log: () => {} },
      onNotices: (notices) => global.tell(notices),
      onElected: (group, term) => global.elected(group, term),
      fail: (cause) => life.end(cause),
    });
    const groups = new Map<number, RaftGroup>();
    for (const group of topology.groups) {
      if (!group.members.includes(life.node)) continue;
      const { number, name, founders: members = group.members } = group;
      invariants.hosts(this.node, number);
      const held = createGroupMachine(featuresOf(group, features));
      const machine = invariants.watched(this.node, group, held);
      const added = turn.add({ number, name, members, machine });
      if (added instanceof RaftGroup) groups.set(group.number, added);
    }
    const regionNodes = topology.nodes.filter(({ kind }) => kind === 'region').map(({ id }) => id);
    const outbox = new Outbox(clock, peers);
    const global = new Global({ groups: groups as ReadonlyMap<number, Group>, outbox, regionNodes });
    this.groups = groups;
    this.turn = turn;
    invariants.lives(this.node, groups);
    peers.listen({
      received(from, frame) {
        const message = decodePeerMessage(frame);
        if (message.kind === 'raft') turn.receive(message.group, from, message.body);
        else if (message.kind === 'ask') global.asked(from, message);
      },
      up(node) {
        turn.peerUp(node);
        global.up(node);
      },
      lost: (node) => turn.peerLost(node),
    });
    turn.start();
  }

  /** Asks this copy itself for a linearizable read, as a caller beside it would. */
  readHere(group: number, body: Uint8Array, answer: (answer: GroupAnswer) => void): void {
    const copy = this.groups.get(group);
    if (copy === undefined) answer({ kind: 'moved', leader: undefined, term: 0 });
    else copy.query(body, answer, 'here');
  }

  /** What the disk keeps when the process, or with it the machine, has ended. */
  ended(power: boolean, cause: unknown): void {
    this.groups = new Map();
    this.turn = undefined;
    this.drive.ended(power, cause);
  }

  mayEndBy(cause: unknown): boolean {
    return this.drive.mayEndBy(cause);
  }
}

function featuresOf(group: GroupPlan, features: readonly Feature[]): readonly Feature[] {
  return features.filter(({ name }) => group.features.includes(name));
}
