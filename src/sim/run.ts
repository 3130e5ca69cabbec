// One simulated run: a seed goes in, a verdict comes out.
//
// `cli/sim.ts` and the tests call it. First faults come for a while, then all of them end and the world
// must be whole again; then it must stay calm, bear one node that was away, and replace a leader that
// hears nobody. Safety is looked at after every step, liveness at the end of each part.
import { crc32c } from '../base/crc32c.ts';
import { Random } from '../base/random.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { Audit } from '../wire/calls.ts';
import { checkBooks } from './checks/audit.ts';
import { Cluster } from './cluster/cluster.ts';
import { comeBack } from './drills/comeback-drill.ts';
import { Course } from './drills/course.ts';
import { crossTheEdge } from './drills/crossing-drill.ts';
import { deposePrimary } from './drills/depose-drill.ts';
import { deafenLeader, exchange, goHome, keepCalm, rejoin, transfer } from './drills/drills.ts';
import { Invariants } from './checks/invariants.ts';
import { bearTheEdge } from './drills/edge-drill.ts';
import { forgetCopy } from './drills/lost-copy-drill.ts';
import { Nemesis } from './nemesis/nemesis.ts';
import { Operator } from './nemesis/operator.ts';
import { areOutboxesEmpty, compareChat, orderChat } from './drills/region-events.ts';
import { areWorkshopsAnswered, countRareItems } from './drills/rare-items.ts';
import { RegionInvariants } from './checks/region-invariants.ts';
import { RegionTruth } from './checks/region-truth.ts';
import { rotMemory } from './drills/rot-drill.ts';
import type { Plan } from './plan/plan.ts';
import { EventQueue } from './machine/queue.ts';
import { SpaceInvariants } from './checks/space-invariants.ts';
import { Truth } from './checks/truth.ts';
import { type Invariant, isLiveness, Verdicts } from './checks/violation.ts';
import { Walkers } from './drills/walkers.ts';
import { Workload } from './play/workload.ts';
import { heldEverywhere, type WorldUnderTest } from './play/worlds.ts';

/** A healed world serves again within so many of the longest election timeouts. */
const ELECTION_MS = 300;
/** A group that spans oceans is so many times more patient (`protocols/raft/pace.ts`). */
const WIDE_PATIENCE = 4;
const SERVE_ELECTIONS_MAX = 27;
/**
 * A region whose primary is gone, and whose copies were doubted, waits until they have beaten without a gap
 * for five seconds; then it is fenced, and perhaps a copy is brought level.
 */
const REGIONS_SERVE_MS_MAX = 14_000;
const CHANGE_ELECTIONS_MAX = 27;
const CONVERGE_ELECTIONS_MAX = 27;

export interface Verdict {
  readonly result: 'ok' | 'safety' | 'liveness';
  readonly invariant: Invariant | undefined;
  readonly what: string;
  readonly steps: number;
  readonly virtualMs: number;
  /** Equal for equal seeds, on every machine. */
  readonly digest: string;
  readonly decided: number;
  /** Of those, what features decided themselves, and not the log before them, by feature. */
  readonly decidedOf: Readonly<Record<string, number>>;
  readonly unavailable: number;
  readonly uncertain: number;
}

/** Told of everything worth a mark in a timeline; lane 0 is the whole world. */
export type Note = (atMs: number, lane: number, what: string) => void;

export function runPlan(plan: Plan, world: WorldUnderTest, note?: Note): Verdict {
  return new Run(plan, world, note).verdict();
}

function asPlanned(topology: Topology, { isMobile, homeCalmMs, readsAnywhere }: Plan): Topology {
  const held = isMobile ? heldEverywhere(topology) : topology;
  const reads = readsAnywhere ? 'any' : 'leader';
  const groups = held.groups.map((group) => ({ ...group, reads }) as const);
  return { ...held, groups, ...(homeCalmMs === undefined ? {} : { homeAfterMs: homeCalmMs }) };
}

class Run {
  readonly #plan: Plan;
  readonly #queue = new EventQueue();
  readonly #verdicts = new Verdicts();
  readonly #invariants: Invariants;
  readonly #regionInvariants: RegionInvariants;
  readonly #cluster: Cluster;
  readonly #operator: Operator;
  readonly #nemesis: Nemesis;
  readonly #workload: Workload;
  readonly #walkers: Walkers;
  readonly #truth: Truth;
  readonly #regionTruth: RegionTruth;
  readonly #course: Course;
  readonly #note: Note | undefined;
  #books: Audit | undefined;

  constructor(plan: Plan, world: WorldUnderTest, note: Note | undefined) {
    this.#plan = plan;
    this.#note = note;
    const verdicts = this.#verdicts;
    const queue = this.#queue;
    const { features } = world;
    const topology = asPlanned(world.topology, plan);
    this.#invariants = new Invariants(topology, verdicts, (group, index, machine) => {
      const home = topology.groups.find(({ number }) => number === group);
      if (home?.features.includes('holdings') !== true) return;
      this.#books = checkBooks(machine, index, verdicts);
    });
    this.#regionInvariants = new RegionInvariants(topology, verdicts);
    const marks =
      note && ((lane: number, what: string): void => note(queue.nowUs / 1_000, lane, what));
    this.#cluster = new Cluster({
      plan,
      topology,
      features,
      queue,
      verdicts,
      invariants: this.#invariants,
      regionInvariants: this.#regionInvariants,
      spaceInvariants: new SpaceInvariants(topology, queue, verdicts),
      note: marks,
    });
    this.#invariants.note = marks;
    this.#regionInvariants.note = marks;
    this.#operator = new Operator(this.#cluster);
    this.#nemesis = new Nemesis(this.#cluster, plan, this.#operator);
    this.#truth = new Truth(this.#invariants.histories, verdicts);
    const { histories } = this.#regionInvariants;
    this.#regionTruth = new RegionTruth(histories, verdicts);
    const truths = { truth: this.#truth, regionTruth: this.#regionTruth };
    this.#workload = new Workload(this.#cluster, world, { plan, ...truths });
    this.#walkers = new Walkers(this.#cluster, plan);
    this.#course = new Course({
      queue,
      verdicts,
      cluster: this.#cluster,
      operator: this.#operator,
      workload: this.#workload,
      invariants: this.#invariants,
      regionInvariants: this.#regionInvariants,
      electionMs: ELECTION_MS * (plan.network.isWide ? WIDE_PATIENCE : 1),
      mark: (what) => this.#mark(what),
    });
  }

  verdict(): Verdict {
    const course = this.#course;
    const { deafLeaderOf, ...drill } = this.#plan.drill;
    this.#cluster.startAll();
    this.#nemesis.schedule();
    this.#queue.at(300_000, () => this.#workload.begin());
    this.#walkers.begin();
    course.for(this.#plan.chaosMs);
    this.#recover();
    if (this.#plan.homeCalmMs !== undefined) goHome(course, this.#plan.homeCalmMs);
    keepCalm(course);
    rejoin(course, this.#nemesis, this.#plan.drill);
    this.#walkers.unwatch();
    if (drill.transfer !== undefined) transfer(course, drill.transfer);
    if (drill.exchange !== undefined) {
      exchange(course, drill.exchange, new Random(`drills ${this.#plan.seed}`));
    }
    if (drill.edge !== undefined) {
      const random = new Random(`edge ${this.#plan.seed}`);
      bearTheEdge(course, this.#nemesis, { drill: drill.edge, random });
    }
    if (deafLeaderOf !== undefined) deafenLeader(course, this.#nemesis, deafLeaderOf);
    if (drill.depose !== undefined) {
      const random = new Random(`depose ${this.#plan.seed}`);
      deposePrimary(course, this.#nemesis, { drill: drill.depose, random });
    }
    if (drill.losesCopyOf !== undefined) {
      const random = new Random(`lost copy ${this.#plan.seed}`);
      forgetCopy(course, this.#nemesis, { region: drill.losesCopyOf, random, serveMs: REGIONS_SERVE_MS_MAX });
    }
    if (drill.comesBack) comeBack(course, this.#nemesis);
    this.#workload.isOver = true;
    this.#cross();
    if (drill.rotsMemory) this.#rot();
    this.#workload.isOver = true;
    course.until(() => this.#workload.open === 0, 4_000);
    this.#truth.finish();
    this.#regionTruth.finish();
    const { first } = this.#verdicts;
    if (first !== undefined) this.#note?.(this.#queue.nowMs, 0, `${first.invariant}: ${first.what}`);
    return {
      result: first === undefined ? 'ok' : isLiveness(first) ? 'liveness' : 'safety',
      invariant: first?.invariant,
      what: first?.what ?? '',
      steps: this.#cluster.steps,
      virtualMs: this.#queue.nowMs,
      digest: this.#cluster.digest.toString(16).padStart(8, '0'),
      decided: this.#truth.decided + this.#regionTruth.decided,
      decidedOf: Object.fromEntries(this.#workload.decidedOf),
      unavailable: this.#truth.unavailable,
      uncertain: this.#truth.uncertain,
    };
  }

  /** Behind a broken promise nothing happens any more: whatever part of the run comes next is not told. */
  #mark(what: string): void {
    if (this.#verdicts.first === undefined) this.#note?.(this.#queue.nowMs, 0, what);
  }

  #rot(): void {
    const { groups } = this.#cluster.world.topology;
    const group = groups.find(({ features }) => features.includes('holdings'))?.number;
    const random = new Random(`rot ${this.#plan.seed}`);
    if (group !== undefined) rotMemory(this.#course, { group, random });
  }

  /** Somebody is struck while he walks over an edge; in the end all who walk are where they are. */
  #cross(): void {
    const crossing = this.#plan.motion?.crossing;
    const walkers = this.#walkers;
    if (crossing !== undefined) crossTheEdge(this.#course, this.#nemesis, { drill: crossing, walkers });
    walkers.settle(this.#course, 'when all is over', crossing === undefined);
  }

  /**
   * All faults end: fresh commands are done at every gateway, changes of members that were begun come to
   * their end, and all copies become equal.
   */
  #recover(): void {
    const course = this.#course;
    const { electionMs, mark } = course.parts;
    mark('all faults end');
    this.#nemesis.heal();
    this.#operator.tend();
    const regionsMs = this.#plan.regions === undefined ? 0 : REGIONS_SERVE_MS_MAX;
    const serveMs = Math.max(SERVE_ELECTIONS_MAX * electionMs, regionsMs);
    course.serve(serveMs, 'after all faults ended');
    const changeMs = CHANGE_ELECTIONS_MAX * electionMs;
    if (!course.until(() => this.#operator.isDone, changeMs)) {
      const what = `a change of members has not ended within ${changeMs} ms`;
      course.broken('CHANGE', `${what}: ${course.picture()}`);
    }
    this.#workload.isOver = true;
    const limitMs = CONVERGE_ELECTIONS_MAX * electionMs;
    if (course.until(() => this.#isConverged(), limitMs)) this.#compare();
    else {
      const what = `not all copies have caught up within ${limitMs} ms`;
      course.broken('CONVERGE', `${what}: ${course.picture()}`);
    }
    this.#walkers.settle(course, 'after all faults ended');
  }

  /** All who vote have applied all that is there, and so have all copies of regions. */
  #isConverged(): boolean {
    if (this.#workload.open > 0) return false;
    if (!this.#course.areRegionsLevel || !areOutboxesEmpty(this.#cluster)) return false;
    if (!areWorkshopsAnswered(this.#cluster, this.#workload.known.players)) return false;
    const { globals } = this.#cluster;
    return this.#cluster.world.topology.groups.every(({ number }) => {
      const voters = this.#cluster.votersOf(number).incoming;
      const hosts = voters.flatMap((node) => globals.get(node) ?? []);
      const copies = hosts.flatMap(({ groups }) => groups.get(number) ?? []);
      const alive = hosts.filter(({ isRefused }) => !isRefused);
      const leaders = copies.filter((copy) => copy.isLeader);
      const last = leaders[0]?.node.last;
      return (
        copies.length === alive.length &&
        leaders.length === 1 &&
        copies.every(({ applied }) => applied === last)
      );
    });
  }

  #compare(): void {
    compareChat(this.#cluster, this.#verdicts);
    orderChat(this.#cluster, this.#verdicts);
    countRareItems(this.#regionInvariants.histories.values(), this.#books, this.#verdicts);
    for (const [number, history] of this.#regionInvariants.histories) {
      for (const [node, { sets }] of this.#cluster.regions) {
        const copy = sets.get(number)?.inspect();
        if (copy !== undefined) history.hashes(node, copy.applied, copy.stateHash);
      }
    }
    for (const [number, history] of this.#invariants.histories) {
      for (const [node, { groups }] of this.#cluster.globals) {
        const copy = groups.get(number);
        if (copy === undefined) continue;
        const { applied, stateHash } = copy.inspect();
        history.hashes(node, applied, stateHash);
      }
    }
  }
}

/** A checksum of many digests, in their order. */
export function digestOf(digests: readonly string[]): string {
  const bytes = new TextEncoder().encode(digests.join(' '));
  return crc32c(bytes).toString(16).padStart(8, '0');
}
