// The course of a simulated run: virtual time goes on until something holds, and what must hold is demanded.
//
// `run.ts` owns one; `drills.ts` works with it. Safety is looked at elsewhere, after every step; here is
// what must happen in time, and what must not happen at all where nothing is wrong.
import type { Client } from '../play/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Drive } from '../machine/drive.ts';
import { copyFilesMax, groupFilesMax } from '../machine/file-bounds.ts';
import type { Invariants } from '../checks/invariants.ts';
import type { Operator } from '../nemesis/operator.ts';
import type { Plan } from '../plan/plan.ts';
import type { Topology } from '../../services/topology/topology.ts';
import type { RegionInvariants } from '../checks/region-invariants.ts';
import type { EventQueue } from '../machine/queue.ts';
import type { Invariant, Verdicts } from '../checks/violation.ts';
import type { Workload } from '../play/workload.ts';

const POLL_MS = 10;
/** Twenty busy players with callers at the edge of a lease take some 60,000 steps a second. */
const STEPS_MAX = 1_000_000;
const STEPS_PER_S_MAX = 100_000;
/** What waits anywhere stays far below what the parts themselves allow. */
const OPEN_ASKS_MAX = 2_000;

export interface CourseParts {
  readonly queue: EventQueue;
  readonly cluster: Cluster;
  readonly operator: Operator;
  readonly workload: Workload;
  readonly invariants: Invariants;
  readonly regionInvariants: RegionInvariants;
  readonly verdicts: Verdicts;
  /** The longest election timeout of this world. */
  readonly electionMs: number;
  readonly mark: (what: string) => void;
}

export class Course {
  readonly parts: CourseParts;

  constructor(parts: CourseParts) {
    this.parts = parts;
  }

  get nowMs(): number {
    return this.parts.queue.nowMs;
  }

  get isBroken(): boolean {
    return this.parts.verdicts.first !== undefined;
  }

  /** No disk is beyond use, so that every group can spare one more member. */
  get isWhole(): boolean {
    const hosts = [...this.parts.cluster.globals.values()];
    return !this.isBroken && hosts.every(({ isRefused }) => !isRefused);
  }

  /** How often leaders changed so far. */
  get elections(): number {
    let sum = 0;
    for (const { elections } of this.parts.invariants.histories.values()) sum += elections;
    return sum + this.parts.regionInvariants.appointments;
  }

  /** Every region has one primary that serves, and its copies hold all that it has. */
  get areRegionsLevel(): boolean {
    const { regions, world } = this.parts.cluster;
    if (world.plan.regions === undefined) return true;
    return world.topology.regions.every(({ number, copies }) => {
      const held = copies.flatMap((node) => regions.get(node)?.sets.get(number)?.status() ?? []);
      const primaries = held.filter(({ role, isServing }) => role === 'primary' && isServing);
      const last = primaries[0]?.last;
      const isSame = held.every(({ role, applied }) => role !== 'blank' && applied === last);
      return held.length === copies.length && primaries.length === 1 && isSame;
    });
  }

  for(ms: number): void {
    this.until(() => false, ms);
  }

  /** Goes on until the condition holds; false when that is not within `limitMs`. */
  until(condition: () => boolean, limitMs: number): boolean {
    const { queue } = this.parts;
    const endUs = queue.nowUs + limitMs * 1_000;
    while (!this.isBroken && queue.nowUs < endUs) {
      if (condition()) return true;
      const untilUs = Math.min(endUs, queue.nowUs + POLL_MS * 1_000);
      while (!this.isBroken && queue.step(untilUs));
      this.#bounded();
    }
    return this.isBroken || condition();
  }

  /** The same, and looks after every single event: for what lasts no longer than that. */
  untilSeen(condition: () => boolean, limitMs: number): boolean {
    const { queue } = this.parts;
    const endUs = queue.nowUs + limitMs * 1_000;
    while (!this.isBroken && !condition()) if (!queue.step(endUs)) return condition();
    return true;
  }

  /** Demands fresh commands at every gateway. */
  serve(limitMs: number, when: string): void {
    const { cluster, workload } = this.parts;
    const probes = workload.probe();
    const isServed = (): boolean => probes.every((probe: Client) => probe.isDone);
    if (this.until(isServed, limitMs)) return;
    const { groups } = cluster.world.topology;
    const first = groups.find(({ number }) => cluster.leaderOf(number) === undefined);
    const within = `within ${limitMs} ms ${when}: ${this.picture()}`;
    if (first !== undefined) this.broken('LEAD', `${first.name} has no leader ${within}`);
    else this.broken('SERVE', `fresh commands are not done at every gateway ${within}`);
  }

  /** Demands that no leader has changed since there were `before` elections. */
  sameLeaders(before: number, when: string): void {
    const changes = this.elections - before;
    if (changes === 0) return;
    this.broken('CALM', `${changes} leaders were elected ${when}: ${this.picture()}`);
  }

  broken(invariant: Invariant, what: string): void {
    this.parts.verdicts.broken(invariant, what);
  }

  /** Each copy in a few words. */
  picture(): string {
    const { cluster } = this.parts;
    const lines: string[] = [];
    for (const { number, name } of cluster.world.topology.groups) {
      for (const [node, { groups, isRefused }] of cluster.globals) {
        const group = groups.get(number);
        if (group === undefined) {
          if (isRefused) lines.push(`${name}/${node} refused`);
          continue;
        }
        const { role, term, commit, last, membership } = group.node.status;
        const { incoming, outgoing, learners } = membership;
        const members = [incoming, outgoing, learners].map((nodes) => nodes.join(' ')).join('/');
        const log = `applied ${group.applied} commit ${commit} last ${last}`;
        lines.push(`${name}/${node} ${role} term ${term} ${log} voters ${members}`);
      }
    }
    for (const { number, name } of cluster.world.topology.regions) {
      for (const [node, { sets }] of cluster.regions) {
        const status = sets.get(number)?.status();
        if (status === undefined) continue;
        const { role, epoch, isServing, last, committed, applied } = status;
        const log = `applied ${applied} committed ${committed} last ${last}`;
        lines.push(`${name}/${node} ${role}${isServing ? ' serves' : ''} epoch ${epoch} ${log}`);
      }
    }
    return lines.join('; ');
  }

  #bounded(): void {
    const { cluster, queue, workload } = this.parts;
    const stepsMax = STEPS_MAX + (queue.nowUs / 1e6) * STEPS_PER_S_MAX;
    if (cluster.steps > stepsMax) this.broken('BND', `${cluster.steps} steps: something spins`);
    this.#boundFiles();
    if (workload.open > OPEN_ASKS_MAX) this.broken('BND', `${workload.open} asks are open`);
  }

  #boundFiles(): void {
    const { cluster, electionMs } = this.parts;
    const { plan, topology } = cluster.world;
    for (const [node, { drive }] of cluster.globals) {
      const groups = groupsOf(topology, node);
      const most = groupFilesMax(plan, { groups, starts: drive.starts, timerMs: electionMs });
      const files = drive.disk.fileCount;
      if (files > most) this.broken('BND', `node ${node} has ${files} files, and ${most} are enough`);
    }
    if (plan.regions === undefined) return;
    for (const [node, { drives }] of cluster.regions) {
      for (const [region, drive] of drives) this.#boundCopy(plan.regions, { node, region, drive });
    }
  }

  #boundCopy(
    limits: NonNullable<Plan['regions']>,
    { node, region, drive }: { readonly node: number; readonly region: number; readonly drive: Drive },
  ): void {
    const { plan } = this.parts.cluster.world;
    const { files, stateBytes } = drive.copyFiles();
    const most = copyFilesMax(plan, { limits, starts: drive.starts, stateBytes });
    if (files <= most) return;
    this.broken('BND', `node ${node} has ${files} files of region ${region}, and ${most} are enough`);
  }
}

/** Asked for after every hundredth of a second: nothing is made for it. */
function groupsOf({ groups }: Topology, node: number): number {
  let count = 0;
  for (const { members } of groups) for (const id of members) if (id === node) count += 1;
  return count;
}
