// A region node: a gateway for players, the region they walk in, copies of regions, the way to the groups.
//
// `node.ts` starts it. It keeps the copies on disk and nothing of its players: who loses his region node
// resumes at another one with his token, and asks again under the same command ids what he had no answer
// for.
import type { PlayerId } from '../base/id.ts';
import { PLACEMENT_PUSH } from '../wire/placement.ts';
import { Accounts } from './gateway/accounts.ts';
import type { AppointmentsOptions } from './placement/appointments.ts';
import { Gateway } from './gateway/gateway.ts';
import { GroupCalls } from './calls/group-calls.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { openAppointments } from './open-appointments.ts';
import { openRoute } from './open-route.ts';
import { Outbox } from './calls/outbox.ts';
import { PeerEvents } from './events/peer-events.ts';
import { Reach } from './calls/reach.ts';
import { RegionCalls } from './calls/region-calls.ts';
import { RegionCopies } from './region-copies.ts';
import type { Route } from './calls/route.ts';
import { Spaces } from './space/spaces.ts';
import type { RegionPlan } from './topology/topology.ts';

export function openRegionNode(setting: NodeSetting): NodeRole {
  const { topology, features, doors } = setting;
  const { clock, logger, peers } = doors;
  const outbox = new Outbox(clock, peers);
  const route = openRoute(setting, outbox, (node) => appointments.isDoubted(node));
  const copies = new RegionCopies(setting, new PeerEvents(route));
  const calls = new GroupCalls({ route, logger, topology, features });
  const spaces = openSpaces(setting, outbox);
  const gateway = openGateway(setting, calls, spaces);
  const placed = placedFor(topology.regions, { route, spaces, gateway });
  const appointments = openAppointments(setting, { outbox, calls, copies, placed });
  const reach = new Reach(route, topology.groups);
  return {
    players: gateway,
    start() {
      copies.start();
      spaces.start();
      appointments.start();
      reach.start();
    },
    received(from, message) {
      if (copies.received(from, message)) return;
      if (message.kind === 'answer') route.answered(from, message);
      else if (message.kind === 'leads') route.led(from, message);
      else if (message.kind === 'beat-heard') appointments.heard(from, message);
      else if (message.kind === 'space') spaces.received(from, message.region, message.body);
      else if (message.kind === 'notice') {
        if (message.push === PLACEMENT_PUSH) appointments.told(message.value);
        else gateway.told(message);
      }
    },
    up(node) {
      copies.up(node);
      appointments.up(node);
    },
    lost(node) {
      copies.lost(node);
      appointments.lost(node);
      route.lost(node);
    },
    operated: (message) => copies.operated(message),
    isReady: () => reach.isDone,
    groups: () => [],
    audit: (fresh) => copies.auditor.audit(fresh),
    gateway: () => gateway.status(),
    spaces: () => spaces.status(),
    copies: () => copies.statuses(),
    outcomes: () => gateway.outcomes(),
    seesMajority: () => appointments.seesMajority,
    placement: () => ({ regions: appointments.regions, nodes: appointments.nodes }),
    worldEnds: () => appointments.worldEnds(),
    async stop() {
      await appointments.leave();
      appointments.stop();
      gateway.stop();
      spaces.stop();
      copies.stop();
    },
  };
}

function openSpaces({ topology, node: self, doors }: NodeSetting, outbox: Outbox): Spaces {
  const { clock, logger } = doors;
  const isLand = doors.loadLand();
  return new Spaces({ self, clock, logger, outbox, regions: topology.regions, isLand });
}

function openGateway(setting: NodeSetting, calls: GroupCalls, { presences }: Spaces): Gateway {
  const { topology, node: self, doors } = setting;
  const { clock, logger, secrets } = doors;
  const { regions } = topology;
  const home = (regions.find(({ copies }) => copies[0] === self) ?? regions[0])?.name ?? '';
  const accounts = new Accounts({ calls, secrets, clock, region: home });
  const standsIn = (player: PlayerId): string | undefined => presences.regionOf(player)?.name;
  const regional = new RegionCalls({ calls, self, regions, home, standsIn });
  return new Gateway({ clock, logger, calls, regional, accounts, presences });
}

/** Who has to know that a region has another primary, or is being sought one. */
function placedFor(
  regions: readonly RegionPlan[],
  o: { readonly route: Route; readonly spaces: Spaces; readonly gateway: Gateway },
): AppointmentsOptions['placed'] {
  return ({ number, primary, epoch, fence, appointments }) => {
    o.route.appointed(number, primary, epoch);
    o.spaces.appointed(number, primary);
    const name = regions.find((region) => region.number === number)?.name;
    if (fence !== null || name === undefined) return;
    o.gateway.regionAppointed({ name, appointments });
  };
}
