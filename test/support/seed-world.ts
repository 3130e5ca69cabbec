// The whole seed world in one process: nine nodes as shipped, on links and disks in memory.
import assert from 'node:assert/strict';

import { type NodeId, nodeId } from '../../src/base/id.ts';
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import type { CopyStorage } from '../../src/runtime/copy-journal.ts';
import { Journal } from '../../src/runtime/journal.ts';
import type { IncarnationStore } from '../../src/services/topology/incarnations.ts';
import { startWorldNode, type WorldNode } from '../../src/services/node.ts';
import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import { openCopyStorage } from './copy-storage.ts';
import { bornIn, memoryStore } from './incarnations.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { type LogLine, memoryLogger, plainSecrets, TestLink } from './tiny-world.ts';
import { VirtualClock } from './virtual-clock.ts';

/** The node of region `eu`. */
export const REGION: NodeId = nodeId(8);

export class SeedWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly topology: Topology;
  readonly disks: Map<NodeId, VirtualDisk> = new Map();
  readonly stores: Map<NodeId, IncarnationStore> = new Map();
  /** By node and region. */
  readonly copyDisks: Map<string, VirtualDisk> = new Map();
  readonly nodes: Map<NodeId, WorldNode> = new Map();
  readonly failures: unknown[] = [];
  readonly lines: LogLine[] = [];
  #seed = 0;

  /** `tuned`: what its topology says besides. */
  constructor(tuned: Partial<Topology> = {}) {
    this.topology = { ...seedTopology({ world: 'seed' }), ...tuned };
    for (const { id } of this.topology.nodes) this.start(id);
  }

  start(id: NodeId): void {
    const logger = memoryLogger();
    const disk = this.disks.get(id)?.killed() ?? new VirtualDisk();
    this.disks.set(id, disk);
    const node = startWorldNode(
      {
        topology: this.topology,
        features: stockFeatures,
        node: id,
        doors: {
          clock: this.clock,
          entropy: { bytes: (count) => new Uint8Array(count).fill(++this.#seed) },
          logger: {
            log: (level, event, facts) => {
              this.lines.push({ level, event, facts });
              logger.log(level, event, facts);
            },
          },
          peers: this.network.join(id),
          incarnations: bornIn(this.topology, id, ++this.#seed, this.#storeOf(id)),
          secrets: plainSecrets(),
          machine: { pid: id, residentBytes: () => 1 },
          openStorage: () => ({ ...Journal.open(disk), checkpoints: new Checkpoints(disk) }),
          openCopy: (region) => this.#openCopy(`${id}/${region}`),
          setCopyAside: (region) => this.copyDisks.delete(`${id}/${region}`),
          loadLand: () => () => true,
          fail: (cause) => this.failures.push(cause),
        },
      },
      '1.2.3',
    );
    this.nodes.set(id, node);
  }

  #storeOf(id: NodeId): IncarnationStore {
    const store = this.stores.get(id) ?? memoryStore();
    this.stores.set(id, store);
    return store;
  }

  #openCopy(place: string): CopyStorage {
    const disk = this.copyDisks.get(place)?.killed() ?? new VirtualDisk();
    this.copyDisks.set(place, disk);
    return openCopyStorage(disk);
  }

  node(id: NodeId): WorldNode {
    const node = this.nodes.get(id);
    assert.ok(node !== undefined);
    return node;
  }

  /** A node ends in order; its links are gone. */
  async stop(id: NodeId): Promise<void> {
    const stopped = this.node(id).stop();
    await this.clock.live(500);
    await stopped;
    this.nodes.delete(id);
    for (const other of this.nodes.keys()) this.network.cut(id, other);
  }

  /** Who leads a group, by its own account. */
  leaderOf(group: string): NodeId | undefined {
    const leads = [...this.nodes].find(([, node]) =>
      node.status().groups.some((status) => status.group === group && status.role === 'leader'),
    );
    return leads?.[0];
  }

  async ready(): Promise<void> {
    this.clock.advance(2_000);
    await this.clock.live(1);
    assert.ok([...this.nodes.values()].every((node) => node.isReady()));
  }

  async player(name: string, at: NodeId = REGION): Promise<{ link: TestLink; session: number }> {
    const { players } = this.node(at);
    assert.ok(players !== undefined);
    const link = new TestLink(1, { clock: this.clock, players });
    players.opened(link);
    const who = { name, password: 'long enough' };
    const outcome = await link.call('account.register', who, `sixteen or more characters: ${name}`);
    assert.equal(outcome['kind'], 'done');
    return { link, session: (outcome['value'] as { session: number }).session };
  }
}
