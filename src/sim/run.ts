// One simulated run: a seed goes in, a verdict comes out.
//
// `cli/sim.ts` and the tests call it. First faults come for a while, then all of them end and the world
// must be whole again; then it must stay calm, bear one node that was away, and replace a leader that
// hears nobody. Safety is looked at after every step, liveness at the end of each part.
import { crc32c } from '../base/crc32c.ts';
import type { Client } from './client.ts';
import { Cluster } from './cluster.ts';
import { checkBooks } from './audit.ts';
import { Invariants } from './invariants.ts';
import { Nemesis } from './nemesis.ts';
import type { Plan } from './plan.ts';
import { EventQueue } from './queue.ts';
import { Truth } from './truth.ts';
import { type Invariant, isLiveness, Verdicts } from './violation.ts';
import { Workload } from './workload.ts';
import type { WorldUnderTest } from './worlds.ts';

/** A healed world serves again within so many of the longest election timeouts. */
const ELECTION_MS = 300;
/** A group that spans oceans is so many times more patient (`protocols/raft/pace.ts`). */
const WIDE_PATIENCE = 4;
const SERVE_ELECTIONS_MAX = 27;
const CONVERGE_ELECTIONS_MAX = 27;
const DEAF_LEADER_ELECTIONS_MAX = 20;
const CALM_MS = 900;
const POLL_MS = 10;
/** Nothing that is alive takes so many steps in a run: it spins. */
const STEPS_MAX = 1_000_000;
/** What waits anywhere stays far below what the parts themselves allow. */
const FILES_MAX = 400;
const OPEN_ASKS_MAX = 2_000;

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
  readonly #world: WorldUnderTest;
  readonly #note: Note | undefined;
  readonly #queue = new EventQueue();
  readonly #verdicts = new Verdicts();
  readonly #invariants: Invariants;
  readonly #cluster: Cluster;
  readonly #nemesis: Nemesis;
  readonly #workload: Workload;
  readonly #truth: Truth;
  readonly #electionMs: number;

  constructor(plan: Plan, world: WorldUnderTest, note: Note | undefined) {
    this.#plan = plan;
    this.#world = world;
    this.#note = note;
    this.#electionMs = ELECTION_MS * (plan.network.isWide ? WIDE_PATIENCE : 1);
    const verdicts = this.#verdicts;
    const queue = this.#queue;
    const { topology, features } = world;
    this.#invariants = new Invariants(topology, verdicts, (group, index, machine) => {
      const plan = topology.groups.find(({ number }) => number === group);
      if (plan?.features.includes('holdings') === true) checkBooks(machine, index, verdicts);
    });
    const marks =
      note && ((lane: number, what: string): void => note(queue.nowUs / 1_000, lane, what));
    this.#cluster = new Cluster({
      plan,
      topology,
      features,
      queue,
      verdicts,
      invariants: this.#invariants,
      note: marks,
    });
    this.#invariants.note = marks;
    this.#nemesis = new Nemesis(this.#cluster, plan);
    this.#truth = new Truth(this.#invariants.histories, verdicts);
    this.#workload = new Workload(this.#cluster, world, { plan, truth: this.#truth });
  }

  verdict(): Verdict {
    this.#cluster.startAll();
    this.#nemesis.schedule();
    this.#queue.at(300_000, () => this.#workload.begin());
    this.#for(this.#plan.chaosMs);
    this.#recover();
    this.#calm();
    this.#rejoin();
    this.#deafLeader();
    this.#workload.isOver = true;
    this.#until(() => this.#workload.open === 0, 4_000);
    this.#truth.finish();
    const { first } = this.#verdicts;
    if (first !== undefined) this.#mark(`${first.invariant}: ${first.what}`);
    return {
      result: first === undefined ? 'ok' : isLiveness(first) ? 'liveness' : 'safety',
      invariant: first?.invariant,
      what: first?.what ?? '',
      steps: this.#cluster.steps,
      virtualMs: this.#queue.nowMs,
      digest: this.#cluster.digest.toString(16).padStart(8, '0'),
      decided: this.#truth.decided,
      unavailable: this.#truth.unavailable,
      uncertain: this.#truth.uncertain,
    };
  }

  /** All faults end: fresh commands are done at every gateway, and all copies become equal. */
  #recover(): void {
    this.#mark('all faults end');
    this.#nemesis.heal();
    this.#serve(SERVE_ELECTIONS_MAX * this.#electionMs, 'after all faults ended');
    this.#workload.isOver = true;
    const limitMs = CONVERGE_ELECTIONS_MAX * this.#electionMs;
    if (this.#until(() => this.#isConverged(), limitMs)) this.#compare();
    else {
      const what = `not all copies have caught up within ${limitMs} ms`;
      this.#broken('CONVERGE', `${what}: ${this.#picture()}`);
    }
  }

  /** Players play and nothing is wrong: no leader changes. */
  #calm(): void {
    this.#workload.isOver = false;
    this.#workload.begin();
    const before = this.#elections();
    this.#for(CALM_MS);
    this.#sameLeaders(before, `in ${CALM_MS} ms without any fault`);
  }

  /** A node that leads nothing is cut off and comes back: no leader changes by that. */
  #rejoin(): void {
    const { rejoin, rejoinMs } = this.#plan.drill;
    const leaders = this.#world.topology.groups.map(({ number }) => this.#cluster.leaderOf(number));
    const idle = [...this.#cluster.globals].find(
      ([node, { life }]) => life !== undefined && !leaders.includes(node),
    )?.[0];
    if (idle === undefined || !this.#isWhole) return;
    const before = this.#elections();
    this.#mark(`node ${idle} is ${rejoin} for ${rejoinMs} ms`);
    const heal = this.#nemesis.cut(idle, rejoin);
    this.#for(rejoinMs);
    heal();
    this.#for(CALM_MS);
    this.#sameLeaders(before, `while node ${idle}, which leads nothing, was ${rejoin} and came back`);
  }

  /** A leader that hears no other node can not serve: it is replaced while that lasts. */
  #deafLeader(): void {
    const group = this.#plan.drill.deafLeaderOf;
    const leader = group === undefined ? undefined : this.#cluster.leaderOf(group);
    if (leader === undefined || !this.#isWhole) return;
    this.#mark(`node ${leader}, leader of group ${group}, hears no other global node`);
    const heal = this.#nemesis.cut(leader, 'deaf-to-peers');
    this.#serve(DEAF_LEADER_ELECTIONS_MAX * this.#electionMs, 'while a leader hears nobody');
    heal();
    this.#for(CALM_MS);
  }

  #serve(limitMs: number, when: string): void {
    const probes = this.#workload.probe();
    const isServed = (): boolean => probes.every((probe: Client) => probe.isDone);
    if (this.#until(isServed, limitMs)) return;
    const leaderless = this.#world.topology.groups.filter(
      ({ number }) => this.#cluster.leaderOf(number) === undefined,
    );
    const [first] = leaderless;
    const within = `within ${limitMs} ms ${when}: ${this.#picture()}`;
    if (first !== undefined) this.#broken('LEAD', `${first.name} has no leader ${within}`);
    else this.#broken('SERVE', `fresh commands are not done at every gateway ${within}`);
  }

  /** No disk is beyond use, so that every group can spare one more member. */
  get #isWhole(): boolean {
    const hosts = [...this.#cluster.globals.values()];
    return this.#verdicts.first === undefined && hosts.every(({ isRefused }) => !isRefused);
  }

  #isConverged(): boolean {
    if (this.#workload.open > 0) return false;
    return this.#world.topology.groups.every(({ number, members }) => {
      const hosts = members.flatMap((node) => this.#cluster.globals.get(node) ?? []);
      const copies = hosts.flatMap(({ groups }) => groups.get(number) ?? []);
      const alive = hosts.filter(({ isRefused }) => !isRefused);
      const leaders = copies.filter((copy) => copy.isLeader);
      const last = leaders[0]?.node.status.last;
      return (
        copies.length === alive.length &&
        leaders.length === 1 &&
        copies.every(({ applied }) => applied === last)
      );
    });
  }

  #compare(): void {
    for (const { number } of this.#world.topology.groups) {
      for (const [node, { groups }] of this.#cluster.globals) {
        const copy = groups.get(number);
        if (copy === undefined) continue;
        const { applied, stateHash } = copy.inspect();
        this.#invariants.histories.get(number)?.hashes(node, applied, stateHash);
      }
    }
  }

  #sameLeaders(before: number, when: string): void {
    const changes = this.#elections() - before;
    if (changes === 0) return;
    this.#broken('CALM', `${changes} leaders were elected ${when}: ${this.#picture()}`);
  }

  #elections(): number {
    let sum = 0;
    for (const { elections } of this.#invariants.histories.values()) sum += elections;
    return sum;
  }

  #for(ms: number): void {
    this.#until(() => false, ms);
  }

  /** Goes on until the condition holds; false when that is not within `limitMs`. */
  #until(condition: () => boolean, limitMs: number): boolean {
    const endUs = this.#queue.nowUs + limitMs * 1_000;
    while (this.#verdicts.first === undefined && this.#queue.nowUs < endUs) {
      if (condition()) return true;
      const untilUs = Math.min(endUs, this.#queue.nowUs + POLL_MS * 1_000);
      while (this.#verdicts.first === undefined && this.#queue.step(untilUs));
      if (this.#cluster.steps > STEPS_MAX) this.#broken('BND', `${STEPS_MAX} steps: something spins`);
      this.#bounded();
    }
    return this.#verdicts.first !== undefined || condition();
  }

  #bounded(): void {
    for (const [node, { disk }] of this.#cluster.globals) {
      const files = disk.fileCount;
      if (files > FILES_MAX) this.#broken('BND', `node ${node} has ${files} files`);
    }
    const { open } = this.#workload;
    if (open > OPEN_ASKS_MAX) this.#broken('BND', `${open} asks are open`);
  }

  #broken(invariant: Invariant, what: string): void {
    this.#verdicts.broken(invariant, what);
  }

  #mark(what: string): void {
    this.#note?.(this.#queue.nowUs / 1_000, 0, what);
  }

  /** Each member in a few words. */
  #picture(): string {
    const lines: string[] = [];
    for (const { number, name } of this.#world.topology.groups) {
      for (const [node, { groups, isRefused }] of this.#cluster.globals) {
        const group = groups.get(number);
        if (group === undefined) {
          if (isRefused) lines.push(`${name}/${node} refused`);
          continue;
        }
        const { role, term, commit, last } = group.node.status;
        const log = `applied ${group.applied} commit ${commit} last ${last}`;
        lines.push(`${name}/${node} ${role} term ${term} ${log}`);
      }
    }
    return lines.join('; ');
  }
}

/** A checksum of many digests, in their order. */
export function digestOf(digests: readonly string[]): string {
  const bytes = new TextEncoder().encode(digests.join(' '));
  return crc32c(bytes).toString(16).padStart(8, '0');
}
