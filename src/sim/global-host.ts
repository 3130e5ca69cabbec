// A global node of a simulated world: the shipped loop, journal, checkpoints and groups on a virtual disk.
//
// `cluster.ts` owns it and starts its processes; `nemesis.ts` sets how its disk misbehaves.
import { CorruptionError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { Checkpoints } from '../runtime/checkpoints.ts';
import type { Group } from '../runtime/group.ts';
import { nextSector, recordAt } from '../runtime/journal-record.ts';
import { Journal } from '../runtime/journal.ts';
import { RaftGroup } from '../runtime/raft-group.ts';
import { Turn } from '../runtime/turn.ts';
import { Global } from '../services/global.ts';
import { Outbox } from '../services/outbox.ts';
import type { GroupPlan } from '../services/topology.ts';
import { decodePeerMessage, type GroupAnswer } from '../wire/peer.ts';
import type { Feature } from '../world/feature.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { type DiskConduct, DiskFailure, VirtualDisk } from './disk.ts';
import type { VirtualProcess } from './process.ts';
import type { World } from './setting.ts';

const NEAR_END = 6;

export class GlobalHost {
  readonly node: number;
  life: VirtualProcess | undefined;
  losesPower = false;
  /** Its disk lost what it was trusted with, and it said so: it stays down. */
  isRefused = false;
  groups: ReadonlyMap<number, RaftGroup> = new Map();
  turn: Turn | undefined;
  disk: VirtualDisk = new VirtualDisk();
  // How the disk misbehaves; `nemesis.ts` sets it.
  syncUsMax: number;
  syncExtraUs = 0;
  hungUntilUs = 0;
  isFull = false;
  failsNext: 'write' | 'sync' | undefined;
  misdirectsNext = false;
  isDamaged = false;
  readonly #world: World;
  readonly #random: Random;
  /** Since the journal was last read. */
  #machineDied = true;

  constructor(world: World, node: number) {
    this.#world = world;
    this.node = node;
    this.syncUsMax = world.plan.syncUsMax;
    this.#random = world.random.split(`host ${node}`);
  }

  run(life: VirtualProcess): void {
    const { invariants, network, plan, queue, topology, features } = this.#world;
    const { clock } = life;
    const { disk } = this;
    disk.conduct = this.#conduct(life);
    const { journal, recovered } = Journal.open(disk, { segmentBytes: plan.segmentBytes });
    const { isDamaged } = this;
    invariants.recovered(this.node, recovered, { machineDied: this.#machineDied, isDamaged });
    this.#machineDied = false;
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
    // After a failed sync nobody knows what the disk holds: as if the machine had died.
    const inDoubt = power || cause instanceof DiskFailure;
    this.disk = inDoubt ? this.disk.crashed(this.#random) : this.disk.killed();
    this.#machineDied ||= inDoubt;
  }

  mayEndBy(cause: unknown): boolean {
    if (cause instanceof DiskFailure) return true;
    return this.isDamaged && cause instanceof CorruptionError;
  }

  /** Flips a bit where a checksum must find it. The newest record is spared: it can not be told
   * from a torn one. Returns whether there was anything to damage. */
  rot(file: 'journal' | 'checkpoint'): boolean {
    const places = file === 'journal' ? this.#recordPlaces().slice(0, -1) : this.#checkpointPlaces();
    // What is near the end is still needed; what is older may be covered by a checkpoint.
    const place = this.#random.pick(this.#random.chance(1, 2) ? places.slice(-NEAR_END) : places);
    if (place === undefined) return false;
    const bit = this.#random.integer(place.start * 8, place.end * 8 - 1);
    this.disk.flipBit(place.name, bit);
    this.isDamaged = true;
    return true;
  }

  #conduct(life: VirtualProcess): DiskConduct {
    const { invariants, plan, queue } = this.#world;
    return {
      begin: (operation) => {
        life.touch();
        if (this.isFull && operation !== 'sync' && operation !== 'remove') {
          throw new DiskFailure(`ENOSPC: ${operation}`);
        }
        if (this.failsNext !== operation) return;
        this.failsNext = undefined;
        throw new DiskFailure(`EIO: ${operation}`);
      },
      later: (kind, complete) => {
        const hungUs = Math.max(0, this.hungUntilUs - queue.nowUs);
        const ownUs = this.syncUsMax === 0 ? 0 : this.#random.integer(0, this.syncUsMax);
        const delayUs = hungUs + this.syncExtraUs + ownUs;
        if (kind !== 'sync' || plan.isDiskAsync) {
          queue.after(delayUs, () => life.take('disk', complete));
        } else {
          life.standStill(delayUs);
          complete();
        }
      },
      place: (name, offset, sizeBytes) => this.#place(name, offset, sizeBytes),
      durable: (name, bytes) => invariants.durable(this.node, name, bytes),
    };
  }

  /**
   * A misdirected write lands on older records of the same file, and spares the newest one there: with
   * that gone too, the file would look torn and nothing else.
   */
  #place(name: string, offset: number, sizeBytes: number): number {
    if (!this.misdirectsNext) return offset;
    const places = this.#recordPlaces().filter((place) => place.name === name);
    const newest = places.pop();
    const roomy = places.filter(({ start }) => start + sizeBytes <= (newest?.start ?? 0));
    const victim = this.#random.pick(roomy);
    if (victim === undefined) return offset;
    this.misdirectsNext = false;
    this.isDamaged = true;
    return victim.start;
  }

  #recordPlaces(): readonly Place[] {
    const places: Place[] = [];
    for (const name of this.disk.names().filter((each) => each.startsWith('journal')).sort()) {
      const bytes = this.disk.read(name);
      for (let at = 0; ; ) {
        const record = recordAt(bytes, at);
        if (record === undefined) break;
        places.push({ name, start: at, end: record.end });
        at = nextSector(record.end);
      }
    }
    return places;
  }

  #checkpointPlaces(): readonly Place[] {
    const names = this.disk.names().filter((name) => name.startsWith('checkpoint'));
    return names.map((name) => ({ name, start: 0, end: this.disk.read(name).length }));
  }
}

interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function featuresOf(group: GroupPlan, features: readonly Feature[]): readonly Feature[] {
  return features.filter(({ name }) => group.features.includes(name));
}
