// A region node: a gateway for players, the region they walk in, copies of regions, the way to the groups.
//
// `node.ts` starts it. It keeps the copies on disk and nothing of its players: who loses his region node
// resumes at another one with his token, and asks again under the same command ids what he had no answer
// for.
import type { PlayerId } from '../base/id.ts';
import { PLACEMENT_PUSH } from '../wire/placement.ts';
import { Accounts } from './accounts.ts';
import { Appointments } from './appointments.ts';
import { Gateway } from './gateway.ts';
import { GroupCalls } from './group-calls.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { openRoute } from './open-route.ts';
import { Outbox } from './outbox.ts';
import { PeerEvents } from './peer-events.ts';
import { PlacementCalls } from './placement-calls.ts';
import { Reach } from './reach.ts';
import { RegionCalls } from './region-calls.ts';
import { RegionCopies } from './region-copies.ts';
import type { Route } from './route.ts';
import { Spaces } from './spaces.ts';
import { foundationOf, type RegionPlan } from './topology.ts';

export function openRegionNode(setting: NodeSetting): NodeRole {
  const { topology, features, doors } = setting;
  const { clock, logger, peers } = doors;
  const outbox = new Outbox(clock, peers);
  const route = openRoute(setting, outbox);
  const copies = new RegionCopies(setting, new PeerEvents(route));
  const calls = new GroupCalls({ route, logger, topology, features });
  const spaces = openSpaces(setting, outbox);
  const gateway = openGateway(setting, calls, spaces);
  const appointments = openAppointments({ setting, outbox, calls, route, spaces, gateway, copies });
  const reach = new Reach(route, topology.groups);
  return {
    players: gateway,
    start() {
      copies.start();
      spaces.start();
      beginSpaces(spaces, topology.regions);
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
    stop() {
      appointments.stop();
      gateway.stop();
      spaces.stop();
      copies.stop();
      return Promise.resolve();
    },
  };
}

/** Until placement says otherwise, the first copy of each region is where it was founded. */
function beginSpaces(spaces: Spaces, regions: readonly RegionPlan[]): void {
  for (const { number, copies } of regions) {
    if (copies[0] !== undefined) spaces.appointed(number, copies[0]);
  }
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

function openAppointments(o: {
  readonly setting: NodeSetting;
  readonly outbox: Outbox;
  readonly calls: GroupCalls;
  readonly route: Route;
  readonly spaces: Spaces;
  readonly gateway: Gateway;
  readonly copies: RegionCopies;
}): Appointments {
  const { topology, node: self, doors } = o.setting;
  const { clock, logger } = doors;
  return new Appointments({
    self,
    clock,
    logger,
    outbox: o.outbox,
    calls: new PlacementCalls(o.calls),
    witnesses: foundationOf(topology).witnesses,
    copies: [...o.copies.sets.values()],
    placed({ number, primary, epoch, start, fence }) {
      o.route.appointed(number, primary, epoch);
      o.spaces.appointed(number, primary);
      const name = topology.regions.find((region) => region.number === number)?.name;
      if (fence !== null || name === undefined) return;
      o.gateway.regionAppointed({ number, name, epoch, start: start.sequence });
    },
  });
}
