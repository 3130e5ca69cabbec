// Who runs a simulated world: changes members, hands leadership over, replaces machines that are lost.
//
// `nemesis.ts` and `drills.ts` call it. It asks whoever leads, looks, and asks again, as the supervisor
// does (`host/replacing.ts`): a new topology is written, every other node starts again in order, then
// each group exchanges the old identity for the new one.
import { type NodeId, nodeId } from '../../base/id.ts';
import type { Membership } from '../../protocols/raft/messages.ts';
import { goalOf } from '../../protocols/raft/reconfiguration.ts';
import { replaceNode } from '../../services/topology/replacement.ts';
import { ASK_DEADLINE_MS } from '../../services/calls/route.ts';
import { encodeCommand } from '../../wire/command.ts';
import { movePrimary } from '../../wire/placement.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { Cluster } from '../cluster/cluster.ts';

const ASK_AGAIN_US = 100_000;
/** A node that starts again is away for so long, and then the next one goes. */
const AWAY_US = 30_000;
const NEXT_US = 60_000;

export class Operator {
  readonly #cluster: Cluster;
  /** A replacement is under way. */
  #replacing: { readonly old: NodeId; readonly fresh: NodeId } | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Asks the group's leader, if it has one, to make these nodes the voters. */
  reconfigure(group: number, voters: readonly NodeId[]): void {
    const host = this.#cluster.globals.get(this.#cluster.leaderOf(group) ?? 0);
    host?.life?.take('order', () => void host.groups.get(group)?.reconfigure(voters));
  }

  /** Asks again and again, whoever leads by then, until what it returns is called. */
  insist(group: number, voters: readonly NodeId[]): () => void {
    let isOver = false;
    const ask = (): void => {
      if (isOver) return;
      this.reconfigure(group, voters.map((node) => nodeId(this.#cluster.today(node))));
      this.#cluster.world.queue.after(ASK_AGAIN_US, ask);
    };
    ask();
    return () => (isOver = true);
  }

  /** Asks the group's leader, if it has one, to hand over to a node. */
  transfer(group: number, to: number): void {
    const host = this.#cluster.globals.get(this.#cluster.leaderOf(group) ?? 0);
    host?.life?.take('order', () => void host.groups.get(group)?.transfer(nodeId(to)));
  }

  /** Asks placement to hand a region to another copy. */
  move(region: number, to: number): void {
    const { topology } = this.#cluster.world;
    const group = topology.groups.find(({ features }) => features.includes('placement'))?.number;
    const [host] = [...this.#cluster.regions.values()].filter(({ life }) => life !== undefined);
    if (group === undefined) return;
    const args = encodeWith(movePrimary.args, { region, to: nodeId(to), acceptLoss: false });
    const none = { session: 0, sessionExpiresAtMs: 0, number: 0, answeredBelow: 0, player: 0 };
    const body = encodeCommand({ ...none, call: 'placement.move', args });
    host?.ask({ group, mode: 'command', body, deadlineMs: ASK_DEADLINE_MS, answer: () => {} });
  }

  /** Where leases serve: the holder's clock runs as slowly as is allowed, and all others as fast. */
  strainLease(holder: number): void {
    const { leaseDriftPerMille } = this.#cluster.world.plan.raft;
    if (leaseDriftPerMille === undefined) return;
    const ppm = leaseDriftPerMille * 500;
    for (const node of this.#cluster.globals.keys()) {
      this.#cluster.machine(node).drift(node === holder ? -ppm : ppm);
    }
  }

  /** The node's machine and disk are gone. One at a time: with another under way, nothing happens. */
  replace(node: number): void {
    if (this.#replacing !== undefined || !this.#cluster.globals.has(node)) return;
    const old = nodeId(node);
    const { topology, id } = replaceNode(this.#cluster.world.topology, old);
    this.#replacing = { old, fresh: id };
    this.#cluster.world.note?.(0, `the disk of node ${node} is lost: ${id} takes its place`);
    this.#cluster.replace(node, id, topology);
    const others = topology.nodes.filter((plan) => plan.id !== id);
    // Global nodes stand before the gateways there.
    this.#startAgain(others);
  }

  /** No replacement is under way, and every group knows its voters for good. */
  get isDone(): boolean {
    return this.#replacing === undefined && this.#groups.every((group) => this.#isSettled(group));
  }

  /** From now on calls off changes that wait for a node whose disk is beyond use. */
  tend(): void {
    for (const group of this.#groups) {
      const { learners = [], incoming = [] } = this.#membershipOf(group) ?? {};
      const isLost = learners.some((node) => this.#cluster.globals.get(node)?.isRefused !== false);
      if (isLost) this.reconfigure(group, incoming);
    }
    this.#cluster.world.queue.after(ASK_AGAIN_US, () => this.tend());
  }

  get #groups(): readonly number[] {
    return this.#cluster.world.topology.groups.map(({ number }) => number);
  }

  #isSettled(group: number): boolean {
    const membership = this.#membershipOf(group);
    if (membership === undefined) return false;
    const { incoming, outgoing, learners } = membership;
    const leader = this.#cluster.leaderOf(group) ?? 0;
    return outgoing.length === 0 && learners.length === 0 && incoming.includes(nodeId(leader));
  }

  #membershipOf(group: number): Membership | undefined {
    const leader = this.#cluster.globals.get(this.#cluster.leaderOf(group) ?? 0);
    return leader?.groups.get(group)?.node.membership;
  }

  #startAgain(nodes: readonly { readonly id: NodeId }[]): void {
    const { queue } = this.#cluster.world;
    const [first, ...rest] = nodes;
    if (first === undefined) {
      this.#exchange();
      return;
    }
    // One that is down reads the new topology whenever it starts.
    if (this.#cluster.life(first.id) !== undefined) {
      this.#cluster.kill(first.id, false);
      queue.after(AWAY_US, () => this.#cluster.start(first.id));
    }
    queue.after(NEXT_US, () => this.#startAgain(rest));
  }

  #exchange(): void {
    const replacing = this.#replacing;
    if (replacing === undefined) return;
    const { old, fresh } = replacing;
    let isOver = true;
    for (const group of this.#groups) {
      const membership = this.#membershipOf(group);
      const { incoming = [old], outgoing = [], learners = [] } = membership ?? {};
      if (![...incoming, ...outgoing, ...learners].includes(old)) continue;
      isOver = false;
      const goal = membership === undefined ? [] : goalOf(membership);
      if (!goal.includes(old)) continue;
      const wanted = new Set(goal.map((node) => (node === old ? fresh : node)));
      this.reconfigure(group, [...wanted]);
    }
    if (isOver) this.#replacing = undefined;
    else this.#cluster.world.queue.after(ASK_AGAIN_US, () => this.#exchange());
  }
}
