// What leaves for other nodes outside of the groups' own turn: asks, answers and notices.
//
// Everything that one run of the event loop produced leaves together: under load that is one write
// per link instead of one per message, and an idle node loses no time by it.
import type { NodeId } from '../../base/id.ts';
import type { Clock, Peers } from '../../runtime/ports.ts';

export class Outbox {
  readonly #clock: Clock;
  readonly #peers: Peers;
  #flushDue = false;

  constructor(clock: Clock, peers: Peers) {
    this.#clock = clock;
    this.#peers = peers;
  }

  /** Hands a frame to the link; false when there is none at this moment, and nothing was sent. */
  send(to: NodeId, frame: Uint8Array): boolean {
    if (!this.#peers.connected(to)) return false;
    this.#peers.send(to, frame);
    if (!this.#flushDue) {
      this.#flushDue = true;
      this.#clock.defer(() => {
        this.#flushDue = false;
        this.#peers.flush();
      });
    }
    return true;
  }
}
