// The players' WebSocket connections behind `PlayerLink` and `PlayerListener`.
//
// `http` hands over what asks to be upgraded. Frames that are sent while one callback of the event
// loop runs leave together: one system call for each player, however many frames (ws itself writes
// each). Bytes given to `sendBinary` must not change afterwards; many players may share them, and then
// share their frame. Pages of any origin may connect: a player proves itself by what it sends, never by
// a cookie.
// Invariants: a link's unread bytes are bounded, and whoever does not take them is cut off alone;
// no error of a connection reaches the process.
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';

import { type RawData, type WebSocket, WebSocketServer } from 'ws';

import { invariant } from '../../base/errors.ts';
import type { Logger, PlayerLink, PlayerListener } from '../../runtime/ports.ts';
import { rareLogger } from './rare-log.ts';

export const PLAYERS_PATH = '/v1/ws';

export interface PlayerLimits {
  /** Links at a time; one more is answered with 503. */
  readonly linksMax: number;
  /** A longer message closes its link with code 1009. */
  readonly messageBytesMax: number;
  /** A link that has more unread bytes than this is cut off. */
  readonly queueBytesMax: number;
}

export const PLAYER_LIMITS: PlayerLimits = {
  linksMax: 12_000,
  messageBytesMax: 16 * 1024,
  queueBytesMax: 1024 * 1024,
};

/** Each link is pinged every 15 s; one that has been silent for two pings is cut off. */
const PING_EVERY_S = 15;
const UNANSWERED_MAX = 2;
/** How long a closing server waits for players to take their last frames. */
const LINGER_MS = 500;
const GOING_AWAY = 1001;
/** The first byte of a message that is binary and in one frame. */
const FINAL_BINARY = 0x82;

export interface PlayersOptions {
  readonly listener: PlayerListener;
  readonly logger: Logger;
  readonly limits: PlayerLimits;
}

/** The players of one HTTP server. */
export class Players {
  readonly #listener: PlayerListener;
  readonly #rare: Logger;
  readonly #limits: PlayerLimits;
  readonly #upgrader: WebSocketServer;
  readonly #links = new Map<WebSocket, SocketLink>();
  readonly #heard: Heard;
  readonly #outgoing: Outgoing;
  readonly #pings: NodeJS.Timeout;
  /** Links that were sent to since the running callback began. */
  #written: SocketLink[] = [];
  #lastNumber = 0;
  #second = 0;

  constructor(options: PlayersOptions) {
    this.#listener = options.listener;
    this.#rare = rareLogger(options.logger);
    this.#limits = options.limits;
    this.#heard = hearing(this.#links, options.listener, this.#rare);
    const framed = new LastFrame();
    this.#outgoing = {
      queueBytesMax: options.limits.queueBytesMax,
      framed: (bytes) => framed.of(bytes),
      written: (writer) => this.#collect(writer),
      tooSlow: (slow) => this.#cutOff(slow, 'reads too slowly'),
    };
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.limits.messageBytesMax,
    });
    this.#pings = setInterval(() => this.#pingSome(), 1_000);
  }

  /** Takes over a connection that asked for an upgrade: a link, or a plain HTTP refusal. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    const path = request.url?.split('?', 1)[0];
    if (path !== PLAYERS_PATH) {
      refuse(socket, 404, `players connect to ${PLAYERS_PATH}`);
    } else if (this.#links.size >= this.#limits.linksMax) {
      this.#rare.log('warn', 'players-full', { links: this.#links.size });
      refuse(socket, 503, 'this gateway is full: try another one, or later');
    } else {
      // Whatever else is wrong (method, version, key), ws answers with a plain 400 or 405.
      this.#upgrader.handleUpgrade(request, socket, head, (webSocket) => {
        this.#open(webSocket, socket);
      });
    }
  }

  /** Asks all players to go, and cuts off those who do not. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    for (const link of this.#links.values()) link.close(GOING_AWAY, 'the gateway is leaving');
    const lingerUntilMs = performance.now() + LINGER_MS;
    while (this.#links.size > 0 && performance.now() < lingerUntilMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const link of this.#links.values()) link.cutOff();
  }

  #open(webSocket: WebSocket, socket: Duplex): void {
    this.#lastNumber += 1;
    const link = new SocketLink(this.#lastNumber, webSocket, socket, this.#outgoing);
    this.#links.set(webSocket, link);
    const { message, pong, error, close } = this.#heard;
    webSocket.on('message', message).on('pong', pong).on('error', error).on('close', close);
    this.#listener.opened(link);
  }

  #collect(link: SocketLink): void {
    if (this.#written.length === 0) process.nextTick(() => this.#release());
    this.#written.push(link);
  }

  #release(): void {
    const written = this.#written;
    this.#written = [];
    for (const link of written) link.release();
  }

  /** A fifteenth of the links each second, so that pinging all never holds up the loop. */
  #pingSome(): void {
    this.#second += 1;
    for (const link of this.#links.values()) {
      if ((link.number + this.#second) % PING_EVERY_S !== 0) continue;
      if (link.unanswered >= UNANSWERED_MAX) this.#cutOff(link, 'answers no ping');
      else link.ping();
    }
  }

  #cutOff(link: SocketLink, cause: string): void {
    this.#rare.log('info', 'player-cut-off', { link: link.number, cause });
    link.cutOff();
  }
}

type Heard = ReturnType<typeof hearing>;

/** One set of listeners for all links: closures of its own were a good part of what an idle one weighed. */
function hearing(links: Map<WebSocket, SocketLink>, listener: PlayerListener, rare: Logger) {
  return {
    message(this: WebSocket, message: RawData, isBinary: boolean) {
      const link = links.get(this);
      if (link === undefined) return;
      link.unanswered = 0;
      const bytes = joined(message);
      if (isBinary) listener.binary(link, new Uint8Array(bytes));
      else listener.text(link, bytes.toString());
    },
    pong(this: WebSocket) {
      const link = links.get(this);
      if (link !== undefined) link.unanswered = 0;
    },
    /** ws closes the link with the code that fits: 1007, 1009 or 1002. */
    error(this: WebSocket, cause: Error) {
      rare.log('info', 'player-misbehaved', { link: links.get(this)?.number, cause: cause.message });
    },
    close(this: WebSocket) {
      const link = links.get(this);
      links.delete(this);
      if (link !== undefined) listener.closed(link);
    },
  };
}

/** What all links share. */
interface Outgoing {
  readonly queueBytesMax: number;
  /** The bytes as a whole WebSocket frame, which may be shared with other links. */
  framed(bytes: Uint8Array): Buffer;
  /** Something waits in the link since the last `release`. */
  written(link: SocketLink): void;
  tooSlow(link: SocketLink): void;
}

class SocketLink implements PlayerLink {
  readonly number: number;
  /** Pings since the player was last heard. */
  unanswered = 0;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #outgoing: Outgoing;
  #corked = false;

  constructor(number: number, webSocket: WebSocket, socket: Duplex, outgoing: Outgoing) {
    this.number = number;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#outgoing = outgoing;
  }

  sendText(text: string): boolean {
    if (!this.#cork()) return false;
    this.#webSocket.send(text);
    return this.#isTaken();
  }

  /**
   * Past ws, which would make a head for every link and hand the system two pieces each. That is its own
   * way to send as long as nothing is compressed: in order, and at once.
   */
  sendBinary(bytes: Uint8Array): boolean {
    if (!this.#cork()) return false;
    this.#socket.write(this.#outgoing.framed(bytes));
    return this.#isTaken();
  }

  queuedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  ping(): void {
    this.unanswered += 1;
    this.#webSocket.ping();
  }

  /** Ends the connection at once; what is unread is lost. */
  cutOff(): void {
    this.#webSocket.terminate();
  }

  release(): void {
    this.#corked = false;
    this.#socket.uncork();
  }

  /** What is sent from now on leaves with the next `release`; false when the link is gone. */
  #cork(): boolean {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return false;
    if (this.#corked) return true;
    this.#corked = true;
    this.#socket.cork();
    this.#outgoing.written(this);
    return true;
  }

  #isTaken(): boolean {
    if (this.#webSocket.bufferedAmount <= this.#outgoing.queueBytesMax) return true;
    this.#outgoing.tooSlow(this);
    return false;
  }
}

/** Frames binary messages, the same bytes for many links in a row only once. */
class LastFrame {
  #bytes: Uint8Array | undefined;
  #frame: Buffer = Buffer.alloc(0);

  of(bytes: Uint8Array): Buffer {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#frame = frameOf(bytes);
    }
    return this.#frame;
  }
}

/** A whole unmasked binary message (RFC 6455, 5.2) below 64 KiB; the node sends none that is longer. */
function frameOf(bytes: Uint8Array): Buffer {
  invariant(bytes.length < 65_536, 'a binary message to a player is below 64 KiB');
  const isShort = bytes.length < 126;
  const head = isShort ? 2 : 4;
  const frame = Buffer.allocUnsafeSlow(head + bytes.length);
  frame[0] = FINAL_BINARY;
  frame[1] = isShort ? bytes.length : 126;
  if (!isShort) frame.writeUInt16BE(bytes.length, 2);
  frame.set(bytes, head);
  return frame;
}

/** The close that follows an error of the connection says it all. */
function ignore(): void {}

function joined(message: RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}

function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
