// The five global nodes of a world as real processes with real disks, and a link to ask them over.
//
// The benchmarks stand where a gateway stands: they take the place of the region node `asia`, so that
// what is measured is the groups and not the players' edge. Everything lives in a folder that is removed.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/node/clock.ts';
import { FaultGate } from '../src/adapters/node/fault-gate.ts';
import { openPeers } from '../src/adapters/node/peers.ts';
import { loadOrCreateWorldKey } from '../src/adapters/node/world-key.ts';
import { nodeId } from '../src/base/id.ts';
import { buildShims, type Shims } from '../src/chaos/shims.ts';
import { Network } from '../src/host/network.ts';
import type { Logger, Peers } from '../src/runtime/ports.ts';
import { Outbox } from '../src/services/calls/outbox.ts';
import { Route } from '../src/services/calls/route.ts';
import { seedTopology, type NodePlan, type Topology } from '../src/services/topology/topology.ts';
import { decodePeerMessage } from '../src/wire/peer.ts';
import type { GroupStatus, NodeStatus } from '../src/wire/status.ts';

const SELF = nodeId(9);
const SELF_NAME = 'asia';
const READY_MS_MAX = 20_000;
/** Entries on their way at any moment under light load. */
const LAG_MAX = 64;
const silent: Logger = { log: () => {} };

/** Of a node's own log. */
export interface LogLine {
  readonly atMs: number;
  readonly node: string;
  readonly event: string;
  readonly facts: unknown;
}

export class GlobalNodes {
  readonly route: Route;
  readonly topology: Topology;
  readonly network: Network;
  /** To make disks fail; only where they were asked for, since they slow every write down a little. */
  readonly shims: Shims | undefined;
  readonly #folder: string;
  readonly #file: string;
  readonly #peers: Peers;
  readonly #running: Map<string, ChildProcess> = new Map();

  private constructor(o: {
    topology: Topology;
    folder: string;
    file: string;
    peers: Peers;
    gate: FaultGate;
    shims: Shims | undefined;
  }) {
    this.topology = o.topology;
    this.shims = o.shims;
    this.network = new Network({
      topology: o.topology,
      base: [],
      tell: (name, faults) => {
        if (name === SELF_NAME) o.gate.command(faults);
        else this.#running.get(name)?.send(faults);
      },
    });
    this.#folder = o.folder;
    this.#file = o.file;
    this.#peers = o.peers;
    this.route = new Route({
      clock: systemClock,
      peers: o.peers,
      outbox: new Outbox(systemClock, o.peers),
      groups: o.topology.groups,
      firstNumber: 1,
    });
    o.peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'answer') this.route.answered(from, message);
        else if (message.kind === 'leads') this.route.led(from, message);
      },
      up: () => {},
      lost: (node) => this.route.lost(node),
    });
  }

  static async start(
    o: { readonly basePort?: number; readonly withShims?: boolean } = {},
  ): Promise<GlobalNodes> {
    const { basePort = 17_400, withShims = false } = o;
    const folder = mkdtempSync(join(tmpdir(), 'bluemarble-bench-'));
    const topology = seedTopology({ world: 'bench', basePort });
    const file = join(folder, 'topology.json');
    writeFileSync(file, JSON.stringify(topology));
    const key = loadOrCreateWorldKey(join(folder, 'world.key'));
    const nodes = topology.nodes.map(({ id, host, peerPort }) => ({ id, host, port: peerPort }));
    const gate = new FaultGate(silent);
    const own = topology.nodes.find(({ id }) => id === SELF) as NodePlan;
    const peers = await openPeers({
      self: SELF,
      world: topology.world,
      key,
      listen: { host: own.host, port: own.peerPort },
      nodes,
      dial: topology.nodes.filter(({ kind }) => kind === 'global').map(({ id }) => id),
      gate,
      logger: silent,
    });
    const shims = withShims ? buildShims(folder) : undefined;
    const world = new GlobalNodes({ topology, folder, file, peers, gate, shims });
    for (const plan of world.#plans) world.spawn(plan.name);
    await world.ready();
    return world;
  }

  get #plans(): readonly NodePlan[] {
    return this.topology.nodes.filter(({ kind }) => kind === 'global');
  }

  spawn(name: string): void {
    const data = join(this.#folder, name);
    mkdirSync(data, { recursive: true });
    const main = join(import.meta.dirname, '../src/cli/main.ts');
    const args = ['node', '--topology', this.#file, '--name', name, '--data', data];
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...this.shims?.environmentOf(name) },
    });
    this.#running.set(name, child);
  }

  kill(name: string): void {
    this.#running.get(name)?.kill('SIGKILL');
    this.#running.delete(name);
  }

  /** Stops its execution, or lets it go on. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running.get(name)?.kill(signal);
  }

  /** Resolves when every node that runs says that it is ready. */
  async ready(): Promise<void> {
    const untilMs = Date.now() + READY_MS_MAX;
    while (Date.now() < untilMs) {
      const all = await Promise.all(this.#plans.map((plan) => this.#status(plan)));
      const ready = all.filter((status) => status?.ready === true).length;
      if (ready === this.#running.size) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the global nodes did not get ready');
  }

  async #status(plan: NodePlan): Promise<NodeStatus | undefined> {
    try {
      const signal = AbortSignal.timeout(1_000);
      const response = await fetch(`http://${plan.host}:${plan.httpPort}/v1/status`, { signal });
      return (await response.json()) as NodeStatus;
    } catch (cause) {
      if (cause instanceof Error) return undefined;
      throw cause;
    }
  }

  /** What each node that answers says of a group. */
  async group(name: string): Promise<(GroupStatus & { readonly node: string; readonly rss: number })[]> {
    const all = await Promise.all(this.#plans.map((plan) => this.#status(plan)));
    return all.flatMap((status) => {
      const group = status?.groups.find((each) => each.group === name);
      if (status === undefined || group === undefined) return [];
      return [{ ...group, node: status.name, rss: status.residentBytes }];
    });
  }

  /** Resolves with the leader's name when every node is ready and no copy trails. */
  async whole(name: string): Promise<string> {
    const untilMs = Date.now() + READY_MS_MAX;
    while (Date.now() < untilMs) {
      const all = await Promise.all(this.#plans.map((plan) => this.#status(plan)));
      const ready = all.every((status) => status?.ready === true);
      const groups = all.flatMap((status) => {
        const group = status?.groups.find((each) => each.group === name);
        return status === undefined || group === undefined ? [] : [{ ...group, node: status.name }];
      });
      const leaders = groups.filter(({ role }) => role === 'leader');
      const trailing = leaders[0]?.members.some(({ lag }) => lag > LAG_MAX);
      if (ready && leaders.length === 1 && trailing === false) return leaders[0]?.node ?? '';
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`group ${name} did not become whole`);
  }

  async leaderOf(name: string): Promise<string> {
    const leaders = (await this.group(name)).filter(({ role }) => role === 'leader');
    const newest = leaders.sort((a, b) => b.term - a.term)[0];
    if (newest === undefined) throw new Error(`group ${name} has no leader`);
    return newest.node;
  }

  /** What all nodes logged since a moment of the wall clock, oldest first. */
  logged(sinceMs: number): readonly LogLine[] {
    const files = this.#plans.map(({ name }) => readFileSync(join(this.#folder, name, 'log.jsonl'), 'utf8'));
    const lines = files.flatMap((text) => text.split('\n').filter((line) => line !== ''));
    return lines
      .map((line) => JSON.parse(line))
      .map(({ time, name, event, facts }) => ({ atMs: Date.parse(time), node: name, event, facts }))
      .filter(({ atMs }) => atMs >= sinceMs)
      .sort((a, b) => a.atMs - b.atMs);
  }

  async stop(): Promise<void> {
    const ends = [...this.#running.values()].map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      return ended;
    });
    await Promise.all(ends);
    await this.#peers.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
