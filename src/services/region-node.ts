// A region node: a gateway for players, the region they walk in, and the way to the groups.
//
// `node.ts` starts it. It keeps nothing on disk: a player whose region node dies resumes at another one
// with his token, and asks again under the same command ids what he had no answer for.
import { ByteReader } from '../base/bytes.ts';
import type { PlayerId } from '../base/id.ts';
import { Accounts } from './accounts.ts';
import { Gateway } from './gateway.ts';
import { GroupCalls } from './group-calls.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { Outbox } from './outbox.ts';
import { Reach } from './reach.ts';
import { RegionCalls } from './region-calls.ts';
import { Route } from './route.ts';
import { Spaces } from './spaces.ts';

export function openRegionNode(setting: NodeSetting): NodeRole {
  const { topology, node: self, features, doors } = setting;
  const { clock, entropy, logger, peers, secrets } = doors;
  const outbox = new Outbox(clock, peers);
  const route = new Route({
    clock,
    peers,
    outbox,
    groups: topology.groups,
    firstNumber: randomNumber(entropy.bytes(6)),
  });
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
  const reach = new Reach(route, topology.groups);
  return {
    players: gateway,
    start() {
      spaces.start();
      for (const { number, copies } of regions) {
        if (copies[0] !== undefined) spaces.appointed(number, copies[0]);
      }
      reach.start();
    },
    received(from, message) {
      if (message.kind === 'answer') route.answered(from, message);
      else if (message.kind === 'leads') route.led(from, message);
      else if (message.kind === 'notice') gateway.told(message);
      else if (message.kind === 'space') spaces.received(from, message.region, message.body);
    },
    up: () => {},
    lost: (node) => route.lost(node),
    operated: () => {},
    isReady: () => reach.isDone,
    groups: () => [],
    audit: () => [],
    gateway: () => gateway.status(),
    spaces: () => spaces.status(),
    outcomes: () => gateway.outcomes(),
    stop() {
      gateway.stop();
      spaces.stop();
      return Promise.resolve();
    },
  };
}

/** A 48-bit number out of six bytes. */
function randomNumber(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  return reader.u32() * 2 ** 16 + reader.u16();
}
