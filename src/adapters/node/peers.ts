// The links between the nodes of one world: TCP, authenticated, bounded, dialled again when broken.
//
// The services and the loop meet them through the `Peers` port. Between two nodes at most one link
// stands, and it carries frames both ways. A node dials those it was told to; where both dial each
// other, the link that the lower id dialled is kept, and a second one dialled by the same node
// replaces its first, for that node must have lost it.
// Invariants: nothing from a connection reaches the listener before its handshake has succeeded;
// for each node, `up` and `lost` take turns.
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';

import type { NodeId } from '../../base/id.ts';
import type { Logger, PeerListener, Peers } from '../../runtime/ports.ts';
import { encodeFrames, FrameWriter } from '../../wire/frame.ts';
import type { Claim } from '../../wire/incarnation.ts';
import type { FaultGate } from './fault-gate.ts';
import { listen } from './listen.ts';
import { Handshake, type HandshakeRefusal, type HandshakeStep } from './peer-handshake.ts';
import { PeerLink } from './peer-link.ts';
import { rareLogger } from './rare-log.ts';

/** From connecting to proved: a stranger that says nothing is not kept longer. */
const HANDSHAKE_MS_MAX = 2_000;
/** Accepted connections that are not proved; beyond it the oldest makes room for the newest. */
const UNPROVED_MAX = 64;
/** Each side says so often that it lives, with an empty frame, unless it has just said something else. */
const ALIVE_EVERY_MS = 100;
const JUST_MS = ALIVE_EVERY_MS / 2;
/** A link over which nothing came for so long leads nowhere, though nobody has closed it. */
const SILENT_MS_MAX = 350;
/**
 * After so long it is given up and dialled anew. Where packets were lost, TCP waits twice as long before each
 * further try: a link that was cut for four seconds stayed dead for three more after it was whole again.
 */
const GIVEN_UP_MS = 1_000;
/** Half way round the planet and back is a third of it. A lost first packet is sent again after a second. */
const CONNECT_MS_MAX = 700;
/** For whoever is turned away to read why. */
const LAST_WORDS_MS_MAX = 1_000;
const ALIVE: Uint8Array = new Uint8Array(0);
const REDIAL_MS_MIN = 20;
const REDIAL_MS_MAX = 500;

export interface PeersOptions {
  readonly self: NodeId;
  readonly world: string;
  readonly key: Uint8Array;
  readonly listen: { readonly host: string; readonly port: number };
  /** Every node of the world; only these are let in. */
  readonly nodes: readonly { readonly id: NodeId; readonly host: string; readonly port: number }[];
  /** Whom this node keeps a link with of its own accord. */
  readonly dial: readonly NodeId[];
  /** The data folder that this node speaks for, and those that it met others with. */
  readonly folders?: PeerFolders;
  /** Where an operator may put faults on the links; none for a node without a supervisor. */
  readonly gate?: FaultGate;
  readonly logger: Logger;
}

export interface PeerFolders {
  readonly own: Claim;
  /** Whether a node that proved who it is may be heard. */
  admits(node: NodeId, claim: Claim): boolean;
  /** The frame that tells whoever is not admitted why. */
  refusal(): Uint8Array;
}

/**
 * Opens the port; links come up once `listen` was called, and connections before it are turned
 * away. `send` keeps the frame until `flush`: it must not change meanwhile. Rejects with
 * `StartError` when the port cannot be opened.
 */
export async function openPeers(options: PeersOptions): Promise<Peers & { readonly port: number }> {
  const peers = new TcpPeers(options);
  const port = await peers.open();
  return Object.assign(peers, { port });
}

/** What is known of one other node. */
interface Peer {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly dialled: boolean;
  link: PeerLink | undefined;
  /** A connection that we dialled and that is not yet proved. */
  attempt: Socket | undefined;
  redial: NodeJS.Timeout | undefined;
  failures: number;
  /** A link stood, and that nobody listens there since has not been told. */
  stood: boolean;
}

type Introduction =
  | Extract<HandshakeStep, { kind: 'proved' }>
  | { readonly kind: 'refused'; readonly cause: HandshakeRefusal | 'too-slow' | 'closed' };

class TcpPeers implements Peers {
  readonly #options: PeersOptions;
  readonly #rare: Logger;
  readonly #server: Server;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #unproved = new Set<Socket>();
  /** A node speaks from where it is called, so that whatever stands between two nodes can tell who speaks. */
  readonly #ownAddress: { readonly localAddress?: string };
  readonly #writer = new FrameWriter();
  /** Links with frames to flush. */
  readonly #written = new Set<PeerLink>();
  #listener: PeerListener | undefined;
  #alive: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#rare = rareLogger(options.logger);
    const { host } = options.listen;
    this.#ownAddress = isIP(host) === 0 ? {} : { localAddress: host };
    this.#server = createServer((socket) => this.#accept(socket));
    for (const { id, host, port } of options.nodes) {
      if (id === options.self) continue;
      const dialled = options.dial.includes(id);
      const fresh = { link: undefined, attempt: undefined, redial: undefined, failures: 0 };
      this.#peers.set(id, { id, host, port, dialled, stood: false, ...fresh });
    }
    options.gate?.attach({
      pass: (to, frame) => this.#pass(to, frame),
      reset: (to) => this.#peers.get(to)?.link?.close('reset-by-operator'),
      changed: () => this.#dialAll(),
    });
  }

  async open(): Promise<number> {
    const port = await listen(this.#server, { ...this.#options.listen, setting: 'peerPort' });
    this.#server.on('error', (cause) => {
      this.#rare.log('error', 'peer-accept-failed', { cause: cause.message });
    });
    return port;
  }

  listen(listener: PeerListener): void {
    this.#listener = listener;
    this.#alive = setInterval(() => this.#sayAlive(), ALIVE_EVERY_MS);
    this.#dialAll();
  }

  send(to: NodeId, frame: Uint8Array): void {
    const { gate } = this.#options;
    if (gate?.isOpen === false && gate.keeps(to, frame)) return;
    this.#send(to, frame);
  }

  #send(to: NodeId, frame: Uint8Array): void {
    const link = this.#peers.get(to)?.link;
    if (link === undefined) return;
    if (link.queue(frame)) this.#written.add(link);
    else this.#rare.log('warn', 'peer-frame-dropped', { peer: to, cause: 'queue-full' });
  }

  flush(): void {
    if (this.#written.size === 0) return;
    for (const link of this.#written) link.flush(this.#writer);
    this.#written.clear();
    this.#writer.forget();
  }

  connected(to: NodeId): boolean {
    const link = this.#peers.get(to)?.link;
    return link !== undefined && link.silentMs < SILENT_MS_MAX;
  }

  /** What was flushed before still leaves, if the other side takes it at once. Reports no loss. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#alive);
    this.#options.gate?.close();
    const ended = Promise.withResolvers<void>();
    this.#server.close(() => ended.resolve());
    for (const socket of this.#unproved) socket.destroy();
    for (const peer of this.#peers.values()) {
      clearTimeout(peer.redial);
      peer.attempt?.destroy();
      peer.link?.close('leaving');
    }
    await ended.promise;
  }

  #sayAlive(): void {
    for (const { id, link } of this.#peers.values()) {
      if (link === undefined) continue;
      if (link.silentMs > GIVEN_UP_MS) link.close('silent');
      else if (link.muteMs > JUST_MS) this.send(id, ALIVE);
    }
    this.flush();
  }

  /** A frame that was held back leaves at once: whoever sent it has flushed long ago. */
  #pass(to: NodeId, frame: Uint8Array): void {
    this.#send(to, frame);
    this.flush();
  }

  /** Where a connection is wanted and missing it is tried now. */
  #dialAll(): void {
    if (this.#listener === undefined) return;
    for (const peer of this.#peers.values()) {
      peer.failures = 0;
      this.#dial(peer);
    }
  }

  #accept(socket: Socket): void {
    if (this.#listener === undefined || this.#closed) {
      socket.destroy();
      return;
    }
    for (const oldest of this.#unproved) {
      if (this.#unproved.size < UNPROVED_MAX) break;
      oldest.destroy();
      this.#unproved.delete(oldest);
    }
    this.#unproved.add(socket);
    const handshake = this.#handshake(undefined);
    introduce(socket, handshake, (introduction) => {
      this.#unproved.delete(socket);
      if (introduction.kind === 'proved') this.#join(socket, introduction, false);
      else this.#refuse(introduction.cause, socket.remoteAddress);
    });
  }

  #dial(peer: Peer): void {
    if (this.#closed || !peer.dialled || peer.link !== undefined) return;
    if (peer.attempt !== undefined || this.#isBarred(peer.id)) return;
    clearTimeout(peer.redial);
    const socket = connect({ host: peer.host, port: peer.port, noDelay: true, ...this.#ownAddress });
    peer.attempt = socket;
    const begunMs = performance.now();
    const handshake = this.#handshake(peer.id);
    const connecting = setTimeout(() => socket.destroy(), CONNECT_MS_MAX);
    let nobodyListens = false;
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      nobodyListens = cause.code === 'ECONNREFUSED';
    });
    socket.once('connect', () => {
      clearTimeout(connecting);
      socket.write(handshake.hello());
    });
    introduce(socket, handshake, (introduction) => {
      clearTimeout(connecting);
      peer.attempt = undefined;
      if (introduction.kind === 'proved') {
        this.#join(socket, introduction, true);
        return;
      }
      this.#refuse(introduction.cause, peer.id);
      peer.failures += 1;
      if (nobodyListens) this.#gone(peer);
      this.#redialLater(peer, performance.now() - begunMs);
    });
  }

  /**
   * Doubling from 20 ms to half a second since the last attempt began, less a random part, so that nodes do
   * not knock in step.
   */
  #redialLater(peer: Peer, passedMs: number = 0): void {
    if (this.#closed || !peer.dialled) return;
    clearTimeout(peer.redial);
    const wholeMs = Math.min(REDIAL_MS_MIN * 2 ** Math.min(peer.failures, 10), REDIAL_MS_MAX);
    const waitMs = wholeMs * (0.5 + Math.random() / 2) - passedMs;
    peer.redial = setTimeout(() => this.#dial(peer), Math.max(REDIAL_MS_MIN / 2, waitMs));
  }

  #handshake(dialled: NodeId | undefined): Handshake {
    const { self, world, key } = this.#options;
    const knows = (node: NodeId): boolean => this.#peers.has(node) && !this.#isBarred(node);
    const claim = this.#options.folders?.own;
    return new Handshake({ self, world, key, dialled, knows, ...(claim === undefined ? {} : { claim }) });
  }

  #refuse(cause: string, from: NodeId | string | undefined): void {
    // A node that is not there yet, or anyone who only looked at the port.
    const level = cause === 'closed' ? 'debug' : 'warn';
    this.#rare.log(level, 'peer-refused', { cause, from });
  }

  #join(socket: Socket, proved: Extract<Introduction, { kind: 'proved' }>, dialled: boolean): void {
    const peer = this.#peers.get(proved.node);
    const { folders } = this.#options;
    if (folders?.admits(proved.node, proved.claim) === false) {
      this.#refuse('other-folder', proved.node);
      socket.end(encodeFrames([folders.refusal()]));
      setTimeout(() => socket.destroy(), LAST_WORDS_MS_MAX).unref();
      if (peer !== undefined) this.#redialLater(peer);
      return;
    }
    const older = peer?.link;
    const isUnwanted = this.#closed || this.#isBarred(proved.node);
    if (peer === undefined || isUnwanted || (older && !this.#replaces(older, dialled))) {
      socket.destroy();
      return;
    }
    older?.close('replaced');
    const link = new PeerLink({
      node: peer.id,
      dialled,
      socket,
      received: (frame) => this.#listener?.received(peer.id, frame),
      closed: (closed, cause) => this.#part(peer, closed, cause),
    });
    peer.link = link;
    peer.stood = true;
    peer.failures = 0;
    clearTimeout(peer.redial);
    this.#options.logger.log('info', 'peer-up', { peer: peer.id, dialled });
    this.#listener?.up(peer.id);
    link.read(proved.rest);
  }

  /** Cut links have no new connections; the gate says when they may come up again. */
  #isBarred(node: NodeId): boolean {
    return this.#options.gate?.bars(node) === true;
  }

  /** Both sides must choose alike, whichever of two links each of them saw first. */
  #replaces(older: PeerLink, dialled: boolean): boolean {
    if (older.dialled === dialled) return true;
    return dialled === (this.#options.self < older.node);
  }

  /** Said once of each link that stood: a node that never came has not gone. */
  #gone(peer: Peer): void {
    if (!peer.stood || peer.link !== undefined || this.#closed) return;
    peer.stood = false;
    this.#options.logger.log('info', 'peer-gone', { peer: peer.id });
    this.#listener?.refused?.(peer.id);
  }

  #part(peer: Peer, link: PeerLink, cause: string): void {
    this.#written.delete(link);
    peer.link = undefined;
    if (this.#closed) return;
    this.#options.logger.log('info', 'peer-lost', { peer: peer.id, cause });
    this.#redialLater(peer);
    this.#listener?.lost(peer.id);
  }
}

/** Runs a handshake to its end on a fresh connection; a connection that fails it is destroyed. */
function introduce(
  socket: Socket,
  handshake: Handshake,
  ended: (introduction: Introduction) => void,
): void {
  const end = (introduction: Introduction): void => {
    clearTimeout(deadline);
    socket.off('data', read);
    socket.off('close', closed);
    if (introduction.kind === 'refused') socket.destroy();
    ended(introduction);
  };
  const read = (chunk: Uint8Array): void => {
    const step = handshake.receive(chunk);
    if (step.kind === 'refused') {
      end(step);
      return;
    }
    if (step.reply !== undefined) socket.write(step.reply);
    if (step.kind === 'proved') end(step);
  };
  const closed = (): void => end({ kind: 'refused', cause: 'closed' });
  const deadline = setTimeout(() => end({ kind: 'refused', cause: 'too-slow' }), HANDSHAKE_MS_MAX);
  socket.on('data', read);
  socket.on('close', closed);
  // The close that follows says it all.
  socket.on('error', () => undefined);
}
