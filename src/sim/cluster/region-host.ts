// A region node of a simulated world: the shipped way from a gateway to groups and regions, and copies.
//
// `cluster.ts` owns it; `workload.ts` asks through it. Where regions live, it holds the shipped copies of
// them, each on a drive of its own, and beats, promises and serves as placement says; else it keeps
// nothing on disk. Where players walk, it has the shipped spaces and presences too.
import type { NodeId } from '../../base/id.ts';
import { Checkpoints } from '../../runtime/checkpoints.ts';
import { COPY_CHECKPOINTS_KEPT, type CopyStorage } from '../../runtime/copy-journal.ts';
import { Journal } from '../../runtime/journal.ts';
import type { Peers } from '../../runtime/ports.ts';
import type { ReplicaSet } from '../../runtime/replica-set.ts';
import type { Appointments } from '../../services/placement/appointments.ts';
import { GroupCalls } from '../../services/calls/group-calls.ts';
import { openAppointments } from '../../services/open-appointments.ts';
import { openRoute } from '../../services/open-route.ts';
import { Outbox } from '../../services/calls/outbox.ts';
import { withOwnLink } from '../../services/calls/own-link.ts';
import { PeerEvents } from '../../services/events/peer-events.ts';
import { type RegionalAsk, RegionCalls } from '../../services/calls/region-calls.ts';
import { RegionCopies } from '../../services/region-copies.ts';
import { type Ask, Route, type RouteAnswer } from '../../services/calls/route.ts';
import type { Spaces } from '../../services/space/spaces.ts';
import { decodePeerMessage, type PeerMessage } from '../../wire/peer.ts';
import { PLACEMENT_PUSH, type PlacedRegion } from '../../wire/placement.ts';
import { settingOf } from './doors.ts';
import { Drive } from '../machine/drive.ts';
import type { VirtualProcess } from '../machine/process.ts';
import type { World } from './setting.ts';
import { openSpaces } from './space-host.ts';

/** What a living process of it is made of. */
interface Running {
  readonly route: Route;
  readonly regional: RegionCalls;
  readonly calls: GroupCalls;
  readonly copies: RegionCopies | undefined;
  readonly appointments: Appointments | undefined;
  readonly spaces: Spaces | undefined;
}

/** A call of a region, as the gateway takes it from a player. */
export type RegionalCall = Pick<RegionalAsk, 'frame' | 'player' | 'seen' | 'body'> & {
  readonly name: string;
};

export class RegionHost {
  readonly node: number;
  life: VirtualProcess | undefined;
  losesPower = false;
  isRefused = false;
  /** By the number of the region; none where regions do not live. */
  readonly drives: ReadonlyMap<number, Drive>;
  readonly #world: World;
  #running: Running | undefined;
  /** The latest answer of the route, in bytes. */
  #heard: RouteAnswer | undefined;

  constructor(world: World, node: number) {
    this.#world = world;
    this.node = node;
    const random = world.random.split(`host ${node}`);
    const { plan, topology } = world;
    const held = topology.regions.filter(({ copies }) => copies.some((id) => id === node));
    const drives = held.map(({ number }): [number, Drive] => {
      const durable = (name: string, bytes: Uint8Array): void =>
        world.regionInvariants.durable(node, number, { name, bytes });
      return [number, new Drive({ ...world, random: random.split(`drive ${number}`), durable })];
    });
    this.drives = new Map(plan.regions === undefined ? [] : drives);
  }

  get spaces(): Spaces | undefined {
    return this.#running?.spaces;
  }

  /** The copies that its process holds. */
  get sets(): ReadonlyMap<number, ReplicaSet> {
    return this.#running?.copies?.sets ?? new Map<number, ReplicaSet>();
  }

  /** What it was told of a region last. */
  placed(region: number): PlacedRegion | undefined {
    return this.#running?.appointments?.region(region);
  }

  /** By what it was told last. */
  get isPrimary(): boolean {
    return [...this.drives.keys()].some((region) => this.placed(region)?.primary === this.node);
  }

  /** Hands over what it is primary of, where another copy can have it. */
  leave(): void {
    this.life?.take('order', () => void this.#running?.appointments?.leave());
  }

  run(life: VirtualProcess): void {
    const { network, topology, regionInvariants, spaceInvariants } = this.#world;
    const { clock } = life;
    const self = life.node;
    const joined = network.join(life, (id) => topology.nodes.some((node) => node.id === id));
    const isWhole = this.drives.size > 0;
    const peers = isWhole ? this.#seen(withOwnLink({ self, clock, peers: joined }), self) : joined;
    const running = isWhole ? this.#openWhole(life, peers) : this.#openGateway(life, peers);
    this.#running = running;
    const { appointments, copies, route, spaces } = running;
    regionInvariants.lives(this.node, this.sets);
    if (spaces !== undefined) spaceInvariants.lives(this.node, spaces);
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'space') this.#moves(running, from, message);
        else received(running, from, message);
      },
      up(node) {
        copies?.up(node);
        appointments?.up(node);
      },
      lost(node) {
        copies?.lost(node);
        appointments?.lost(node);
        route.lost(node);
      },
    });
    copies?.start();
    spaces?.start();
    appointments?.start();
  }

  /** What a player's link brings about where he is; without a process, nothing ever happens. */
  walk(step: (spaces: Spaces) => void): void {
    this.life?.take('order', () => {
      const { spaces } = this;
      if (spaces === undefined) return;
      this.#world.spaceInvariants.touched(this.node);
      step(spaces);
    });
  }

  /** Asks a group; without a process, nobody ever answers. */
  ask(ask: Ask): void {
    this.life?.take('order', () => this.#running?.route.ask(ask));
  }

  /** Asks a region as a player's frame does; `settle` is told what came back in bytes. */
  askRegion(call: RegionalCall, settle: (answer: RouteAnswer) => void): void {
    this.life?.take('order', () => {
      const { calls, regional } = this.#running ?? {};
      const found = calls?.find(call.name);
      if (found === undefined) return;
      regional?.ask({
        ...call,
        call: found,
        settle: () => {
          if (this.#heard !== undefined) settle(this.#heard);
        },
      });
    });
  }

  ended(power: boolean, cause: unknown): void {
    this.#running = undefined;
    for (const drive of this.drives.values()) drive.ended(power, cause);
  }

  /** A gateway has nothing to die of but the disks of its copies. */
  mayEndBy(cause: unknown): boolean {
    return [...this.drives.values()].some((drive) => drive.mayEndBy(cause));
  }

  /** What a node sends to itself passes no link. */
  #seen(peers: Peers, self: NodeId): Peers {
    const send: Peers['send'] = (to, frame) => {
      if (to === self) this.#world.regionInvariants.sent(self, self, frame);
      peers.send(to, frame);
    };
    return { ...peers, send };
  }

  #openGateway(life: VirtualProcess, peers: Peers): Running {
    const { random, topology, features } = this.#world;
    const { clock } = life;
    const outbox = new Outbox(clock, peers);
    const groups = topology.groups;
    const route = new Route({ clock, peers, outbox, groups, firstNumber: random.uint32() });
    const calls = new GroupCalls({ route, logger: { log: () => {} }, topology, features });
    const nothing = { copies: undefined, appointments: undefined, spaces: undefined };
    return { route, calls, ...this.#regional(calls, life), ...nothing };
  }

  #openWhole(life: VirtualProcess, peers: Peers): Running {
    const { plan, queue, random, topology, features, regionInvariants } = this.#world;
    const { clock } = life;
    const setting = settingOf(this.#world, life, {
      peers,
      random: random.split(`entropy ${this.node} at ${queue.nowUs}`),
      openCopy: (name) => this.#openCopy(life, name),
      setCopyAside: (name) => this.#setCopyAside(name),
    });
    const outbox = new Outbox(clock, peers);
    const route = openRoute(setting, outbox, (node) => appointments.isDoubted(node));
    const copies = new RegionCopies(setting, new PeerEvents(route), {
      limits: plan.regions && { ...plan.regions, pieceMs: 0 },
      watched: (region, machine) => regionInvariants.watched(this.node, region, machine),
    });
    const heard = {
      ask: (ask: Ask): void =>
        route.ask({
          ...ask,
          answer: (answer) => {
            this.#heard = answer;
            ask.answer(answer);
          },
        }),
    };
    const calls = new GroupCalls({ route: heard, logger: setting.doors.logger, topology, features });
    const spaces = this.#openSpaces(life, peers);
    const placed = (region: PlacedRegion): void => {
      const { number, primary, epoch } = region;
      route.appointed(number, primary, epoch);
      this.#world.spaceInvariants.touched(this.node);
      spaces?.appointed(number, primary);
    };
    const appointments = openAppointments(setting, { outbox, calls, copies, placed });
    return { route, calls, ...this.#regional(calls, life), copies, appointments, spaces };
  }

  #openSpaces(life: VirtualProcess, peers: Peers): Spaces | undefined {
    const { plan, spaceInvariants } = this.#world;
    if (plan.motion === undefined) return undefined;
    const touched = (): void => spaceInvariants.touched(this.node);
    return openSpaces(this.#world, life, { peers, links: plan.motion.links, touched });
  }

  #moves(
    { spaces }: Running,
    from: NodeId,
    { region, body }: Extract<PeerMessage, { kind: 'space' }>,
  ): void {
    const { spaceInvariants } = this.#world;
    spaceInvariants.touched(this.node);
    spaceInvariants.heard(this.node, from, region, body);
    spaces?.received(from, region, body);
  }

  #regional(calls: GroupCalls, { node: self }: VirtualProcess): { readonly regional: RegionCalls } {
    const { regions } = this.#world.topology;
    const home = (regions.find(({ copies }) => copies[0] === self) ?? regions[0])?.name ?? '';
    return { regional: new RegionCalls({ calls, self, regions, home, standsIn: () => undefined }) };
  }

  #openCopy(life: VirtualProcess, name: string): CopyStorage {
    const { plan, regionInvariants } = this.#world;
    const [number, drive] = this.#driveOf(name);
    const disk = drive.attach(life);
    const { journal, recovered } = Journal.open(disk, { segmentBytes: plan.segmentBytes });
    const { machineDied, isDamaged } = drive;
    const found = recovered.get(number);
    regionInvariants.recovered(this.node, number, { found, machineDied, isDamaged });
    drive.machineDied = false;
    const checkpoints = new Checkpoints(disk, { keep: COPY_CHECKPOINTS_KEPT });
    return { disk, journal, recovered, checkpoints };
  }

  #setCopyAside(name: string): void {
    const { note, regionInvariants, verdicts } = this.#world;
    const [number, drive] = this.#driveOf(name);
    note?.(this.node, `sets its copy of ${name} aside as damaged`);
    if (!drive.isDamaged) {
      verdicts.broken('FORGET', `${name} at ${this.node}: an undamaged copy is set aside`);
    }
    drive.wipe();
    regionInvariants.histories.get(number)?.loses(this.node);
  }

  #driveOf(name: string): readonly [number, Drive] {
    const number = this.#world.topology.regions.find((region) => region.name === name)?.number ?? 0;
    return [number, this.drives.get(number) as Drive];
  }
}

function received(running: Running, from: NodeId, message: PeerMessage): void {
  const { appointments, copies, route } = running;
  if (copies?.received(from, message) === true) return;
  if (message.kind === 'answer') route.answered(from, message);
  else if (message.kind === 'leads') route.led(from, message);
  else if (message.kind === 'beat-heard') appointments?.heard(from, message);
  else if (message.kind === 'notice' && message.push === PLACEMENT_PUSH) {
    appointments?.told(message.value);
  }
}
