// A region node: a gateway for players, the region they walk in, and the way to the groups.
//
// `node.ts` starts it. It keeps nothing on disk: a player whose region node dies resumes at another one
// with his token, and asks again under the same command ids what he had no answer for.
import type { PlayerId } from '../base/id.ts';
import { PLACEMENT_PUSH } from '../wire/placement.ts';
import { Accounts } from './accounts.ts';
import { Appointments } from './appointments.ts';
import { Gateway } from './gateway.ts';
import { GroupCalls } from './group-calls.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { Outbox } from './outbox.ts';
import { PlacementCalls } from './placement-calls.ts';
import { randomNumber } from './random-number.ts';
import { Reach } from './reach.ts';
import { RegionCalls } from './region-calls.ts';
import { Route } from './route.ts';
import { Spaces } from './spaces.ts';
import { foundationOf } from './topology.ts';

export function openRegionNode(setting: NodeSetting): NodeRole {
  const { topology, node: self, features, doors } = setting;
  const { clock, logger, peers, secrets } = doors;
  const outbox = new Outbox(clock, peers);
  const route = openRoute(setting, outbox);
  const calls = new GroupCalls({ route, logger, topology, features });
  const { regions } = topology;
  const home = (regions.find(({ copies }) => copies[0] === self) ?? regions[0])?.name ?? '';
  const accounts = new Accounts({ calls, secrets, clock, region: home });
  const isLand = doors.loadLand();
  const spaces = new Spaces({ self, clock, logger, outbox, regions, isLand });
  const { presences } = spaces;
  const standsIn = (player: PlayerId): string | undefined => presences.regionOf(player)?.name;
  const regional = new RegionCalls({ calls, self, regions, home, standsIn });
  const gateway = new Gateway({ clock, logger, calls, regional, accounts, presences });
  const appointments = openAppointments({ setting, outbox, calls, route, spaces, gateway });
  const reach = new Reach(route, topology.groups);
  return {
    players: gateway,
    start() {
      spaces.start();
      for (const { number, copies } of regions) {
        if (copies[0] !== undefined) spaces.appointed(number, copies[0]);
      }
      appointments.start();
      reach.start();
    },
    received(from, message) {
      if (message.kind === 'answer') route.answered(from, message);
      else if (message.kind === 'leads') route.led(from, message);
      else if (message.kind === 'beat-heard') appointments.heard(from, message);
      else if (message.kind === 'space') spaces.received(from, message.region, message.body);
      else if (message.kind === 'notice') {
        if (message.push === PLACEMENT_PUSH) appointments.told(message.value);
        else gateway.told(message);
      }
    },
    up: (node) => appointments.up(node),
    lost(node) {
      appointments.lost(node);
      route.lost(node);
    },
    operated: () => {},
    isReady: () => reach.isDone,
    groups: () => [],
    audit: () => [],
    gateway: () => gateway.status(),
    spaces: () => spaces.status(),
    outcomes: () => gateway.outcomes(),
    stop() {
      appointments.stop();
      gateway.stop();
      spaces.stop();
      return Promise.resolve();
    },
  };
}

/** To the groups, and to the regions wherever their primaries are. */
function openRoute({ topology, doors }: NodeSetting, outbox: Outbox): Route {
  const { clock, entropy, peers } = doors;
  return new Route({
    clock,
    peers,
    outbox,
    groups: [
      ...topology.groups,
      ...topology.regions.map(({ copies: members, ...region }) => ({ ...region, members })),
    ],
    firstNumber: randomNumber(entropy.bytes(6)),
  });
}

function openAppointments(o: {
  readonly setting: NodeSetting;
  readonly outbox: Outbox;
  readonly calls: GroupCalls;
  readonly route: Route;
  readonly spaces: Spaces;
  readonly gateway: Gateway;
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
    copies: [],
    placed({ number, primary, epoch, start, fence }) {
      o.route.appointed(number, primary, epoch);
      o.spaces.appointed(number, primary);
      const name = topology.regions.find((region) => region.number === number)?.name;
      if (fence !== null || name === undefined) return;
      o.gateway.regionAppointed({ number, name, epoch, start: start.sequence });
    },
  });
}
