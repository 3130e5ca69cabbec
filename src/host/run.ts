// One run of a world: its nodes, its crowd, the eyes on both, and the report.
//
// `up.ts` makes it once the folder is claimed. The end comes by the clock, by a signal or by the crowd's
// own end, and takes the same way: the crowd settles and counts, the replicas are compared, then region
// nodes end, then global ones.
// Invariant: whatever happens in between, every child has ended when `toItsEnd` does.
import { type Child, type ChildListener, startChild } from '../adapters/node/children.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import type { CrowdResult } from '../crowd/messages.ts';
import type { Clock, Entropy } from '../runtime/ports.ts';
import type { Topology } from '../services/topology/topology.ts';
import { CrowdProcess } from './crowd-process.ts';
import { formatDuration } from './duration.ts';
import { Network } from './network.ts';
import type { KeeperEvent } from './node-keeper.ts';
import { type Answer, answerOperator } from './operator.ts';
import { type Findings, type Report, reportOf } from './report.ts';
import { type ChangeableWorld, finishReplacements, InHand } from './replacing.ts';
import { Show } from './show.ts';
import { Stops } from './stops.ts';
import { Supervisor } from './supervisor.ts';
import type { WorldView } from './view.ts';
import { wanDelays } from './wan.ts';
import { pauseUntil, type Wait, waitFor } from './waits.ts';
import { Watch } from './watch.ts';
import {
  nodeCommand,
  publishWorld,
  rememberProcesses,
  setNodeAside,
  type World,
} from './world-folder.ts';

const LOOK_EVERY_MS = 1_000;
/** Followers learn of the last commit with the next heartbeat. */
const LEVEL_MS_MAX = 5_000;

const EXIT_OK = 0;
const EXIT_BROKEN = 1;
/** As a shell reports a process that Ctrl-C ended. */
const EXIT_AT_ONCE = 130;

export interface RunOptions {
  /** Test players; 0 for none. */
  readonly players: number;
  readonly seed: number;
  /** From ready on; `undefined`: until told to stop. */
  readonly forMs: number | undefined;
  readonly isJson: boolean;
  /** Links as slow as between the regions of the planet. */
  readonly isWan: boolean;
}

export interface RunDoors {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** The CLI's own script: every child is one of its commands. */
  readonly script: string;
}

export class Run {
  #world: World;
  readonly #options: RunOptions;
  readonly #doors: RunDoors;
  readonly #show: Show;
  readonly #stops: Stops;
  readonly #supervisor: Supervisor;
  readonly #network: Network;
  readonly #startedAtMs: number;
  #watch: Watch | undefined;
  #crowd: CrowdProcess | undefined;
  readonly #inHand: InHand = new InHand();
  #isEnding = false;

  constructor(world: World, options: RunOptions, doors: RunDoors) {
    this.#world = world;
    this.#options = options;
    this.#doors = doors;
    this.#show = new Show(doors.terminal, options);
    this.#stops = new Stops(doors.terminal, doors.clock);
    this.#startedAtMs = doors.clock.monotonicMs();
    const now = (): Topology => this.#world.topology;
    this.#network = new Network({
      get topology() {
        return now();
      },
      base: options.isWan ? wanDelays(world.topology) : [],
      tell: (node, faults) => this.#supervisor.keeper(node)?.tell(faults),
    });
    this.#supervisor = new Supervisor({
      topology: world.topology,
      clock: doors.clock,
      start: ({ name }, listener) => this.#startNode(name, listener),
      told: (event) => this.#told(event),
    });
  }

  /** Starts, runs and ends everything; the exit code. Throws `StartError` when a node can not start. */
  async toItsEnd(): Promise<number> {
    this.#stops.onSecond(() => this.#abort());
    try {
      const report = await this.#live();
      if (this.#stops.isAtOnce) return EXIT_AT_ONCE;
      if (report === undefined) return EXIT_OK;
      this.#show.report(report);
      return report.ok ? EXIT_OK : EXIT_BROKEN;
    } finally {
      this.#show.leaveScreen();
      this.#crowd?.abort();
      await this.#supervisor.stop();
      this.#stops.release();
    }
  }

  /** Answers an operator at the control socket. */
  async answer(question: unknown): Promise<Answer> {
    const watch = this.#watch;
    if (watch === undefined) {
      return { kind: 'refused', sentence: 'The world is still starting: ask again in a second.' };
    }
    return answerOperator(
      {
        clock: this.#doors.clock,
        view: () => this.#look(watch),
        keeper: (name) => this.#supervisor.keeper(name),
        network: this.#network,
        changeable: this.#changeable(watch),
      },
      question,
    );
  }

  #changeable(watch: Watch): ChangeableWorld {
    return {
      clock: this.#doors.clock,
      topology: () => this.#world.topology,
      view: () => this.#look(watch),
      membersOf: (group) => watch.membersOf(group),
      keeper: (name) => this.#supervisor.keeper(name),
      adopt: (topology, retired) => {
        setNodeAside(this.#world, retired);
        this.#world = { ...this.#world, topology };
        publishWorld(this.#world);
      },
      event: (text) => this.#show.event(text),
      inHand: this.#inHand,
      isEnding: () => this.#isEnding,
    };
  }

  /** From the first process to the last; no report when it was stopped before it was ready. */
  async #live(): Promise<Report | undefined> {
    const { clock } = this.#doors;
    const { topology, folder } = this.#world;
    this.#show.progress(`starting ${topology.world}: ${topology.nodes.length} nodes in ${folder}`);
    const starting = this.#supervisor.start();
    this.#rememberProcesses();
    await Promise.race([starting, this.#stops.first]);
    if (this.#stops.isStopping) return undefined;
    const readyAtMs = clock.monotonicMs();
    const startMs = readyAtMs - this.#startedAtMs;
    this.#show.progress(`ready in ${formatDuration(startMs)}; ${this.#addresses()}`);
    if (this.#options.forMs === undefined) this.#show.event('Ctrl-C ends the world in order');
    const watch = this.#openEyes();
    const crowd = this.#letCrowdIn();
    const looks = this.#lookEverySecond(watch);
    void finishReplacements(this.#changeable(watch));
    const end = waitFor(clock, this.#options.forMs);
    const crowdEnd = crowd === undefined ? [] : [crowd.ended];
    await Promise.race([end.over, this.#stops.first, ...crowdEnd]);
    end.cut();
    this.#isEnding = true;
    const result = await this.#endCrowd(crowd);
    await looks.stop();
    await pauseUntil(clock, LEVEL_MS_MAX, () => this.#areReplicasLevel(watch));
    const report = this.#report(watch, { startMs, readyAtMs, crowd: result });
    this.#show.leaveScreen();
    this.#show.progress('stopping all nodes');
    await this.#supervisor.stop();
    return report;
  }

  #openEyes(): Watch {
    const now = (): Topology => this.#world.topology;
    const watch = new Watch({
      get topology() {
        return now();
      },
      clock: this.#doors.clock,
      facts: () => this.#supervisor.facts,
      linkFaults: () => this.#network.faults,
      inHand: () => this.#inHand.work,
      crowd: () => this.#crowd?.stats,
    });
    this.#watch = watch;
    return watch;
  }

  #letCrowdIn(): CrowdProcess | undefined {
    const { players, seed } = this.#options;
    if (players === 0) return undefined;
    const { folder } = this.#world;
    const words = ['--data', folder, '--players', String(players), '--seed', String(seed)];
    this.#crowd = new CrowdProcess(this.#doors.clock, (listener) =>
      this.#startChild('players', ['players', ...words], listener),
    );
    this.#rememberProcesses();
    this.#show.event(`${players} test players are coming`);
    return this.#crowd;
  }

  async #endCrowd(crowd: CrowdProcess | undefined): Promise<CrowdResult | undefined> {
    if (crowd === undefined) return undefined;
    this.#show.progress('the test players settle and count');
    const result = await crowd.finish();
    if (result !== undefined) return result;
    const { code, signal, tail } = await crowd.ended;
    this.#show.progress(`the test players ended by ${signal ?? `exit code ${code}`}: ${tail}`);
    return undefined;
  }

  async #look(watch: Watch, recount: boolean = false): Promise<WorldView> {
    for (const event of await watch.look(recount)) this.#show.event(event);
    return watch.view;
  }

  #lookEverySecond(watch: Watch): { stop(): Promise<void> } {
    let isOver = false;
    let wait: Wait | undefined;
    const loop = async (): Promise<void> => {
      while (!isOver) {
        this.#show.view(await this.#look(watch));
        wait = waitFor(this.#doors.clock, LOOK_EVERY_MS);
        await wait.over;
      }
    };
    const running = loop();
    return {
      stop: () => {
        isOver = true;
        wait?.cut();
        return running;
      },
    };
  }

  async #areReplicasLevel(watch: Watch): Promise<boolean> {
    if (this.#stops.isAtOnce) return true;
    await this.#look(watch, true);
    return watch.standings().every(({ isEqual, trailing }) => isEqual && trailing === 0);
  }

  #report(
    watch: Watch,
    found: Pick<Findings, 'startMs' | 'crowd'> & { readonly readyAtMs: number },
  ): Report {
    const { readyAtMs, ...rest } = found;
    return reportOf({
      ...rest,
      world: this.#world.topology.world,
      durationMs: this.#doors.clock.monotonicMs() - readyAtMs,
      players: this.#options.players,
      leaderChanges: watch.leaderChanges,
      promotions: watch.promotions,
      lostEntries: watch.lostEntries,
      nodes: this.#supervisor.facts,
      replicas: watch.standings(),
      holdings: watch.holdings,
    });
  }

  #told({ node, kind, words }: KeeperEvent): void {
    if (kind === 'ready') {
      this.#rememberProcesses();
      if (this.#watch === undefined) {
        const { facts } = this.#supervisor;
        const up = facts.filter(({ condition }) => condition === 'up').length;
        this.#show.progress(`${up} of ${facts.length} nodes ready (${node})`);
        return;
      }
    }
    this.#show.event(`${node} is ${kind}${words === '' ? '' : ` (${words})`}`);
  }

  #addresses(): string {
    const { topology } = this.#world;
    const region = topology.nodes.find(({ kind }) => kind === 'region');
    const [status] = topology.nodes;
    return (
      `players connect to ws://${region?.host}:${region?.httpPort}/v1/ws, ` +
      `operators read http://${status?.host}:${status?.httpPort}/v1/status`
    );
  }

  #startNode(name: string, listener: ChildListener): Child {
    const child = this.#startChild(name, nodeCommand(this.#world, name), listener);
    const faults = this.#network.toldAtStart(name);
    if (faults !== undefined) child.tell(faults);
    return child;
  }

  #startChild(name: string, args: readonly string[], listener: ChildListener): Child {
    const stderrFile = `${this.#world.folder}/${name}.stderr`;
    return startChild({ script: this.#doors.script, args, stderrFile }, listener);
  }

  /** So that the next start can see to them, should this process be killed. */
  #rememberProcesses(): void {
    const pids = this.#supervisor.facts.flatMap(({ pid }) => pid ?? []);
    rememberProcesses(this.#world, this.#crowd === undefined ? pids : [...pids, this.#crowd.pid]);
  }

  #abort(): void {
    this.#crowd?.abort();
    this.#supervisor.abort();
  }
}
