// Region nodes as shipped as far as space goes: gateways and spaces over links that lose what a test says.
import type { Velocity } from '../../src/base/dead-reckoning.ts';
import { type NodeId, nodeId, playerId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import type { Peers } from '../../src/runtime/ports.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import type { EnterOutcome, Viewer } from '../../src/services/space/presences.ts';
import { Spaces } from '../../src/services/space/spaces.ts';
import { type RegionPlan, seedTopology } from '../../src/services/topology/topology.ts';
import type { Entered, Place } from '../../src/wire/calls.ts';
import { type Avatar, type Correction, decodeServerMotion, encodeUpdate } from '../../src/wire/motion.ts';
import { decodePeerMessage } from '../../src/wire/peer.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { memoryLogger } from './tiny-world.ts';
import { VirtualClock } from './virtual-clock.ts';

export const NA_EAST: NodeId = nodeId(6);
export const NA_WEST: NodeId = nodeId(7);
export const EU: NodeId = nodeId(8);
export const ASIA: NodeId = nodeId(9);
const NODES = [NA_EAST, NA_WEST, EU, ASIA];

export class Planet {
  readonly clock: VirtualClock = new VirtualClock();
  readonly regions: readonly RegionPlan[] = seedTopology({ world: 'w' }).regions;
  readonly nodes: Map<NodeId, Spaces> = new Map();
  readonly primaries: Map<number, NodeId> = new Map();
  readonly logger: ReturnType<typeof memoryLogger> = memoryLogger();
  /** Of 1,000 frames. */
  lost = 0;
  doubled = 0;
  /** Called before each frame leaves: a test may kill somebody then. */
  onFrame: (from: NodeId, to: NodeId) => void = () => {};
  readonly #network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly #ends = new Map<NodeId, Peers>();
  readonly #random: Random;

  constructor(seed: number = 1) {
    this.#random = new Random(`planet ${seed}`);
    for (const { number, copies } of this.regions) this.primaries.set(number, copies[0] as NodeId);
    for (const node of NODES) this.start(node);
  }

  start(self: NodeId): void {
    const real = this.#network.join(self);
    this.#ends.set(self, real);
    const peers: Peers = { ...real, send: (to, frame) => this.#send(real, { self, to, frame }) };
    const { clock, logger, regions } = this;
    const outbox = new Outbox(clock, peers);
    const spaces = new Spaces({ self, clock, logger, outbox, regions, isLand: () => true });
    real.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'space') spaces.received(from, message.region, message.body);
      },
      up: () => {},
      lost: () => {},
    });
    this.nodes.set(self, spaces);
    spaces.start();
    for (const [region, primary] of this.primaries) spaces.appointed(region, primary);
  }

  /** The process is gone: nobody is told anything by it. */
  kill(node: NodeId): void {
    this.nodes.get(node)?.stop();
    this.nodes.delete(node);
    void this.#ends.get(node)?.close();
  }

  /** Everybody alive hears of it. */
  appoint(region: string, primary: NodeId): void {
    const number = this.region(region).number;
    this.primaries.set(number, primary);
    for (const spaces of this.nodes.values()) spaces.appointed(number, primary);
  }

  region(name: string): RegionPlan {
    return this.regions.find((each) => each.name === name) as RegionPlan;
  }

  /** How many players stand in each region that has any. */
  standing(): Readonly<Record<string, number>> {
    const spaces = [...this.nodes.values()].flatMap((node) => node.status());
    const occupied = spaces.filter(({ players }) => players > 0);
    return Object.fromEntries(occupied.map(({ region, players }) => [region, players]));
  }

  #send(real: Peers, { self, to, frame }: { self: NodeId; to: NodeId; frame: Uint8Array }): void {
    this.onFrame(self, to);
    if (this.#random.chance(this.lost, 1_000)) return;
    real.send(to, frame);
    if (this.#random.chance(this.doubled, 1_000)) real.send(to, frame);
  }
}

/** A player whose link stands all the while; where he is seen is looked up in what others were shown. */
export class Traveller implements Viewer {
  readonly player: number;
  readonly crossings: string[] = [];
  /** When each other player was shown to him last. */
  readonly seen: Map<number, number> = new Map();
  /** Where. */
  readonly shown: Map<number, Place> = new Map();
  readonly corrections: Correction[] = [];
  outcome: EnterOutcome | undefined;
  isSuperseded = false;
  place: Place = { lat: 0, lon: 0 };
  readonly #planet: Planet;
  readonly #gateway: NodeId;
  #sequence = 0;

  constructor(planet: Planet, player: number, gateway: NodeId) {
    this.#planet = planet;
    this.player = player;
    this.#gateway = gateway;
  }

  enter(place: Place): void {
    this.place = place;
    this.#presences?.enter(playerId(this.player), {
      place,
      viewer: this,
      settle: (outcome) => (this.outcome = outcome),
    });
  }

  walkTo(place: Place, way: Velocity = { north: 0, east: 0 }): void {
    this.place = place;
    const { lat, lon } = place;
    const timeMs = this.#planet.clock.monotonicMs() % 2 ** 32;
    const update = { sequence: ++this.#sequence, timeMs, lat, lon, ...way };
    this.#presences?.moved(playerId(this.player), encodeUpdate(update));
  }

  leave(): void {
    this.#presences?.leave(playerId(this.player));
  }

  offer(bytes: Uint8Array): boolean {
    const motion = decodeServerMotion(bytes);
    if (motion.kind === 'correction') this.corrections.push(motion.correction);
    else motion.avatars.forEach((avatar) => this.#sees(avatar));
    return true;
  }

  crossed({ region }: Entered): void {
    this.crossings.push(region);
  }

  superseded(): void {
    this.isSuperseded = true;
  }

  #sees({ player, lat, lon }: Avatar): void {
    this.seen.set(player, this.#planet.clock.monotonicMs());
    this.shown.set(player, { lat, lon });
  }

  get #presences(): Spaces['presences'] | undefined {
    return this.#planet.nodes.get(this.#gateway)?.presences;
  }
}
