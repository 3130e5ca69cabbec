// A world small enough for one test: one region node as shipped, and one node that leads all groups
// alone and applies at once. Players are links whose frames the test writes and reads.
import { crc32c } from '../../src/base/crc32c.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { StateMachine } from '../../src/protocols/state-machine.ts';
import type { Group, Inspection } from '../../src/runtime/group.ts';
import type { Logger, PlayerLink, PlayerListener, Secrets } from '../../src/runtime/ports.ts';
import { Global } from '../../src/services/global.ts';
import type { NodeRole } from '../../src/services/node-role.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import { openRegionNode } from '../../src/services/region-node.ts';
import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';
import { decodePeerMessage, type GroupAnswer } from '../../src/wire/peer.ts';
import type { GroupStatus } from '../../src/wire/status.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { bornIn } from './incarnations.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { openCopyStorage } from './copy-storage.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { VirtualClock } from './virtual-clock.ts';

const LEADER: NodeId = nodeId(3);
const REGION: NodeId = nodeId(6);

export type Json = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
}

/** A logger that keeps its lines. */
export function memoryLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  return { lines, log: (level, event, facts) => void lines.push({ level, event, facts }) };
}

/** Secrets that hide nothing: a hash is the password, a tag the sum of the bytes. */
export function plainSecrets(): Secrets {
  const encoder = new TextEncoder();
  const sign = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.of(17, bytes.reduce((sum, byte) => (sum * 31 + byte) % 251, 7));
  return {
    hashPassword: (password) => Promise.resolve(encoder.encode(password)),
    verifyPassword: (password, hash) =>
      Promise.resolve(String(encoder.encode(password)) === String(hash)),
    sign,
    verify: (bytes, tag) => String(sign(bytes)) === String(tag),
  };
}

/** A group with one member, which is its own majority. */
export class SoloGroup implements Group {
  readonly name: string;
  readonly #machine: StateMachine;
  readonly #clock: VirtualClock;
  readonly #global: () => Global;
  #index = 0;
  /** Set to refuse or to keep silent instead of applying. */
  conduct: ((command: Uint8Array) => GroupAnswer | 'silence' | 'apply') | undefined;

  constructor(name: string, machine: StateMachine, clock: VirtualClock, global: () => Global) {
    this.name = name;
    this.#machine = machine;
    this.#clock = clock;
    this.#global = global;
  }

  propose(command: Uint8Array, answer: (answer: GroupAnswer) => void): void {
    const conduct = this.conduct?.(command) ?? 'apply';
    if (conduct === 'silence') return;
    if (conduct !== 'apply') return answer(conduct);
    this.#index += 1;
    const entry = { index: this.#index, timeMs: this.#clock.wallMs(), command };
    const { reply, notices } = this.#machine.apply(entry);
    this.#global().tell(notices);
    answer({ kind: 'answered', reply });
  }

  query(request: Uint8Array, answer: (answer: GroupAnswer) => void): void {
    answer({ kind: 'answered', reply: this.read(request) });
  }

  inspect(): Inspection {
    return { applied: this.#index, stateHash: crc32c(this.#machine.snapshot()) };
  }

  read(request: Uint8Array): Uint8Array {
    return this.#machine.query(request, this.#index, this.#clock.wallMs());
  }

  status(): GroupStatus {
    throw new Error('no test asks for the status');
  }
}

/** A player's connection: what the gateway sent lies in `frames`, newest last. */
export class TestLink implements PlayerLink {
  readonly number: number;
  readonly frames: Json[] = [];
  readonly motion: Uint8Array[] = [];
  closing: { readonly code: number; readonly reason: string } | undefined;
  queued = 0;
  readonly #world: Pick<TinyWorld, 'clock' | 'players'>;
  #nextId = 1;

  constructor(number: number, world: Pick<TinyWorld, 'clock' | 'players'>) {
    this.number = number;
    this.#world = world;
  }

  get isClosed(): boolean {
    return this.closing !== undefined;
  }

  sendText(text: string): boolean {
    const frame: unknown = JSON.parse(text);
    this.frames.push(frame as Json);
    return true;
  }

  sendBinary(bytes: Uint8Array): boolean {
    this.motion.push(bytes);
    return true;
  }

  queuedBytes(): number {
    return this.queued;
  }

  close(code: number, reason: string): void {
    this.closing = { code, reason };
    this.#world.players.closed(this);
  }

  /** Sends a frame and returns its id. */
  send(frame: Json): number {
    const id = this.#nextId++;
    this.#world.players.text(this, JSON.stringify({ id, ...frame }));
    return id;
  }

  outcome(id: number): Json | undefined {
    return this.frames.find((frame) => frame['id'] === id)?.['outcome'] as Json | undefined;
  }

  /** Calls and waits a little for the outcome. */
  async call(call: string, args: unknown, commandId?: string): Promise<Json> {
    const id = this.send({ call, args, commandId });
    await this.#world.clock.live(20);
    return this.outcome(id) ?? { kind: 'no outcome' };
  }
}

export class TinyWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly topology: Topology = seedTopology({ world: 'tiny' });
  readonly logger: ReturnType<typeof memoryLogger> = memoryLogger();
  readonly secrets: Secrets;
  readonly groups: ReadonlyMap<number, SoloGroup>;
  readonly node: NodeRole;
  readonly players: PlayerListener;
  #links = 0;

  constructor(secrets: Secrets = plainSecrets()) {
    this.secrets = secrets;
    this.groups = this.#openLeader();
    this.node = this.#openRegion();
    if (this.node.players === undefined) throw new Error('a region node takes players');
    this.players = this.node.players;
  }

  link(): TestLink {
    const link = new TestLink(++this.#links, this);
    this.players.opened(link);
    return link;
  }

  /** A link whose player is registered and logged in; `session` begins his command ids. */
  async loggedIn(name: string): Promise<{ link: TestLink; player: number; session: number }> {
    const link = this.link();
    const outcome = await link.call(
      'account.register',
      { name, password: 'long enough' },
      `a nonce for ${name}`.padEnd(16, '.'),
    );
    const value = outcome['value'] as { player: number; session: number };
    return { link, player: value.player, session: value.session };
  }

  group(name: string): SoloGroup {
    const found = [...this.groups.values()].find((group) => group.name === name);
    if (found === undefined) throw new Error(`no group ${name}`);
    return found;
  }

  #openLeader(): ReadonlyMap<number, SoloGroup> {
    const { clock } = this;
    const peers = this.network.join(LEADER);
    const groups = new Map<number, SoloGroup>();
    const global = new Global({
      groups,
      outbox: new Outbox(clock, peers),
      regionNodes: [REGION],
    });
    for (const { number, name, features } of this.topology.groups) {
      const held = stockFeatures.filter((feature) => features.includes(feature.name));
      groups.set(number, new SoloGroup(name, createGroupMachine(held), clock, () => global));
    }
    peers.listen({
      received(from, frame) {
        const message = decodePeerMessage(frame);
        if (message.kind === 'ask') global.asked(from, message);
      },
      up: () => {},
      lost: () => {},
    });
    return groups;
  }

  #openRegion(): NodeRole {
    const { clock, topology, logger, secrets } = this;
    const peers = this.network.join(REGION);
    const role = openRegionNode({
      topology,
      features: stockFeatures,
      node: REGION,
      doors: {
        clock,
        entropy: { bytes: (count) => new Uint8Array(count).fill(9) },
        logger,
        peers,
        incarnations: bornIn(topology, REGION, 1),
        secrets,
        machine: { pid: 1, residentBytes: () => 1 },
        openStorage: () => {
          throw new Error('a region node has no storage');
        },
        openCopy: () => openCopyStorage(new VirtualDisk()),
        setCopyAside: () => {
          throw new Error('no copy is damaged');
        },
        loadLand: () => () => true,
        fail: (cause) => {
          throw cause;
        },
      },
    });
    peers.listen({
      received: (from, frame) => role.received(from, decodePeerMessage(frame)),
      up: (node) => role.up(node),
      lost: (node) => role.lost(node),
    });
    role.start();
    return role;
  }
}
