// A region node: a gateway for players, the region they walk in, and the way to the groups.
//
// `node.ts` starts it. It keeps nothing on disk: a player whose region node dies resumes at another one
// with his token, and asks again under the same command ids what he had no answer for.
import { ByteReader } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { encodeQuery } from '../wire/command.ts';
import { Accounts } from './accounts.ts';
import { Gateway } from './gateway.ts';
import { GroupCalls } from './group-calls.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { Outbox } from './outbox.ts';
import { RegionHost } from './region.ts';
import { ASK_DEADLINE_MS, Route } from './route.ts';

/** No feature has such a call: a group refuses it, and whoever refuses can be reached. */
const REACHABLE: Uint8Array = encodeQuery({ player: 0, call: 'reachable', args: new Uint8Array(0) });

export function openRegionNode(setting: NodeSetting): NodeRole {
  const { topology, node: self, features, doors } = setting;
  const { clock, entropy, logger, peers, secrets } = doors;
  const plan = topology.regions.find(({ copies }) => copies[0] === self);
  invariant(plan !== undefined, `region node ${self} has a region`);
  const route = new Route({
    clock,
    peers,
    outbox: new Outbox(clock, peers),
    groups: topology.groups,
    firstNumber: randomNumber(entropy.bytes(6)),
  });
  const calls = new GroupCalls({ route, logger, topology, features });
  const accounts = new Accounts({ calls, secrets, clock });
  const region = new RegionHost({ plan, isLand: doors.loadLand(), clock });
  const gateway = new Gateway({ clock, logger, calls, accounts, region });
  const unreached = new Set(topology.groups.map(({ number }) => number));
  const reach = (group: number): void => {
    route.ask({
      group,
      mode: 'query',
      body: REACHABLE,
      deadlineMs: ASK_DEADLINE_MS,
      answer: ({ kind }) => {
        if (kind === 'answered') unreached.delete(group);
        else reach(group);
      },
    });
  };
  return {
    players: gateway,
    start() {
      region.start();
      for (const group of unreached) reach(group);
    },
    received(from, message) {
      if (message.kind === 'answer') route.answered(from, message);
      else if (message.kind === 'notice') gateway.told(message);
    },
    up: () => {},
    lost: (node) => route.lost(node),
    operated: () => {},
    isReady: () => unreached.size === 0,
    groups: () => [],
    audit: () => [],
    region: () => ({ ...region.status(), ...gateway.traffic() }),
    outcomes: () => gateway.outcomes(),
    stop() {
      region.stop();
      gateway.stop();
      return Promise.resolve();
    },
  };
}

/** A 48-bit number out of six bytes. */
function randomNumber(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  return reader.u32() * 2 ** 16 + reader.u16();
}
