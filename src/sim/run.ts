// One simulated run: a seed goes in, a verdict comes out.
//
// `cli/sim.ts` and the tests call it. First faults come for a while, then all of them end and the world
// must be whole again; then it must stay calm, bear one node that was away, and replace a leader that
// hears nobody. Safety is looked at after every step, liveness at the end of each part.
import { crc32c } from '../base/crc32c.ts';
import { Random } from '../base/random.ts';
import { checkBooks } from './audit.ts';
import { Cluster } from './cluster.ts';
import { Course } from './course.ts';
import { deafenLeader, deposePrimary, exchange, keepCalm, rejoin, transfer } from './drills.ts';
import { Invariants } from './invariants.ts';
import { bearTheEdge } from './edge-drill.ts';
import { Nemesis } from './nemesis.ts';
import { Operator } from './operator.ts';
import { areOutboxesEmpty, compareChat } from './region-events.ts';
import { RegionInvariants } from './region-invariants.ts';
import { RegionTruth } from './region-truth.ts';
import type { Plan } from './plan.ts';
import { EventQueue } from './queue.ts';
import { Truth } from './truth.ts';
import { type Invariant, isLiveness, Verdicts } from './violation.ts';
import { Workload } from './workload.ts';
import { heldEverywhere, type WorldUnderTest } from './worlds.ts';

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
  readonly unavailable: number;
  readonly uncertain: number;
}

/** Told of everything worth a mark in a timeline; lane 0 is the whole world. */
export type Note = (atMs: number, lane: number, what: string) => void;

export function runPlan(plan: Plan, world: WorldUnderTest, note?: Note): Verdict {
  return new Run(plan, world, note).verdict();
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
  readonly #truth: Truth;
  readonly #regionTruth: RegionTruth;
  readonly #course: Course;

  constructor(plan: Plan, world: WorldUnderTest, note: Note | undefined) {
    this.#plan = plan;
    const verdicts = this.#verdicts;
    const queue = this.#queue;
    const { features } = world;
    const topology = plan.isMobile ? heldEverywhere(world.topology) : world.topology;
    this.#invariants = new Invariants(topology, verdicts, (group, index, machine) => {
      const home = topology.groups.find(({ number }) => number === group);
      if (home?.features.includes('holdings') === true) checkBooks(machine, index, verdicts);
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
    this.#course = new Course({
      queue,
      verdicts,
      cluster: this.#cluster,
      operator: this.#operator,
      workload: this.#workload,
      invariants: this.#invariants,
      regionInvariants: this.#regionInvariants,
      electionMs: ELECTION_MS * (plan.network.isWide ? WIDE_PATIENCE : 1),
      mark: (what) => marks?.(0, what),
    });
  }

  verdict(): Verdict {
    const course = this.#course;
    const { deafLeaderOf, ...drill } = this.#plan.drill;
    this.#cluster.startAll();
    this.#nemesis.schedule();
    this.#queue.at(300_000, () => this.#workload.begin());
    course.for(this.#plan.chaosMs);
    this.#recover();
    keepCalm(course);
    rejoin(course, this.#nemesis, this.#plan.drill);
    if (drill.transfer !== undefined) transfer(course, drill.transfer);
    if (drill.exchange !== undefined) {
      exchange(course, drill.exchange, new Random(`drills ${this.#plan.seed}`));
    }
    if (drill.edge !== undefined) {
      const random = new Random(`edge ${this.#plan.seed}`);
      bearTheEdge(course, this.#nemesis, { drill: drill.edge, random });
    }
    if (deafLeaderOf !== undefined) deafenLeader(course, this.#nemesis, deafLeaderOf);
    if (drill.depose !== undefined) deposePrimary(course, this.#nemesis, drill.depose);
    this.#workload.isOver = true;
    course.until(() => this.#workload.open === 0, 4_000);
    this.#truth.finish();
    this.#regionTruth.finish();
    const { first } = this.#verdicts;
    if (first !== undefined) course.parts.mark(`${first.invariant}: ${first.what}`);
    return {
      result: first === undefined ? 'ok' : isLiveness(first) ? 'liveness' : 'safety',
      invariant: first?.invariant,
      what: first?.what ?? '',
      steps: this.#cluster.steps,
      virtualMs: this.#queue.nowMs,
      digest: this.#cluster.digest.toString(16).padStart(8, '0'),
      decided: this.#truth.decided + this.#regionTruth.decided,
      unavailable: this.#truth.unavailable,
      uncertain: this.#truth.uncertain,
    };
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
  }

  /** All who vote have applied all that is there, and so have all copies of regions. */
  #isConverged(): boolean {
    if (this.#workload.open > 0) return false;
    if (!isLevel(this.#cluster) || !areOutboxesEmpty(this.#cluster)) return false;
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

/** Every region has one primary that serves, and its copies hold all that it has. */
function isLevel({ regions, world }: Cluster): boolean {
  if (world.plan.regions === undefined) return true;
  return world.topology.regions.every(({ number, copies }) => {
    const held = copies.flatMap((node) => regions.get(node)?.sets.get(number)?.status() ?? []);
    const primaries = held.filter(({ role, isServing }) => role === 'primary' && isServing);
    const last = primaries[0]?.last;
    const isSame = held.every(({ role, applied }) => role !== 'blank' && applied === last);
    return held.length === copies.length && primaries.length === 1 && isSame;
  });
}

/** A checksum of many digests, in their order. */
export function digestOf(digests: readonly string[]): string {
  const bytes = new TextEncoder().encode(digests.join(' '));
  return crc32c(bytes).toString(16).padStart(8, '0');
}
