// The whole seed topology in one process: shipped code on virtual clocks, links and disks.
//
// `run.ts` makes one per seed, `nemesis.ts` disturbs it. A global node is the shipped loop, journal,
// checkpoints, groups and their ear; a region node is the shipped route of a gateway. A node outlives
// its processes: its disk and its machine's clock stay.
import { CorruptionError } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import type { Voters } from '../../base/quorum.ts';
import { Random } from '../../base/random.ts';
import type { Topology } from '../../services/topology/topology.ts';
import type { Appointment } from '../../wire/placement.ts';
import { MachineClock } from '../machine/clock.ts';
import type { Drive } from '../machine/drive.ts';
import { GlobalHost } from './global-host.ts';
import { Network } from '../machine/network.ts';
import { Killed, type StepKind, VirtualProcess } from '../machine/process.ts';
import { RegionHost } from './region-host.ts';
import type { ClusterSetting, World } from './setting.ts';

/** For the digest. */
const STEP_NUMBERS: Readonly<Record<StepKind, number>> = {
  start: 0,
  frames: 1,
  up: 2,
  lost: 3,
  timer: 4,
  deferred: 5,
  disk: 6,
  order: 7,
};
/** A supervisor starts what died by itself again after so long. */
const RESTART_US_MIN = 80_000;
const RESTART_US_MAX = 600_000;
/** One way between the places of the planet, in ms: where node `n` stands is `n` modulo their number. */
const WIDE_MS: readonly (readonly number[])[] = [
  [0, 12, 33, 40, 21],
  [12, 0, 38, 45, 30],
  [33, 38, 0, 9, 48],
  [40, 45, 9, 0, 52],
  [21, 30, 48, 52, 0],
];

export class Cluster {
  readonly world: World;
  readonly globals: ReadonlyMap<number, GlobalHost>;
  readonly regions: ReadonlyMap<number, RegionHost>;
  /** Told when a node's process ended: what was asked there is never answered. */
  onEnded: (node: number) => void = () => {};
  readonly #setting: ClusterSetting;
  readonly #machines = new Map<number, MachineClock>();
  readonly #globals = new Map<number, GlobalHost>();
  readonly #random: Random;
  /** The new identity of each node that was replaced. */
  readonly #successors = new Map<number, number>();
  #digest = 0;
  #steps = 0;

  constructor(setting: ClusterSetting) {
    this.#setting = setting;
    const { plan, topology } = setting;
    const random = new Random(`world ${plan.seed}`);
    const network = this.#network(random.split('network'));
    this.world = { ...setting, random, network };
    this.#random = random;
    const regions = new Map<number, RegionHost>();
    for (const { id, kind } of topology.nodes) {
      this.#newMachine(id);
      if (kind === 'global') this.#globals.set(id, new GlobalHost(this.world, id));
      else regions.set(id, new RegionHost(this.world, id));
    }
    this.globals = this.#globals;
    this.regions = regions;
  }

  /** A checksum of everything that happened so far: equal for equal seeds, on every machine. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  get steps(): number {
    return this.#steps;
  }

  startAll(): void {
    for (const node of [...this.globals.keys(), ...this.regions.keys()]) this.start(node);
  }

  /** Starts the node's process, unless one lives or its disk is beyond use. */
  start(node: number): void {
    const host = this.#host(node);
    if (host === undefined || host.life !== undefined || host.isRefused) return;
    const life = this.#newProcess(node);
    this.world.note?.(node, 'starts');
    host.life = life;
    life.take('start', () => host.run(life));
  }

  /** Ends the node's process; `power`: its machine dies with it, and nobody is told. */
  kill(node: number, power: boolean, calls: number = 0): void {
    const host = this.#host(node);
    if (host?.life === undefined) return;
    host.losesPower = power;
    host.life.killAfter(calls);
  }

  /** A machine is lost with its disk: a new one takes its place, under the identity `topology` gives it. */
  replace(node: number, id: number, topology: Topology): void {
    this.kill(node, true);
    this.#globals.delete(node);
    this.#successors.set(node, id);
    this.world.topology = topology;
    this.#newMachine(id);
    this.#globals.set(id, new GlobalHost(this.world, id));
    this.start(id);
  }

  /** Who stands in the place of this node by now. */
  today(node: number): number {
    const successor = this.#successors.get(node);
    return successor === undefined || successor === node ? node : this.today(successor);
  }

  machine(node: number): MachineClock {
    return this.#machines.get(node) as MachineClock;
  }

  life(node: number): VirtualProcess | undefined {
    return this.#host(node)?.life;
  }

  /** Who votes in a group: by its leader's account, or the founders while nobody leads. */
  votersOf(group: number): Voters {
    const leader = this.globals.get(this.leaderOf(group) ?? 0);
    const membership = leader?.groups.get(group)?.node.membership;
    if (membership !== undefined) return membership;
    const plan = this.world.topology.groups.find(({ number }) => number === group);
    return { incoming: plan?.founders ?? plan?.members ?? [], outgoing: [] };
  }

  /** The node that leads a group, by its own account, in the highest term. */
  leaderOf(group: number): number | undefined {
    let leader: number | undefined;
    let newest = -1;
    for (const [node, { groups, life }] of this.globals) {
      const raft = life === undefined ? undefined : groups.get(group)?.node;
      if (raft?.role !== 'leader' || raft.term <= newest) continue;
      newest = raft.term;
      leader = node;
    }
    return leader;
  }

  /** The node that acts as primary of a region, in the highest epoch. */
  primaryOf(region: number): number | undefined {
    let primary: number | undefined;
    let newest = -1;
    for (const [node, { sets }] of this.regions) {
      const standing = sets.get(region)?.standing;
      if (standing?.role !== 'primary' || standing.promised <= newest) continue;
      newest = standing.promised;
      primary = node;
    }
    return primary;
  }

  /** The newest that any region node was told of. */
  lastAppointment(region: number): Appointment | undefined {
    let newest: Appointment | undefined;
    for (const host of this.regions.values()) {
      const last = host.placed(region)?.appointments.at(-1);
      if (last !== undefined && last.epoch > (newest?.epoch ?? 0)) newest = last;
    }
    return newest;
  }

  /** All that a node keeps its files on. */
  drivesOf(node: number): readonly Drive[] {
    const global = this.globals.get(node);
    return global === undefined ? [...(this.regions.get(node)?.drives.values() ?? [])] : [global.drive];
  }

  /** None for a node that was replaced. */
  #host(node: number): GlobalHost | RegionHost | undefined {
    return this.globals.get(node) ?? this.regions.get(node);
  }

  #newMachine(id: number): void {
    const { plan, queue } = this.#setting;
    const driftPpm = this.#random.integer(-plan.driftPpmMax, plan.driftPpmMax);
    const skewMs = this.#random.integer(-plan.skewMsMax, plan.skewMsMax);
    this.#machines.set(id, new MachineClock(queue, { driftPpm, skewMs }));
  }

  #newProcess(node: number): VirtualProcess {
    const { plan, queue } = this.#setting;
    const life: VirtualProcess = new VirtualProcess({
      node: nodeId(node),
      queue,
      random: this.world.random.split(`process ${node} at ${queue.nowUs}`),
      machine: this.machine(node),
      timerLateUsMax: plan.timerLateUsMax,
      watcher: {
        stepping: (_life, kind) => this.#stepping(node, kind),
        stepped: () => {
          this.#setting.invariants.stepped(node);
          this.#setting.regionInvariants.stepped(node);
          this.#setting.spaceInvariants.stepped(node);
        },
        ended: (_life, cause) => this.#ended(node, cause),
      },
    });
    return life;
  }

  #stepping(node: number, kind: StepKind): void {
    this.#steps += 1;
    this.#mix(this.#setting.queue.nowUs);
    this.#mix(node * 16 + STEP_NUMBERS[kind]);
  }

  #mix(value: number): void {
    const mixed = Math.imul(this.#digest ^ (value | 0), 0x9e3779b1);
    this.#digest = mixed ^ (mixed >>> 15);
  }

  #mixBytes(bytes: Uint8Array): void {
    let hash = this.#digest ^ bytes.length;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
    this.#digest = hash ^ (hash >>> 15);
  }

  #ended(node: number, cause: unknown): void {
    const { invariants, regionInvariants, spaceInvariants, note, queue, verdicts } = this.#setting;
    const host = this.#host(node);
    if (host === undefined) return;
    const isKilled = cause instanceof Killed;
    note?.(node, isKilled ? (host.losesPower ? 'loses power' : 'killed') : `ends: ${String(cause)}`);
    const power = host.losesPower && isKilled;
    host.losesPower = false;
    host.life = undefined;
    host.ended(power, cause);
    this.world.network.leave(nodeId(node), power);
    if (!isKilled && !host.mayEndBy(cause)) {
      verdicts.broken('DIE', `node ${node}: ${storyOf(cause)}`);
    }
    invariants.died(node);
    regionInvariants.died(node);
    spaceInvariants.died(node);
    this.onEnded(node);
    if (isKilled) return;
    if (cause instanceof CorruptionError) host.isRefused = true;
    else {
      const waitUs = this.world.random.integer(RESTART_US_MIN, RESTART_US_MAX);
      queue.after(waitUs, () => this.start(node));
    }
  }

  #network(random: Random): Network {
    const { invariants, regionInvariants, spaceInvariants, plan, queue, topology } = this.#setting;
    const { network } = plan;
    const gateways = new Set(topology.nodes.filter(({ kind }) => kind === 'region').map(({ id }) => id));
    return new Network({
      queue,
      random,
      latencyUs: (from, to) => network.latencyUs + (network.isWide ? wideUs(from, to) : 0),
      jitterUsMax: network.jitterUsMax,
      lost: network.lost,
      doubled: network.doubled,
      isDatagram: (a, b) => network.isDatagram && !gateways.has(a) && !gateways.has(b),
      sent: (from, to, frame) => {
        invariants.sent(from, to, frame);
        regionInvariants.sent(from, to, frame);
        spaceInvariants.sent(from, to, frame);
      },
      arrived: (_to, frames) => {
        for (const frame of frames) this.#mixBytes(frame);
      },
    });
  }
}

function wideUs(from: NodeId, to: NodeId): number {
  return (WIDE_MS[from % WIDE_MS.length]?.[to % WIDE_MS.length] ?? 0) * 1_000;
}

function storyOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
