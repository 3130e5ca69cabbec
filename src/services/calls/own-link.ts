// A node's link to itself, so that who asks need not care whether the node that answers is his own.
//
// `region-node.ts` puts it in front of the links to the others: its gateway asks regions whose copies may
// lie in the same process. Frames to oneself arrive when the loop next runs, as they would over a link.
import type { NodeId } from '../../base/id.ts';
import type { Clock, PeerListener, Peers } from '../../runtime/ports.ts';

export function withOwnLink(o: { self: NodeId; clock: Clock; peers: Peers }): Peers {
  const { self, clock, peers } = o;
  let listener: PeerListener | undefined;
  return {
    send(to, frame) {
      if (to !== self) peers.send(to, frame);
      else clock.defer(() => listener?.received(self, frame));
    },
    flush: () => peers.flush(),
    connected: (to) => to === self || peers.connected(to),
    listen(listening) {
      listener = listening;
      peers.listen(listening);
    },
    close() {
      listener = undefined;
      return peers.close();
    },
  };
}
