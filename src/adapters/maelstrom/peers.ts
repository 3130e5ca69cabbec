// The links between the nodes of a Maelstrom run behind the `Peers` port: frames as message bodies.
//
// `door.ts` opens one and tells it what was heard. Maelstrom's network has no connections, so a link
// stands while the other end was heard a moment ago: members of a group speak many times in that time,
// and a node that is cut off soon knows that it is alone. A node is always linked to itself.
import type { NodeId } from '../../base/id.ts';
import type { Clock, PeerListener, Peers } from '../../runtime/ports.ts';

/** Ten heartbeats. */
const SILENCE_MS_MAX = 500;

export interface MaelstromLinks {
  readonly self: NodeId;
  readonly names: ReadonlyMap<NodeId, string>;
  readonly clock: Clock;
  /** Hands frames in base64 to the network. */
  carry(frames: readonly { readonly to: string; readonly frame: string }[]): void;
}

export class MaelstromPeers implements Peers {
  readonly #links: MaelstromLinks;
  readonly #ids: ReadonlyMap<string, NodeId>;
  readonly #heardMs = new Map<NodeId, number>();
  #listener: PeerListener | undefined;
  #queued: { readonly to: string; readonly frame: string }[] = [];
  #toSelf: Uint8Array[] = [];

  constructor(links: MaelstromLinks) {
    this.#links = links;
    this.#ids = new Map([...links.names].map(([id, name]) => [name, id]));
  }

  send(to: NodeId, frame: Uint8Array): void {
    const name = this.#links.names.get(to);
    if (to === this.#links.self) this.#toSelf.push(frame);
    else if (name !== undefined) {
      this.#queued.push({ to: name, frame: Buffer.from(frame).toString('base64') });
    }
  }

  flush(): void {
    const queued = this.#queued;
    this.#queued = [];
    this.#links.carry(queued);
    if (this.#toSelf.length === 0) return;
    const toSelf = this.#toSelf;
    this.#toSelf = [];
    this.#links.clock.defer(() => {
      for (const frame of toSelf) this.#listener?.received(this.#links.self, frame);
    });
  }

  connected(to: NodeId): boolean {
    if (to === this.#links.self) return true;
    const heardMs = this.#heardMs.get(to);
    return heardMs !== undefined && this.#links.clock.monotonicMs() - heardMs <= SILENCE_MS_MAX;
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.#listener = undefined;
    return Promise.resolve();
  }

  /** Takes a frame in base64; one from a stranger is not heard. */
  heard(name: string, frame: string): void {
    const from = this.#ids.get(name);
    if (from === undefined || from === this.#links.self) return;
    const wasLinked = this.connected(from);
    this.#heardMs.set(from, this.#links.clock.monotonicMs());
    if (!wasLinked) this.#listener?.up(from);
    const bytes = Buffer.from(frame, 'base64');
    // Not a `Buffer`, whose `slice` shares memory where that of others copies.
    this.#listener?.received(from, new Uint8Array(bytes));
  }
}
