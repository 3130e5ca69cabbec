import { nodeId } from '../../../src/base/id.ts';
import type { StateMachine } from '../../../src/protocols/state-machine.ts';
import type { Group } from '../../../src/runtime/group.ts';
import { Global } from '../../../src/services/global.ts';
import { Outbox } from '../../../src/services/calls/outbox.ts';
import { PeerEvents } from '../../../src/services/events/peer-events.ts';
import { Route } from '../../../src/services/calls/route.ts';
import { decodePeerMessage } from '../../../src/wire/peer.ts';
import { type EventsBench, testEventsContract } from '../../support/events-contract.ts';
import { MemoryNetwork } from '../../support/memory-peers.ts';
import { SoloGroup } from '../../support/tiny-world.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const SENDER = nodeId(9);
/** Longer than an ask may take. */
const SETTLED_MS = 4_000;

testEventsContract('events over peers', (logs) => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const groups = [...logs.keys()].map((number) => ({
    number,
    name: `log-${number}`,
    members: [nodeId(number)],
    features: [],
  }));
  const solos = new Map(
    [...logs].map(([number, machine]) => [number, serve(network, clock, number, machine)]),
  );
  const peers = network.join(SENDER);
  const route = new Route({ clock, peers, outbox: new Outbox(clock, peers), groups, firstNumber: 1 });
  peers.listen({
    received: (from, frame) => {
      const message = decodePeerMessage(frame);
      if (message.kind === 'answer') route.answered(from, message);
    },
    up: () => {},
    lost: (node) => route.lost(node),
  });
  const bench: EventsBench = {
    events: new PeerEvents(route),
    setAway(to, isAway) {
      if (isAway) network.cut(SENDER, nodeId(to));
      else network.mend(SENDER, nodeId(to));
    },
    setMute(to, isMute) {
      const solo = solos.get(to);
      if (solo !== undefined) solo.isMute = isMute;
    },
    settle: () => clock.advance(SETTLED_MS),
  };
  return bench;
});

/** A node that leads one log alone, and answers unless it is mute. */
function serve(
  network: MemoryNetwork,
  clock: VirtualClock,
  number: number,
  machine: StateMachine,
): { isMute: boolean } {
  const said = { isMute: false };
  const peers = network.join(nodeId(number));
  const solo = new SoloGroup(`log-${number}`, machine, clock, () => global);
  const group: Group = {
    name: solo.name,
    propose: (command, answer) =>
      solo.propose(command, (decided) => {
        if (!said.isMute) answer(decided);
      }),
    query: (request, answer) => solo.query(request, answer),
    inspect: () => solo.inspect(),
    read: (request) => solo.read(request),
    status: () => solo.status(),
  };
  const global = new Global({
    groups: new Map([[number, group]]),
    outbox: new Outbox(clock, peers),
    regionNodes: [],
  });
  peers.listen({
    received(from, frame) {
      const message = decodePeerMessage(frame);
      if (message.kind === 'ask') global.asked(from, message);
    },
    up: () => {},
    lost: () => {},
  });
  return said;
}
