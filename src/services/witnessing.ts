// A global node's witness together with its way to `placement`: the own member first, else the route.
//
// `global-node.ts` owns one and hands in what concerns it.
import type { NodeId } from '../base/id.ts';
import { hasQuorum } from '../base/quorum.ts';
import type { Group } from '../runtime/group.ts';
import type { PeerMessage } from '../wire/peer.ts';
import { GroupCalls } from './calls/group-calls.ts';
import type { NodeSetting } from './node-role.ts';
import type { Outbox } from './calls/outbox.ts';
import { localFirst, PlacementCalls } from './calls/placement-calls.ts';
import type { Route } from './calls/route.ts';
import { foundationOf, regionNodesOf } from './topology/topology.ts';
import { Witness } from './placement/witness.ts';

export class Witnessing {
  readonly witness: Witness;
  readonly #setting: NodeSetting;
  readonly #route: Route;

  constructor(
    setting: NodeSetting,
    o: { groups: ReadonlyMap<number, Group>; outbox: Outbox; route: Route },
  ) {
    this.#setting = setting;
    const { topology, node: self, features, doors } = setting;
    const { clock, logger } = doors;
    const { outbox } = o;
    this.#route = o.route;
    const route = localFirst(o.groups, this.#route);
    this.witness = new Witness({
      self,
      clock,
      logger,
      outbox,
      calls: new PlacementCalls(new GroupCalls({ route, logger, topology, features })),
      foundation: foundationOf(topology),
      regions: topology.regions,
      nodes: regionNodesOf(topology),
    });
  }

  /** By the links to the other witnesses; the groups judge for themselves, by what is answered. */
  get seesMajority(): boolean {
    const { topology, node, doors } = this.#setting;
    const voters = { incoming: foundationOf(topology).witnesses, outgoing: [] };
    return hasQuorum(voters, (witness) => witness === node || doors.peers.connected(witness));
  }

  received(from: NodeId, message: PeerMessage): void {
    if (message.kind === 'beat') this.witness.heard(from, message);
    else if (message.kind === 'answer') this.#route.answered(from, message);
    else if (message.kind === 'leads') this.#route.led(from, message);
  }

  lost(node: NodeId): void {
    this.#route.lost(node);
  }
}
