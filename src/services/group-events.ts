// Events of the groups that a global node is a member of: on their way to the regions, while it leads.
//
// `global-node.ts` opens the pump, starts it and tells it of changes.
import type { OperatedGroup } from '../runtime/group.ts';
import { emitsEvents, EventPump, type EventSource } from './events/event-pump.ts';
import type { NodeSetting } from './node-role.ts';
import { PeerEvents } from './events/peer-events.ts';
import type { Route } from './calls/route.ts';
import { featuresNamed } from './topology/surroundings.ts';

export function openGroupEvents(
  { topology, features, doors }: NodeSetting,
  groups: ReadonlyMap<number, OperatedGroup>,
  route: Route,
): EventPump {
  const sources = topology.groups.flatMap(({ number, features: held }) => {
    const group = groups.get(number);
    if (group === undefined || !emitsEvents(featuresNamed(held, features))) return [];
    return [eventSourceOf(number, group)];
  });
  return new EventPump({ clock: doors.clock, events: new PeerEvents(route), sources });
}

function eventSourceOf(number: number, group: OperatedGroup): EventSource {
  return {
    number,
    committed() {
      const { role, commit } = group.status();
      return role === 'leader' ? commit : undefined;
    },
    read: (request) => group.read(request),
    propose: (command, answer) => group.propose(command, answer),
  };
}
