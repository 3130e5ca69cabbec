// A region node's side of placement, put together: its copies, the way to the witnesses and to `placement`.
//
// `region-node.ts` opens one, and the region nodes of simulated worlds.
import type { NodeSetting } from './node-role.ts';
import type { GroupCalls } from './calls/group-calls.ts';
import type { Outbox } from './calls/outbox.ts';
import { PlacementCalls } from './calls/placement-calls.ts';
import { Appointments, type AppointmentsOptions } from './placement/appointments.ts';
import type { RegionCopies } from './region-copies.ts';
import { DEFAULT_HOME_AFTER_MS, foundationOf } from './topology/topology.ts';

export function openAppointments(
  { topology, node: self, doors: { clock, logger, peers } }: NodeSetting,
  o: {
    readonly outbox: Outbox;
    readonly calls: GroupCalls;
    readonly copies: RegionCopies;
    readonly placed: AppointmentsOptions['placed'];
  },
): Appointments {
  return new Appointments({
    self,
    clock,
    logger,
    outbox: o.outbox,
    calls: new PlacementCalls(o.calls),
    witnesses: foundationOf(topology).witnesses,
    copies: [...o.copies.sets.values()],
    isLinked: (node) => peers.connected(node),
    placed: o.placed,
    homeAfterMs: topology.homeAfterMs ?? DEFAULT_HOME_AFTER_MS,
  });
}
