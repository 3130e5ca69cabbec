// Witnesses and region nodes as shipped around one log of placement, in virtual time; copies are dummies.
//
// What is decided, pushed and acknowledged is real. A copy here is a number that grows: how far its log
// reaches.
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Peers } from '../../src/runtime/ports.ts';
import { Appointments } from '../../src/services/placement/appointments.ts';
import type { PlacedCopy, PromisedPlace } from '../../src/services/placement/placed-copy.ts';
import { type Asked, GroupCalls } from '../../src/services/calls/group-calls.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import { PlacementCalls } from '../../src/services/calls/placement-calls.ts';
import {
  DEFAULT_HOME_AFTER_MS,
  foundationOf,
  type RegionPlan,
  seedTopology,
  type Topology,
} from '../../src/services/topology/topology.ts';
import { Witness } from '../../src/services/placement/witness.ts';
import { decodePeerMessage } from '../../src/wire/peer.ts';
import { PLACEMENT_PUSH, type PlacedRegion } from '../../src/wire/placement.ts';
import { placement } from '../../src/world/features/placement.ts';
import { AskedGroup } from './asked-group.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { memoryLogger } from './tiny-world.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How long the log takes to decide. */
const COMMIT_MS = 5;

export class DummyCopy implements PlacedCopy {
  readonly number: number;
  last = 0;
  isBlank = true;
  promised = 0;
  primary: NodeId | undefined;
  leasedEpoch = 0;
  leaseMs = 0;
  /** Chosen to begin a log, it waits until it is told that no other copy holds one. */
  waits = false;
  /** Whoever is primary has nothing to bring it level with. */
  staysBlank = false;
  /** Its disk confirms nothing from the moment it is primary. */
  stopsAsPrimary = false;
  /** It says that most copies do not hear the primary. */
  isDeserted = false;
  lostTails: ReturnType<PlacedCopy['status']>['lostTails'] = [];
  /** How far other copies are, as this one has heard; as far as itself where nothing stands here. */
  readonly lasts: Map<number, number> = new Map();
  /** Copies that trail by too much, as this one has heard. */
  readonly unhealthy: Set<number> = new Set();
  readonly #self: NodeId;
  readonly #copies: readonly NodeId[];

  constructor({ number, copies }: RegionPlan, self: NodeId) {
    this.number = number;
    this.#copies = copies;
    this.#self = self;
  }

  promise(epoch: number, promised: (promised: PromisedPlace) => void): void {
    if (epoch > this.promised) this.primary = undefined;
    this.promised = Math.max(this.promised, epoch);
    if (this.stopsAsPrimary && this.primary === this.#self) return;
    const { isBlank, last } = this;
    promised({ epoch: this.promised, lastEpoch: last > 0 ? 1 : 0, lastSequence: last, isBlank });
  }

  appoint({ epoch, primary, start }: { epoch: number; primary: NodeId; start: number }): void {
    if (epoch < this.promised || (epoch === this.promised && this.primary !== undefined)) return;
    this.promised = epoch;
    if (primary === this.#self && (this.last < start || this.waits)) return;
    this.primary = primary;
    if (primary === this.#self || !this.staysBlank) this.isBlank = false;
  }

  lease(epoch: number, untilMs: number): void {
    this.leasedEpoch = epoch;
    this.leaseMs = untilMs;
  }

  status(): ReturnType<PlacedCopy['status']> {
    const role = this.isBlank ? 'blank' : this.primary === this.#self ? 'primary' : 'replica';
    const { promised: epoch, primary, last, lostTails, isDeserted } = this;
    const copies = this.#copies.map((node) => {
      return { node, last: this.lasts.get(node) ?? last, isHealthy: !this.unhealthy.has(node) };
    });
    return { role, epoch, primary, isDeserted, copies, lostTails };
  }
}

interface RegionNode {
  readonly appointments: Appointments;
  readonly copies: ReadonlyMap<number, DummyCopy>;
}

export class PlacedWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly topology: Topology = seedTopology({ world: 'placed' });
  readonly group: AskedGroup = new AskedGroup([placement]);
  readonly witnesses: Map<NodeId, Witness> = new Map();
  readonly nodes: Map<NodeId, RegionNode> = new Map();
  /** While set, the log decides nothing and answers nobody. */
  isStuck = false;
  readonly #disks = new Map<NodeId, ReadonlyMap<number, DummyCopy>>();

  constructor() {
    for (const { id, kind } of this.topology.nodes) {
      if (kind === 'global') this.startWitness(id);
      else this.startNode(id);
    }
  }

  startWitness(id: NodeId): void {
    const { clock } = this;
    const peers = this.network.join(id);
    const witness = new Witness({
      self: id,
      clock,
      logger: memoryLogger(),
      outbox: new Outbox(clock, peers),
      calls: this.#calls(),
      foundation: foundationOf(this.topology),
      regions: this.topology.regions,
      nodes: this.topology.nodes.filter(({ kind }) => kind === 'region').map((node) => node.id),
    });
    this.witnesses.set(id, witness);
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'beat') witness.heard(from, message);
      },
      up: () => {},
      lost: () => {},
      refused: (node) => witness.gone(node),
    });
    witness.start();
  }

  /** Starts a region node; its copies are as it left them. */
  startNode(id: NodeId): void {
    const { clock } = this;
    const peers: Peers = this.network.join(id);
    const copies = this.#disks.get(id) ?? this.#newDisk(id);
    for (const copy of copies.values()) copy.primary = undefined;
    const appointments = new Appointments({
      self: id,
      clock,
      logger: memoryLogger(),
      outbox: new Outbox(clock, peers),
      calls: this.#calls(),
      witnesses: [...this.witnesses.keys()],
      copies: [...copies.values()],
      isLinked: (node) => peers.connected(node),
      homeAfterMs: DEFAULT_HOME_AFTER_MS,
      placed: () => {},
    });
    this.nodes.set(id, { appointments, copies });
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'beat-heard') appointments.heard(from, message);
      },
      up: (node) => appointments.up(node),
      lost: (node) => appointments.lost(node),
    });
    appointments.start();
  }

  /** Its process ends, and the machine says so. */
  kill(id: number): void {
    this.#node(id).appointments.stop();
    this.nodes.delete(nodeId(id));
    this.network.kill(nodeId(id));
  }

  /** The links stand, and it neither speaks nor decides any more. */
  hang(id: number): void {
    this.#node(id).appointments.stop();
  }

  wake(id: number): void {
    this.#node(id).appointments.start();
  }

  copy(id: number, region: number): DummyCopy {
    const copy = this.#disks.get(nodeId(id))?.get(region);
    if (copy === undefined) throw new Error(`node ${id} holds no copy of ${region}`);
    return copy;
  }

  /** What a node knows of a region. */
  seen(id: number, region: number): PlacedRegion {
    const seen = this.#node(id).appointments.region(region);
    if (seen === undefined) throw new Error(`node ${id} knows nothing of ${region}`);
    return seen;
  }

  operator(call: string, args: unknown): void {
    this.#tell(() => this.group.serve(`placement.${call}`, args));
  }

  #node(id: number): RegionNode {
    const node = this.nodes.get(nodeId(id));
    if (node === undefined) throw new Error(`node ${id} does not run`);
    return node;
  }

  #newDisk(id: NodeId): ReadonlyMap<number, DummyCopy> {
    const held = this.topology.regions.filter(({ copies }) => copies.includes(id));
    const disk = new Map(held.map((region) => [region.number, new DummyCopy(region, id)]));
    this.#disks.set(id, disk);
    return disk;
  }

  #calls(): PlacementCalls {
    const { topology, clock } = this;
    const route: Asked = {
      ask: ({ mode, body, answer }) => {
        clock.wakeAt(clock.monotonicMs() + COMMIT_MS, () => {
          if (this.isStuck) return answer({ kind: 'unavailable', retryAfterMs: 10 });
          const { machine, index, timeMs } = this.group;
          const reply =
            mode === 'query' ? machine.query(body, index, timeMs) : this.#tell(() => this.group.apply(body));
          answer({ kind: 'answered', reply });
        });
      },
    };
    const features = [placement];
    return new PlacementCalls(new GroupCalls({ route, logger: memoryLogger(), topology, features }));
  }

  /** Applies a command, and pushes what changed to the nodes that run. */
  #tell<Applied>(apply: () => Applied): Applied {
    this.group.timeMs = this.clock.wallMs();
    const applied = apply();
    for (const { push, value } of this.group.notices) {
      if (push !== PLACEMENT_PUSH) continue;
      const json = JSON.stringify(value);
      this.clock.wakeAt(this.clock.monotonicMs() + 1, () => {
        for (const { appointments } of this.nodes.values()) appointments.told(json);
      });
    }
    return applied;
  }
}
