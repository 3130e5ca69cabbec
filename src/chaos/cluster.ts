// A world of real processes that a drill can break: started in a folder, broken at will, healed, ended.
//
// `run.ts` owns one. It drives the host's own supervisor, network and eyes, so that what is broken is what
// operators run. `bluemarble status` and the commands that act on nodes and links work on it meanwhile; who
// is a member is the nemesis's business alone.
// Invariant: after `stop` no process of it is left.
import { type Child, type ChildListener, startChild } from '../adapters/node/children.ts';
import { takenPort } from '../adapters/node/free-ports.ts';
import { StartError } from '../adapters/node/start-error.ts';
import type { NodeId } from '../base/id.ts';
import { type Claim, claimWorld } from '../host/claim.ts';
import { Network } from '../host/network.ts';
import type { KeeperEvent } from '../host/node-keeper.ts';
import { type Answer, answerOperator } from '../host/operator.ts';
import { beginReplacement, type ChangeableWorld, InHand } from '../host/replacing.ts';
import type { RunDoors } from '../host/run.ts';
import { selectNodes } from '../host/selectors.ts';
import { Supervisor } from '../host/supervisor.ts';
import { nameOf, type WorldView } from '../host/view.ts';
import { wanDelays } from '../host/wan.ts';
import { pauseUntil } from '../host/waits.ts';
import { Watch } from '../host/watch.ts';
import type { WorldFile } from '../host/world-file.ts';
import {
  nodeCommand,
  openWorld,
  publishWorld,
  rememberProcesses,
  retiredFolder,
  setNodeAside,
  type World,
} from '../host/world-folder.ts';
import type { Operation } from '../services/calls/operation.ts';
import { seedTopology, type Topology } from '../services/topology/topology.ts';
import { apart, KernelNetwork } from './kernel-network.ts';
import type { DrilledGroup, DrilledRegion } from './schedule.ts';
import { buildShims, type Shims } from './shims.ts';

const PORT_LOWEST = 20_000;
const PORT_HIGHEST = 32_000;
const PORT_TRIES_MAX = 50;

export interface ClusterOptions {
  readonly folder: string;
  /** A studio's features beside the stock ones. */
  readonly file: WorldFile | undefined;
  /** Where the nodes write down what they apply; `undefined`: nowhere. */
  readonly tapFolder: string | undefined;
  /** Where the shims are built and armed; the caller removes it. */
  readonly shimsFolder: string;
  readonly basePort: number | undefined;
  readonly isWan: boolean;
  /** Links are broken by the kernel, not by the gates of the nodes. */
  readonly isKernel: boolean;
  readonly doors: Pick<RunDoors, 'clock' | 'entropy' | 'script'>;
  told(event: KeeperEvent): void;
  /** How a replacement goes on, in words. */
  happened(text: string): void;
}

export class Cluster {
  readonly shims: Shims;
  readonly network: Network;
  /** `undefined`: the gates of the nodes break links. */
  readonly kernel: KernelNetwork | undefined;
  readonly supervisor: Supervisor;
  readonly watch: Watch;
  readonly #options: ClusterOptions;
  /** Groups in which fewer vote than hold them, or did: a change that was asked for may still be to come. */
  readonly #narrowed = new Set<string>();
  readonly #inHand = new InHand();
  /** The names of nodes that were replaced, by the ids that are never used again. */
  readonly #retired = new Map<NodeId, string>();
  #world: World;
  #isEnding = false;
  #claim: Claim | undefined;

  /** Makes the folder and starts nothing. Throws `StartError` for one that can not be used. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const basePort = options.basePort ?? (await freeBasePort());
    const { folder, file, doors } = options;
    const world = openWorld({ folder, file, basePort, entropy: doors.entropy });
    const topology = options.isKernel ? apart(world.topology) : world.topology;
    return new Cluster({ ...world, topology }, options);
  }

  private constructor(world: World, options: ClusterOptions) {
    const { clock } = options.doors;
    const { topology } = world;
    const now = (): Topology => this.#world.topology;
    this.#world = world;
    this.#options = options;
    this.shims = buildShims(options.shimsFolder);
    this.kernel = options.isKernel ? new KernelNetwork(topology, options.shimsFolder) : undefined;
    if (options.isWan && this.kernel?.delayAbsent !== undefined) {
      throw new StartError(`--wan with --kernel can not hold packets back (${this.kernel.delayAbsent}).`);
    }
    this.network = new Network({
      get topology() {
        return now();
      },
      base: options.isWan ? wanDelays(topology) : [],
      tell: (node, faults) => {
        if (this.kernel === undefined) this.supervisor.keeper(node)?.tell(faults);
        else this.kernel.tell(node, faults);
      },
    });
    this.supervisor = new Supervisor({
      topology,
      clock,
      start: ({ name }, listener) => this.#startNode(name, listener),
      told: (event) => {
        if (event.kind === 'ready') this.#rememberProcesses();
        options.told(event);
      },
    });
    this.watch = new Watch({
      get topology() {
        return now();
      },
      clock,
      facts: () => this.supervisor.facts,
      linkFaults: () => this.network.faults,
      inHand: () => this.#inHand.work,
      crowd: () => undefined,
    });
  }

  /** As it is now: a replaced node has another id. */
  get world(): World {
    return this.#world;
  }

  /** Of a node, also of one that was replaced: its successor bears the same. */
  nameOf(node: NodeId): string {
    return this.#retired.get(node) ?? nameOf(this.world.topology, node);
  }

  /** The data of nodes that were replaced: nobody in the world comes back to it. */
  get goneFolders(): readonly string[] {
    return [...this.#retired].map(([id, name]) => retiredFolder(this.#world, { id, name }));
  }

  /** The nodes that hold groups. */
  get globals(): readonly string[] {
    return this.world.topology.nodes.filter(({ kind }) => kind === 'global').map(({ name }) => name);
  }

  /** The nodes that players connect to, which hold the copies of regions. */
  get gateways(): readonly string[] {
    return this.world.topology.nodes.filter(({ kind }) => kind === 'region').map(({ name }) => name);
  }

  get groups(): readonly DrilledGroup[] {
    const { topology } = this.world;
    return topology.groups.map(({ name, members }) => ({
      name,
      members: members.map((id) => nameOf(topology, id)),
    }));
  }

  get regions(): readonly DrilledRegion[] {
    const { topology } = this.world;
    return topology.regions.map(({ name, copies }) => ({
      name,
      copies: copies.map((id) => nameOf(topology, id)),
    }));
  }

  /** Starts every node; resolves when all are ready, rejects with `StartError` when one can not be. */
  async start(): Promise<void> {
    const { clock } = this.#options.doors;
    this.#claim = await claimWorld(this.world, clock, (question) => this.#answer(question));
    const starting = this.supervisor.start();
    this.#rememberProcesses();
    await starting;
  }

  /** The world as it is now. */
  async look(recount: boolean = false): Promise<WorldView> {
    await this.watch.look(recount);
    return this.watch.view;
  }

  /** The nodes that selectors mean at this moment; none when nobody is meant. */
  async select(selectors: readonly string[]): Promise<readonly string[]> {
    const selection = selectNodes(await this.look(), selectors);
    return selection.kind === 'nodes' ? selection.names : [];
  }

  /**
   * Tells whoever must know, by the latest look, that these nodes shall vote in the group, lead it, or be
   * primary of the region; false when nobody can be told, or when it leads already.
   */
  change(operation: Operation['kind'], of: string, nodes: readonly string[]): boolean {
    const { groups, regions, nodes: all } = this.watch.view;
    const witness = all.find(({ kind, condition }) => kind === 'global' && condition === 'up')?.name;
    const leader = groups.find(({ group }) => group === of)?.leader;
    const primary = regions.find(({ region }) => region === of)?.primary;
    const isSo = operation !== 'reconfigure' && nodes.some((node) => node === leader || node === primary);
    const told = this.supervisor.keeper((operation === 'promote' ? witness : leader) ?? '');
    if (told === undefined || isSo) return false;
    if (operation === 'reconfigure') this.#narrowed.add(of);
    const ids = this.world.topology.nodes.filter(({ name }) => nodes.includes(name)).map(({ id }) => id);
    const message: Operation = { kind: operation, group: of, nodes: ids };
    told.tell(message);
    return true;
  }

  /**
   * Kills a node and begins to replace it for good, as an operator does it; a sentence when something is in
   * the way. Then it stays down.
   */
  async beginReplacement(name: string): Promise<string | undefined> {
    await this.supervisor.keeper(name)?.kill();
    return beginReplacement(this.#changeable(), name);
  }

  /** Resolves when no node is being replaced any more. */
  async endReplacement(): Promise<void> {
    const { clock } = this.#options.doors;
    await pauseUntil(clock, Infinity, () => this.#inHand.work === undefined);
  }

  /** Everybody who holds a group votes in it again, once its leader can be told. */
  letAllVote(): void {
    for (const { name, members } of this.world.topology.groups) {
      if (!this.#narrowed.has(name)) continue;
      const present = this.watch.membersOf(name) ?? [];
      if (members.every((node) => present.includes(node))) continue;
      this.change('reconfigure', name, members.map((id) => nameOf(this.world.topology, id)));
    }
  }

  /**
   * Undoes whatever was done: everybody votes, links healed, disks and clocks right, every node running or on
   * its way.
   */
  heal(): void {
    this.letAllVote();
    this.network.heal();
    for (const { name } of this.world.topology.nodes) {
      this.shims.setDisk(name, '');
      this.shims.setClock(name, 0);
    }
    for (const { name, condition } of this.supervisor.facts) {
      const keeper = this.supervisor.keeper(name);
      keeper?.resume();
      if (condition === 'down') keeper?.start();
    }
  }

  /** Ends everything and lets the folder go. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.supervisor.stop();
    await this.#claim?.release();
    this.kernel?.end();
  }

  /** Ends everything at once. */
  abort(): void {
    this.#isEnding = true;
    this.supervisor.abort();
  }

  #answer(question: unknown): Promise<Answer> {
    const keeper = (name: string): ReturnType<Supervisor['keeper']> => this.supervisor.keeper(name);
    const { clock } = this.#options.doors;
    return answerOperator({ clock, view: () => this.look(), keeper, network: this.network }, question);
  }

  #changeable(): ChangeableWorld {
    return {
      clock: this.#options.doors.clock,
      topology: () => this.#world.topology,
      view: () => this.look(),
      membersOf: (group) => this.watch.membersOf(group),
      keeper: (name) => this.supervisor.keeper(name),
      adopt: (topology, retired) => {
        setNodeAside(this.#world, retired);
        this.#retired.set(retired.id, retired.name);
        this.#world = { ...this.#world, topology };
        publishWorld(this.#world);
      },
      event: (text) => this.#options.happened(text),
      inHand: this.#inHand,
      isEnding: () => this.#isEnding,
    };
  }

  #startNode(name: string, listener: ChildListener): Child {
    const { doors, tapFolder } = this.#options;
    const tap = tapFolder === undefined ? [] : ['--tap', tapFolder];
    const child = startChild(
      {
        script: doors.script,
        args: [...nodeCommand(this.world, name), ...tap],
        stderrFile: `${this.world.folder}/${name}.stderr`,
        environment: this.shims.environmentOf(name),
      },
      listener,
    );
    const faults = this.network.toldAtStart(name);
    if (faults === undefined) return child;
    if (this.kernel === undefined) child.tell(faults);
    else this.kernel.tell(name, faults);
    return child;
  }

  #rememberProcesses(): void {
    rememberProcesses(this.world, this.supervisor.facts.flatMap(({ pid }) => pid ?? []));
  }
}

/** A stretch of ports that nobody uses, below those that systems hand out by themselves. */
async function freeBasePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES_MAX; tries++) {
    const basePort = PORT_LOWEST + 100 * Math.floor((Math.random() * (PORT_HIGHEST - PORT_LOWEST)) / 100);
    const { nodes } = seedTopology({ world: 'free', basePort });
    const ports = nodes.flatMap(({ httpPort, peerPort }) => [httpPort, peerPort]);
    if ((await takenPort('127.0.0.1', ports)) === undefined) return basePort;
  }
  throw new StartError('No hundred free ports were found: name the first of some with --port.');
}
