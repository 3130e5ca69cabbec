// Links between nodes in memory: the `Peers` port without sockets, for many nodes in one process.
//
// A frame arrives one millisecond of the virtual clock after its flush, or later where the test says so.
// Links can be cut, which both ends notice, or made deaf, which nobody notices: frames are then lost on the
// way. Silent ones do not count as connected, as with real ones after a while in which nothing came.
import type { NodeId } from '../../src/base/id.ts';
import type { PeerListener, Peers } from '../../src/runtime/ports.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class MemoryNetwork {
  readonly #clock: VirtualClock;
  readonly #ends = new Map<NodeId, End>();
  readonly #cut = new Set<string>();
  readonly #deaf = new Set<NodeId>();
  readonly #silent = new Set<NodeId>();
  /** How long a frame is under way. */
  travelMs: number = 1;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** A node's end of all its links; they stand as soon as both ends listen. */
  join(self: NodeId): Peers {
    const end: End = { queued: [], listener: undefined };
    this.#ends.set(self, end);
    return {
      send: (to, frame) => {
        if (this.#linked(self, to)) end.queued.push({ to, frame });
      },
      flush: () => {
        const { queued } = end;
        end.queued = [];
        for (const { to, frame } of queued) this.#carry(self, to, frame);
      },
      connected: (to) => this.#linked(self, to) && !this.#silent.has(to),
      listen: (listener) => {
        end.listener = listener;
        for (const [other, { listener: theirs }] of this.#ends) {
          if (!this.#linked(self, other)) continue;
          listener.up(other);
          theirs?.up(self);
        }
      },
      close: () => {
        this.#ends.delete(self);
        return Promise.resolve();
      },
    };
  }

  /** Breaks the link between two nodes; what is under way is lost, and both notice. */
  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(pair(a, b));
    this.#ends.get(a)?.listener?.lost(b);
    this.#ends.get(b)?.listener?.lost(a);
  }

  /** A process ends: its links break, and nobody listens where it was. */
  kill(node: NodeId): void {
    this.#ends.delete(node);
    for (const { listener } of this.#ends.values()) {
      listener?.lost(node);
      listener?.refused?.(node);
    }
  }

  mend(a: NodeId, b: NodeId): void {
    this.#cut.delete(pair(a, b));
    this.#ends.get(a)?.listener?.up(b);
    this.#ends.get(b)?.listener?.up(a);
  }

  /** Nothing reaches the node any more, though its links seem to stand: it hangs. */
  deafen(node: NodeId): void {
    this.#deaf.add(node);
  }

  /** The same, and long enough for its links to notice that nothing comes. */
  silence(node: NodeId): void {
    this.#deaf.add(node);
    this.#silent.add(node);
  }

  #carry(from: NodeId, to: NodeId, frame: Uint8Array): void {
    this.#clock.wakeAt(this.#clock.monotonicMs() + this.travelMs, () => {
      if (!this.#linked(from, to) || this.#deaf.has(to)) return;
      this.#ends.get(to)?.listener?.received(from, frame);
    });
  }

  #linked(a: NodeId, b: NodeId): boolean {
    if (a === b || this.#cut.has(pair(a, b))) return false;
    return this.#ends.get(a)?.listener !== undefined && this.#ends.get(b)?.listener !== undefined;
  }
}

interface End {
  queued: { readonly to: NodeId; readonly frame: Uint8Array }[];
  listener: PeerListener | undefined;
}

function pair(a: NodeId, b: NodeId): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
