// The way from a node to every log of the world: to the groups, and to the regions wherever their primaries
// are. Both roles open one: gateways ask for their players, witnesses for
// their opinions, and all nodes for events.
import type { NodeId } from '../base/id.ts';
import type { NodeSetting } from './node-role.ts';
import type { Outbox } from './calls/outbox.ts';
import { randomNumber } from './random-number.ts';
import { Route } from './calls/route.ts';

export function openRoute(
  { topology, doors }: NodeSetting,
  outbox: Outbox,
  isDoubted?: (node: NodeId) => boolean,
): Route {
  const { clock, entropy, peers } = doors;
  return new Route({
    clock,
    peers,
    outbox,
    isDoubted,
    groups: [
      ...topology.groups,
      ...topology.regions.map(({ copies: members, ...region }) => ({ ...region, members })),
    ],
    firstNumber: randomNumber(entropy.bytes(6)),
  });
}
