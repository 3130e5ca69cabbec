// Carries out a plan's faults on a cluster, and undoes all of them when they are to end.
//
// `run.ts` owns one. A fault begins at its time and ends by itself; `heal` ends whatever still lasts and
// starts every node that is down.
import { nodeId } from '../../base/id.ts';
import { Random } from '../../base/random.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Sides, type Way, waysOf } from './cuts.ts';
import { disturbDrive, type DriveFault } from './drive-faults.ts';
import type { Drive } from '../machine/drive.ts';
import { loseCopy, spareDrive } from './lost-copies.ts';
import type { Operator } from './operator.ts';
import { endInOrder } from './ordered-ends.ts';
import { type CutShape, describeFault, type Fault, type Plan, type Target } from '../plan/plan.ts';

/** A cut connection breaks within so long, where it breaks. */
const BREAKS_MS_MAX = 2_000;
const HUNT_BREAKS_MS_MAX = 60;
/** Jitter of links and time of syncs where nothing is wrong. */
const CALM_US_MAX = 2_000;

export class Nemesis {
  readonly #cluster: Cluster;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #operator: Operator;
  /** What ends the faults that last, by fault. */
  readonly #lasting = new Map<object, () => void>();

  constructor(cluster: Cluster, plan: Plan, operator: Operator) {
    this.#operator = operator;
    this.#cluster = cluster;
    this.#plan = plan;
    this.#random = new Random(`nemesis ${plan.seed}`);
  }

  schedule(): void {
    const { queue, note } = this.#cluster.world;
    for (const fault of this.#plan.faults) {
      queue.at(fault.atMs * 1_000, () => {
        note?.(0, describeFault(fault));
        const undo = this.#begin(fault);
        if (undo !== undefined) this.#last(fault, undo, fault.forMs * 1_000);
      });
    }
  }

  heal(): void {
    // What ends may itself begin something that is to end later.
    while (this.#lasting.size > 0) {
      const undos = [...this.#lasting.values()];
      this.#lasting.clear();
      for (const undo of undos) undo();
    }
    this.#cluster.world.network.calm(CALM_US_MAX);
    const nodes = [...this.#cluster.globals.keys(), ...this.#cluster.regions.keys()];
    for (const drive of nodes.flatMap((node) => this.#cluster.drivesOf(node))) {
      drive.syncUsMax = Math.min(drive.syncUsMax, CALM_US_MAX);
    }
    for (const node of nodes) this.#cluster.start(node);
  }

  get #sides(): Sides {
    const { globals, regions } = this.#cluster;
    return { globals: [...globals.keys()], gateways: [...regions.keys()] };
  }

  /** Cuts the ways of a shape; returns what ends it. */
  cut(node: number, shape: CutShape, breaksAfterMsMax: number = Infinity): () => void {
    return this.block(waysOf(node, shape, this.#sides), breaksAfterMsMax);
  }

  block(ways: readonly Way[], breaksAfterMsMax: number = Infinity): () => void {
    const { network } = this.#cluster.world;
    for (const [from, to] of ways) {
      const breaksAfterUs = this.#random.integer(0, Math.min(breaksAfterMsMax, 10_000)) * 1_000;
      const breaks = Number.isFinite(breaksAfterMsMax);
      network.block(nodeId(from), nodeId(to), breaks ? breaksAfterUs : Infinity);
    }
    return () => {
      for (const [from, to] of ways) network.unblock(nodeId(from), nodeId(to));
    };
  }

  /** What goes over the ways of a shape comes so much later; returns what ends it. */
  slow(node: number, shape: CutShape, extraMs: number): () => void {
    const { network } = this.#cluster.world;
    const ways = waysOf(node, shape, this.#sides);
    for (const [from, to] of ways) network.slow(nodeId(from), nodeId(to), extraMs * 1_000);
    return () => {
      for (const [from, to] of ways) network.slow(nodeId(from), nodeId(to), -extraMs * 1_000);
    };
  }

  /** Of what can not be undone before its time: it ends with all other faults at the latest. */
  #lastsUs({ atMs, forMs }: Fault): number {
    return Math.min(forMs, Math.max(0, this.#plan.chaosMs - atMs)) * 1_000;
  }

  #last(key: object, undo: () => void, forUs: number): void {
    this.#lasting.set(key, undo);
    this.#cluster.world.queue.after(forUs, () => {
      if (this.#lasting.delete(key)) undo();
    });
  }

  /** Returns what ends it, if it lasts. */
  #begin(fault: Fault): (() => void) | undefined {
    const cluster = this.#cluster;
    switch (fault.kind) {
      case 'kill':
        return this.#kill(this.#choose(fault.target), fault.power, fault.calls);
      case 'kill-all': {
        const restarts = [...cluster.globals.keys()].map((node) => this.#kill(node, fault.power, 0));
        return () => restarts.forEach((restart) => restart());
      }
      case 'kill-majority': {
        const nodes = this.#majorityOf(fault.group);
        const restarts = nodes.map((node) => this.#kill(node, fault.power, 0));
        return () => restarts.forEach((restart) => restart());
      }
      case 'hunt':
        return this.#hunt(fault);
      case 'usurp':
        return this.#usurp(fault.group, fault.power);
      case 'reconfigure':
        return this.#reconfigure(fault.group, fault.voters);
      case 'transfer':
        this.#operator.transfer(fault.group, cluster.today(fault.to));
        return undefined;
      case 'replace':
        this.#operator.replace(cluster.today(fault.node));
        return undefined;
      case 'kill-gateway':
        return this.#kill(fault.node, false, 0);
      case 'crash-loop':
        return this.#crashLoop(this.#choose(fault.target), fault.everyMs);
      case 'leave':
        return endInOrder(cluster, this.#choose(fault.target));
      case 'stall':
        cluster.life(this.#choose(fault.target))?.standStill(this.#lastsUs(fault));
        return undefined;
      case 'cut':
        return this.#flapping(fault);
      case 'slow-links':
        return this.slow(this.#choose(fault.target), 'isolated', fault.extraMs);
      case 'wipe-copy':
        return loseCopy(this.#cluster, fault.region, fault.node);
      case 'rot-copy':
        return this.#rotCopy(fault);
      case 'move':
        this.#operator.move(fault.region, fault.to);
        return undefined;
      case 'clock':
        cluster.machine(this.#choose(fault.target)).jumpWall(fault.jumpMs);
        cluster.machine(this.#choose(fault.target)).drift(fault.driftPpm);
        return undefined;
      default:
        return this.#beginOnDisk(fault);
    }
  }

  #beginOnDisk(fault: DriveFault | Extract<Fault, { kind: 'rot' }>): () => void {
    const node = 'node' in fault ? this.#cluster.today(fault.node) : this.#choose(fault.target);
    // The drives of one machine stand or fall together.
    const drives = this.#cluster.drivesOf(node);
    if (fault.kind === 'rot') {
      const restarts = drives.map((drive) => this.#rot(node, drive, fault.file));
      return () => restarts.forEach((restart) => restart());
    }
    const untilUs = this.#cluster.world.queue.nowUs + this.#lastsUs(fault);
    const undos = drives.map((drive) => disturbDrive(fault, drive, untilUs));
    return () => undos.forEach((undo) => undo());
  }

  #kill(node: number, power: boolean, calls: number): () => void {
    this.#cluster.kill(node, power, calls);
    return () => {
      this.#cluster.life(node)?.spare();
      this.#cluster.start(node);
    };
  }

  #crashLoop(node: number, everyMs: number): () => void {
    const { queue } = this.#cluster.world;
    let isOver = false;
    const round = (): void => {
      if (isOver) return;
      this.#cluster.kill(node, this.#random.chance(1, 2), 0);
      queue.after(10_000, () => this.#cluster.start(node));
      queue.after(10_000 + everyMs * 1_000, round);
    };
    round();
    return () => {
      isOver = true;
      this.#cluster.start(node);
    };
  }

  #hunt({ group, everyMs, by, breaks }: Extract<Fault, { kind: 'hunt' }>): () => void {
    const { queue } = this.#cluster.world;
    const breaksMs = breaks ? HUNT_BREAKS_MS_MAX : Infinity;
    let isOver = false;
    let release = (): void => {};
    const round = (): void => {
      release();
      release = () => {};
      if (isOver) return;
      const leader = this.#cluster.leaderOf(group);
      if (leader !== undefined) {
        this.#operator.strainLease(leader);
        release = by === 'power' ? this.#kill(leader, true, 0) : this.cut(leader, by, breaksMs);
      }
      queue.after(everyMs * 1_000, round);
    };
    round();
    return () => {
      isOver = true;
      release();
      release = () => {};
    };
  }

  /** Back at the worst moment: a member that knows the least may then want to lead. */
  #usurp(group: number, power: boolean): () => void {
    const members = this.#membersOf(group).filter((node) => node !== this.#cluster.leaderOf(group));
    const heal = this.cut(this.#random.pick(members) ?? 1, 'isolated');
    return () => {
      heal();
      const leader = this.#cluster.leaderOf(group);
      if (leader === undefined) return;
      const restart = this.#kill(leader, power, this.#random.integer(0, 3));
      this.#last({}, restart, this.#random.integer(300_000, 1_500_000));
    };
  }

  /** So many nodes as are there today, by chance: mostly some that vote already are among them. */
  #reconfigure(group: number, count: number): () => void {
    const line = this.#cluster.world.topology.nodes.filter(({ kind }) => kind === 'global');
    const voters = Array.from({ length: Math.min(count, line.length) }, () => {
      const [drawn] = line.splice(this.#random.integer(0, line.length - 1), 1);
      return drawn?.id ?? nodeId(1);
    });
    return this.#operator.insist(group, voters);
  }

  /** Whoever votes there today. */
  #membersOf(group: number): readonly number[] {
    const { incoming, outgoing } = this.#cluster.votersOf(group);
    return [...new Set([...incoming, ...outgoing])];
  }

  /** With its leader or without. */
  #majorityOf(group: number): readonly number[] {
    const members = this.#membersOf(group);
    const count = Math.floor(members.length / 2) + 1;
    const leader = this.#cluster.leaderOf(group);
    // Mostly it is spared: it then stays with what it has proposed.
    const isSpared = this.#random.chance(2, 3);
    const start = isSpared ? members.indexOf(leader ?? 0) + 1 : this.#random.integer(0, 4);
    return members.map((_, i) => members[(start + i) % members.length] ?? 1).slice(0, count);
  }

  #flapping({ target, shape, breaks, flapMs }: Extract<Fault, { kind: 'cut' }>): () => void {
    const node = this.#choose(target);
    let heal: (() => void) | undefined = this.cut(node, shape, breaks ? BREAKS_MS_MAX : Infinity);
    let isOver = false;
    const flap = (): void => {
      if (isOver) return;
      if (heal === undefined) heal = this.cut(node, shape, breaks ? BREAKS_MS_MAX : Infinity);
      else {
        heal();
        heal = undefined;
      }
      this.#cluster.world.queue.after(flapMs * 1_000, flap);
    };
    if (flapMs > 0) this.#cluster.world.queue.after(flapMs * 1_000, flap);
    return () => {
      isOver = true;
      heal?.();
    };
  }

  /** A disk that rots while its machine is off. */
  #rot(node: number, drive: Drive, file: 'journal' | 'checkpoint'): () => void {
    this.#cluster.kill(node, true);
    drive.rot(file);
    return () => this.#cluster.start(node);
  }

  #rotCopy({ region, node, file }: Extract<Fault, { kind: 'rot-copy' }>): (() => void) | undefined {
    const drive = spareDrive(this.#cluster, region, node);
    return drive && this.#rot(node, drive, file);
  }

  #choose(target: Target): number {
    if ('node' in target) return this.#cluster.today(target.node);
    const { globals, regions } = this.#cluster;
    if ('leaderOf' in target) {
      return this.#cluster.leaderOf(target.leaderOf) ?? this.#random.pick([...globals.keys()]) ?? 1;
    }
    return this.#cluster.primaryOf(target.primaryOf) ?? this.#random.pick([...regions.keys()]) ?? 1;
  }
}
