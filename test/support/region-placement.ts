// Placement as it should be, for the copies of one region in virtual time: leases, fences, appointments.
//
// `region-cluster.ts` owns one. It reaches a copy at once or not at all, waits out the lease of a primary
// that it gives up, and appoints the longest log among a majority of promises.
import assert from 'node:assert/strict';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Appointment } from '../../src/protocols/primary/fencing.ts';
import type { Promised } from '../../src/protocols/primary/messages.ts';
import type { Member, RegionCluster } from './region-cluster.ts';

const LEASE_MS = 400;
const LOOK_MS = 100;

export class RegionPlacement {
  dueMs = 1_000;
  /** Whom it can not reach. */
  unreachable: Set<NodeId> = new Set();
  appointed: Appointment = { epoch: 1, primary: nodeId(1), start: 0 };
  readonly #cluster: RegionCluster;
  readonly #size: number;
  #leaseEndsMs = Number.NEGATIVE_INFINITY;
  #fencing: { readonly epoch: number; readonly promises: Map<NodeId, Promised> } | undefined;
  #ticket = 1_000_000;

  constructor(cluster: RegionCluster, size: number) {
    this.#cluster = cluster;
    this.#size = size;
  }

  /** Gives up the present primary: its lease is waited out, then the region is fenced. */
  failOver(): void {
    const highest = Math.max(
      this.appointed.epoch,
      this.#fencing?.epoch ?? 0,
      ...[...this.#cluster.members.values()].map(({ copy }) => copy.status.promised),
    );
    this.#fencing = { epoch: highest + 1, promises: new Map() };
  }

  promised(node: NodeId, promised: Promised): void {
    if (promised.epoch >= (this.#fencing?.epoch ?? 0)) this.#fencing?.promises.set(node, promised);
  }

  /** What it does each time it looks. */
  look(): void {
    const cluster = this.#cluster;
    this.dueMs = cluster.nowMs + LOOK_MS;
    const reachable = cluster.live.filter(({ id }) => !this.unreachable.has(id));
    if (this.#fencing !== undefined) {
      if (cluster.nowMs > this.#leaseEndsMs) this.#fence(reachable);
      return;
    }
    for (const member of reachable) {
      const now = { nowMs: cluster.clockOf(member), wallMs: cluster.nowMs };
      member.copy.appoint(this.appointed, now);
      cluster.act(member);
      if (member.id !== this.appointed.primary) continue;
      this.#leaseEndsMs = cluster.nowMs + LEASE_MS;
      member.copy.lease(this.appointed.epoch, now.nowMs + LEASE_MS);
    }
  }

  #fence(reachable: readonly Member[]): void {
    const fencing = this.#fencing;
    if (fencing === undefined) return;
    const { epoch, promises } = fencing;
    for (const member of reachable) {
      if (promises.has(member.id)) continue;
      member.copy.promise(epoch, this.#ticket++);
      this.#cluster.act(member);
    }
    if ([...promises.values()].some((promised) => promised.epoch > epoch)) {
      this.failOver();
      return;
    }
    const counted = [...promises].filter(([, { isBlank }]) => !isBlank);
    const isMajority = counted.length > this.#size / 2;
    const isUntouched = promises.size === this.#size && counted.length === 0;
    if (!isMajority && !isUntouched) return;
    const [best] = (isMajority ? counted : [...promises]).sort(
      ([a, p], [b, q]) => q.lastEpoch - p.lastEpoch || q.lastSequence - p.lastSequence || a - b,
    );
    assert.ok(best);
    this.appointed = { epoch, primary: best[0], start: best[1].lastSequence };
    this.#fencing = undefined;
  }
}
