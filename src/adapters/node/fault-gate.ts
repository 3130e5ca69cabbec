// The gate that an operator can put on the links of this node: what it sends is cut, delayed or lost.
//
// `cli/node` makes one for a node that has a supervisor, which alone can close it; `peers` asks it before
// each frame. Every node gates what it sends, so that each direction of a link has a fault of its own.
// A gate that stands open costs one comparison.
// Invariants: held frames keep their order on a link, as on one connection; what is held back is at most
// `HELD_BYTES_MAX` for each link, and what comes beyond is lost.
import type { NodeId } from '../../base/id.ts';
import { InvalidInputError } from '../../base/errors.ts';
import type { Logger } from '../../runtime/ports.ts';
import { type FaultyLink, linkFaults, LOSS_MAX } from '../../wire/link-faults.ts';

/** A second of delay at 16 MB/s. */
export const HELD_BYTES_MAX: number = 16 * 1024 * 1024;

/** What the gate does to the links. */
export interface GatedLinks {
  /** Sends a frame that was held back, at once. */
  pass(to: NodeId, frame: Uint8Array): void;
  /** Breaks the connection. */
  reset(to: NodeId): void;
  /** Something changed: connections may come up that were turned away. */
  changed(): void;
}

interface Held {
  readonly frame: Uint8Array;
  readonly dueAtMs: number;
}

interface Queue {
  readonly frames: Held[];
  bytes: number;
  timer: NodeJS.Timeout | undefined;
}

export class FaultGate {
  readonly #logger: Logger;
  readonly #queues = new Map<NodeId, Queue>();
  #faults: ReadonlyMap<NodeId, FaultyLink> = new Map();
  #links: GatedLinks | undefined;
  #isOpen = true;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** True while no link is faulty: then nothing need be asked. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  attach(links: GatedLinks): void {
    this.#links = links;
  }

  /** Takes what the supervisor says, if it is for the gate; what makes no sense is logged and dropped. */
  command(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('kind' in message)) return;
    if (message.kind !== 'link-faults') return;
    try {
      this.#set(linkFaults.parse(message, 'link-faults').links);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.#logger.log('warn', 'link-faults-unreadable', { cause: cause.message });
    }
  }

  /** Whether a connection with this node is kept from coming up. */
  bars(node: NodeId): boolean {
    const fault = this.#faults.get(node);
    return fault !== undefined && fault.cut !== 'no';
  }

  /** Whether the gate keeps the frame: it is lost, or a copy is passed later. */
  keeps(to: NodeId, frame: Uint8Array): boolean {
    const fault = this.#faults.get(to);
    const queue = this.#queues.get(to);
    if (fault === undefined && queue === undefined) return false;
    if (fault !== undefined && isLost(fault)) return true;
    const delayMs = fault === undefined ? 0 : delayOf(fault);
    if (delayMs <= 0 && queue === undefined) return false;
    this.#hold(to, frame, performance.now() + delayMs);
    return true;
  }

  /** Forgets everything that is held back. */
  close(): void {
    for (const { timer } of this.#queues.values()) clearTimeout(timer);
    this.#queues.clear();
  }

  #set(links: readonly FaultyLink[]): void {
    this.#faults = new Map(links.map((link) => [link.to, link]));
    this.#logger.log('warn', 'link-faults', { links });
    for (const { to, cut } of links) {
      // What was on its way into a cut does not come out of it later.
      if (cut !== 'no') this.#forget(to);
      if (cut === 'reset') this.#links?.reset(to);
    }
    this.#isOpen = links.length === 0 && this.#queues.size === 0;
    this.#links?.changed();
  }

  #hold(to: NodeId, frame: Uint8Array, dueAtMs: number): void {
    let queue = this.#queues.get(to);
    if (queue === undefined) {
      queue = { frames: [], bytes: 0, timer: undefined };
      this.#queues.set(to, queue);
    }
    if (queue.bytes + frame.length > HELD_BYTES_MAX) return;
    const last = queue.frames.at(-1)?.dueAtMs ?? 0;
    queue.frames.push({ frame: frame.slice(), dueAtMs: Math.max(dueAtMs, last) });
    queue.bytes += frame.length;
    this.#arm(to, queue);
  }

  #arm(to: NodeId, queue: Queue): void {
    const [first] = queue.frames;
    if (first === undefined || queue.timer !== undefined) return;
    queue.timer = setTimeout(
      () => {
        queue.timer = undefined;
        this.#release(to, queue);
      },
      Math.max(0, first.dueAtMs - performance.now()),
    );
  }

  #release(to: NodeId, queue: Queue): void {
    const nowMs = performance.now();
    const due = queue.frames.findIndex(({ dueAtMs }) => dueAtMs > nowMs);
    for (const { frame } of queue.frames.splice(0, due < 0 ? queue.frames.length : due)) {
      queue.bytes -= frame.length;
      this.#links?.pass(to, frame);
    }
    if (queue.frames.length > 0) {
      this.#arm(to, queue);
      return;
    }
    this.#queues.delete(to);
    this.#isOpen = this.#faults.size === 0 && this.#queues.size === 0;
  }

  #forget(to: NodeId): void {
    clearTimeout(this.#queues.get(to)?.timer);
    this.#queues.delete(to);
  }
}

function isLost({ cut, lossPerMille }: FaultyLink): boolean {
  return cut !== 'no' || (lossPerMille > 0 && Math.random() * LOSS_MAX < lossPerMille);
}

function delayOf({ delayMs, jitterMs }: FaultyLink): number {
  return jitterMs === 0 ? delayMs : delayMs + (2 * Math.random() - 1) * jitterMs;
}
