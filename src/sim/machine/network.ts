// The network of a simulated world: the `Peers` port over links that delay, lose, double, mix up, break.
//
// Between two nodes stands at most one link. As a stream (like TCP) it keeps frames in order, a lost
// packet only delays what follows, and a cut holds everything up until it heals or the link breaks.
// As datagrams, which the port also allows, frames between global nodes are lost, doubled and
// reordered one by one. Cuts are one-way and counted, so that several faults may overlap.
// Invariant: at each end, `up` and `lost` take turns; frames of a broken link never arrive.
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import type { PeerListener, Peers } from '../../runtime/ports.ts';
import type { VirtualProcess } from './process.ts';
import type { EventQueue } from './queue.ts';

/** Frames that a stalled direction holds; beyond it the oldest link would be torn down: it breaks. */
const HELD_FRAMES_MAX = 20_000;
const RECONNECT_US_MIN = 2_000;
const RECONNECT_US_MAX = 120_000;
/** After a link is lost it is dialled anew. */
const REDIAL_US = 2_000;
const RETRANSMIT_US_MIN = 30_000;
const RETRANSMIT_US_MAX = 250_000;

export interface NetworkOptions {
  readonly queue: EventQueue;
  readonly random: Random;
  /** One way, before jitter. */
  readonly latencyUs: (from: NodeId, to: NodeId) => number;
  readonly jitterUsMax: number;
  /** Of 1,000 packets. */
  readonly lost: number;
  readonly doubled: number;
  /** Whether frames between these two travel alone, without order. */
  readonly isDatagram: (a: NodeId, b: NodeId) => boolean;
  /** Each frame that is handed to a link. */
  readonly sent: (from: NodeId, to: NodeId, frame: Uint8Array) => void;
  /** Frames arrive; for the digest. */
  readonly arrived: (to: NodeId, frames: readonly Uint8Array[]) => void;
}

interface End {
  readonly life: VirtualProcess;
  readonly admits: Admits;
  listener: PeerListener | undefined;
  /** Frames that wait for `flush`, by receiver: a few lists, in the order in which they began. */
  queued: Queued[];
}

interface Queued {
  readonly to: NodeId;
  readonly frames: Uint8Array[];
}

/** Whether a process lets a node of this id in: the handshake turns away whom its topology does not know. */
export type Admits = (node: NodeId) => boolean;

/** One way of a link. */
interface Direction {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly isDatagram: boolean;
  /** The receiver believes that the link stands: the sender's view is in the other direction. */
  standing: boolean;
  blocks: number;
  extraUs: number;
  lastArrivalUs: number;
  held: Uint8Array[][];
}

interface Way {
  readonly link: Link;
  readonly direction: Direction;
}

interface Link {
  readonly directions: readonly [Direction, Direction];
  /** Counts the connections; 0 before the first. */
  generation: number;
  joined: boolean;
  joining: boolean;
}

export class Network {
  readonly #o: NetworkOptions;
  #lost: number;
  #doubled: number;
  #jitterUsMax: number;
  /** Whatever disturbs frames by chance has ended. */
  isCalm = false;
  readonly #ends = new Map<NodeId, End>();
  readonly #links: Link[] = [];
  /** The same by sender and receiver: every frame asks for one. */
  readonly #byEnds: Way[][] = [];

  constructor(options: NetworkOptions) {
    this.#o = options;
    this.#lost = options.lost;
    this.#doubled = options.doubled;
    this.#jitterUsMax = options.jitterUsMax;
  }

  /** From now on nothing is lost or doubled, and all that was sent takes about as long. */
  calm(jitterUsMax: number): void {
    this.isCalm = true;
    this.#lost = 0;
    this.#doubled = 0;
    this.#jitterUsMax = Math.min(this.#jitterUsMax, jitterUsMax);
  }

  /** The links of a process that starts. They come up once it listens. */
  join(life: VirtualProcess, admits: Admits = () => true): Peers {
    const end: End = { life, admits, listener: undefined, queued: [] };
    this.#ends.set(life.node, end);
    return {
      send: (to, frame) => this.#send(end, to, frame),
      flush: () => this.#flush(end),
      connected: (to) => this.#direction(to, life.node).standing,
      listen: (listener) => {
        life.touch();
        end.listener = listener;
        for (const other of this.#ends.keys()) {
          if (other !== life.node) this.#connectSoon(life.node, other);
        }
      },
      close: () => Promise.resolve(),
    };
  }

  /** A process ended. `silent`: its machine died, so that nobody is told; else its links are reset. */
  leave(node: NodeId, silent: boolean): void {
    this.#ends.delete(node);
    for (const link of this.#links) {
      const [one, other] = link.directions;
      if (one.from !== node && other.from !== node) continue;
      const away = one.to === node ? one : other;
      const back = away === one ? other : one;
      away.standing = false;
      if (!link.joined) continue;
      this.#drop(link);
      const delayUs = silent ? this.#o.random.integer(800_000, 4_000_000) : this.#delayUs(back);
      if (silent || back.blocks === 0) this.#loseLater(link, back, delayUs);
      else this.#loseLater(link, back, this.#o.random.integer(300_000, 3_000_000));
      if (!silent && back.blocks === 0) this.#refuseLater(link, back, delayUs + REDIAL_US);
    }
  }

  /** Nothing passes this way until as many `unblock` came. A stream breaks after `breaksAfterUs`. */
  block(from: NodeId, to: NodeId, breaksAfterUs: number): void {
    const link = this.#link(from, to);
    this.#direction(from, to).blocks += 1;
    const { generation } = link;
    if (!Number.isFinite(breaksAfterUs)) return;
    this.#o.queue.after(breaksAfterUs, () => {
      const blocked = link.directions.some(({ blocks }) => blocks > 0);
      if (link.joined && link.generation === generation && blocked) this.break(from, to);
    });
  }

  unblock(from: NodeId, to: NodeId): void {
    const direction = this.#direction(from, to);
    direction.blocks -= 1;
    if (direction.blocks > 0) return;
    const { held } = direction;
    direction.held = [];
    const link = this.#link(from, to);
    const waitUs = this.#o.random.integer(0, RETRANSMIT_US_MAX);
    for (const frames of held) this.#carry(link, direction, frames, waitUs);
    if (!link.joined) this.#connectSoon(from, to);
  }

  /** A connection is torn down; both ends notice, and it is made anew. */
  break(a: NodeId, b: NodeId): void {
    const link = this.#link(a, b);
    if (!link.joined) return;
    this.#drop(link);
    for (const direction of link.directions) {
      this.#loseLater(link, direction, this.#o.random.integer(0, 20_000));
    }
    this.#connectSoon(a, b);
  }

  slow(from: NodeId, to: NodeId, extraUs: number): void {
    this.#direction(from, to).extraUs += extraUs;
  }

  /** Frames that wait on stalled links. */
  get held(): number {
    let count = 0;
    for (const { directions } of this.#links) {
      for (const { held } of directions) for (const frames of held) count += frames.length;
    }
    return count;
  }

  #send(end: End, to: NodeId, frame: Uint8Array): void {
    end.life.touch();
    const { node } = end.life;
    if (!this.#direction(to, node).standing) return;
    this.#o.sent(node, to, frame);
    const queued = end.queued.find((each) => each.to === to);
    if (queued === undefined) end.queued.push({ to, frames: [frame] });
    else queued.frames.push(frame);
  }

  #flush(end: End): void {
    const { life, queued } = end;
    if (queued.length === 0) return;
    life.touch();
    for (const { to, frames } of queued) {
      const { link, direction } = this.#way(life.node, to);
      if (link.joined) this.#leave(link, direction, frames, life.busyUs);
    }
    end.queued = [];
  }

  #leave(link: Link, direction: Direction, frames: Uint8Array[], busyUs: number): void {
    const { random } = this.#o;
    const [lost, doubled] = [this.#lost, this.#doubled];
    if (direction.isDatagram) {
      if (direction.blocks > 0) return;
      for (const frame of frames) {
        if (lost > 0 && random.chance(lost, 1_000)) continue;
        this.#carry(link, direction, [frame], busyUs);
        if (doubled === 0 || !random.chance(doubled, 1_000)) continue;
        this.#carry(link, direction, [frame], random.integer(0, RETRANSMIT_US_MAX));
      }
      return;
    }
    if (direction.blocks > 0) {
      direction.held.push(frames);
      if (direction.held.length > HELD_FRAMES_MAX) this.break(direction.from, direction.to);
      return;
    }
    const again = lost > 0 && random.chance(lost, 1_000);
    const waitUs = again ? random.integer(RETRANSMIT_US_MIN, RETRANSMIT_US_MAX) : 0;
    this.#carry(link, direction, frames, busyUs + waitUs);
  }

  #carry(link: Link, direction: Direction, frames: Uint8Array[], waitUs: number): void {
    const { queue } = this.#o;
    const { generation } = link;
    let atUs = queue.nowUs + waitUs + this.#delayUs(direction);
    if (!direction.isDatagram) {
      atUs = Math.max(atUs, direction.lastArrivalUs);
      direction.lastArrivalUs = atUs;
    }
    queue.at(atUs, () => {
      const end = this.#ends.get(direction.to);
      if (end === undefined || !link.joined || link.generation !== generation) return;
      end.life.take('frames', () => {
        if (!direction.standing || link.generation !== generation) return;
        this.#o.arrived(direction.to, frames);
        for (const frame of frames) end.listener?.received(direction.from, frame);
      });
    });
  }

  #delayUs({ from, to, extraUs }: Direction): number {
    const { latencyUs, random } = this.#o;
    const jitterUs = this.#jitterUsMax === 0 ? 0 : random.integer(0, this.#jitterUsMax);
    return latencyUs(from, to) + extraUs + jitterUs;
  }

  #connectSoon(a: NodeId, b: NodeId): void {
    const link = this.#link(a, b);
    if (link.joined || link.joining) return;
    link.joining = true;
    const { queue, random } = this.#o;
    queue.after(random.integer(RECONNECT_US_MIN, RECONNECT_US_MAX), () => {
      link.joining = false;
      this.#connect(link);
    });
  }

  #connect(link: Link): void {
    const [there, back] = link.directions;
    const one = this.#ends.get(there.from);
    const other = this.#ends.get(there.to);
    if (link.joined || one?.listener === undefined || other?.listener === undefined) return;
    if (!one.admits(there.to) || !other.admits(there.from)) return;
    // A cut that ends tries again.
    if (there.blocks > 0 || back.blocks > 0) return;
    link.joined = true;
    link.generation += 1;
    const { generation } = link;
    for (const direction of link.directions) {
      const end = direction === there ? other : one;
      direction.held = [];
      direction.lastArrivalUs = 0;
      const stand = (): void => {
        if (!link.joined || link.generation !== generation) return;
        if (direction.standing) end.listener?.lost(direction.from);
        direction.standing = true;
        end.listener?.up(direction.from);
      };
      // The dialled end is up first; what it sends at once finds the other one up.
      const afterUs = direction === there ? 0 : this.#delayUs(direction);
      this.#o.queue.after(afterUs, () => end.life.take('up', stand));
    }
    back.lastArrivalUs = this.#o.queue.nowUs + this.#delayUs(back);
  }

  #drop(link: Link): void {
    link.joined = false;
    for (const direction of link.directions) direction.held = [];
  }

  /** The receiver of this direction notices, unless it has a new link by then. */
  #loseLater(link: Link, direction: Direction, delayUs: number): void {
    const { generation } = link;
    this.#o.queue.after(delayUs, () => {
      const end = this.#ends.get(direction.to);
      end?.life.take('lost', () => {
        if (!direction.standing || link.generation !== generation) return;
        direction.standing = false;
        end.queued = end.queued.filter(({ to }) => to !== direction.from);
        end.listener?.lost(direction.from);
      });
    });
  }

  /** Who dials anew is refused, unless somebody listens there again by then. */
  #refuseLater(link: Link, { from, to }: Direction, delayUs: number): void {
    const { generation } = link;
    this.#o.queue.after(delayUs, () => {
      const end = this.#ends.get(to);
      if (end?.listener?.refused === undefined) return;
      end.life.take('lost', () => {
        const isGone = !this.#ends.has(from) && link.generation === generation;
        if (isGone && !this.#direction(from, to).standing) end.listener?.refused?.(from);
      });
    });
  }

  #link(a: NodeId, b: NodeId): Link {
    return this.#way(a, b).link;
  }

  #direction(from: NodeId, to: NodeId): Direction {
    return this.#way(from, to).direction;
  }

  #way(from: NodeId, to: NodeId): Way {
    return this.#byEnds[from]?.[to] ?? this.#newWay(from, to);
  }

  #newWay(a: NodeId, b: NodeId): Way {
    const isDatagram = this.#o.isDatagram(a, b);
    const [low, high] = a < b ? [a, b] : [b, a];
    const direction = (from: NodeId, to: NodeId): Direction => {
      const nothing = { standing: false, blocks: 0, extraUs: 0, lastArrivalUs: 0, held: [] };
      return { from, to, isDatagram, ...nothing };
    };
    const [there, back] = [direction(low, high), direction(high, low)];
    const link: Link = {
      directions: [there, back],
      generation: 0,
      joined: false,
      joining: false,
    };
    this.#links.push(link);
    (this.#byEnds[low] ??= [])[high] = { link, direction: there };
    (this.#byEnds[high] ??= [])[low] = { link, direction: back };
    return { link, direction: a === low ? there : back };
  }
}
