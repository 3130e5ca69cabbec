// All the doors through which the cores meet the outside. Adapters implement them; the simulator too.
//
// Nothing below `adapters` and `cli` reaches the machine in any other way. Callbacks, not promises:
// the loop in `turn.ts` decides when things happen.
import type { NodeId } from '../base/id.ts';
import type { EventBatch } from '../wire/events.ts';
import type { Tapped } from '../wire/tap.ts';

export interface Clock {
  /** Integer milliseconds that never run backwards; the origin means nothing. */
  monotonicMs(): number;
  /** Unix ms; may jump. Only stamps log entries and logs. */
  wallMs(): number;
  /** Calls `wake` once, at or after `atMs` (monotonic). Returns how to cancel it. */
  wakeAt(atMs: number, wake: () => void): () => void;
  /** Calls `run` after everything the machine has already received was delivered. */
  defer(run: () => void): void;
}

/** Bytes nobody can guess: salts, nonces, keys. */
export interface Entropy {
  bytes(count: number): Uint8Array;
}

/** The links to the other nodes of the world: unordered, lossy and bounded, like a network. */
export interface Peers {
  /**
   * Queues a frame, never an empty one; it leaves at `flush`, or is dropped when the link is down or
   * its queue is full.
   */
  send(to: NodeId, frame: Uint8Array): void;
  flush(): void;
  /** Whether a link to the node stands and the node was heard over it a moment ago. */
  connected(to: NodeId): boolean;
  listen(listener: PeerListener): void;
  close(): Promise<void>;
}

export interface PeerListener {
  /** `frame` belongs to the listener. */
  received(from: NodeId, frame: Uint8Array): void;
  up(node: NodeId): void;
  /** A link broke: a hint that the process died, never a proof. */
  lost(node: NodeId): void;
  /**
   * After `lost`, once: the node's machine answers, and nobody listens at its port any more. The process
   * ended, unless something between here and there speaks in the machine's name.
   */
  refused?(node: NodeId): void;
}

/** How a batch fared. `unknown`: it may still arrive, and must be published again. */
export type Published =
  | { readonly kind: 'taken'; readonly upTo: number }
  | { readonly kind: 'unknown' };

/**
 * Carries events from one log of the world to another: at least once, and in order as long as the caller
 * publishes the next batch of an origin for a destination only when the one before is settled. Each
 * batch begins with the first event that is not known to be taken.
 */
export interface Events {
  /**
   * Brings a batch to its destination. `told` is called exactly once, never with `taken` before every
   * event up to there is where no crash of a minority can undo it: the origin then forgets them. A
   * destination that is away costs a bounded time, and holds up no other one.
   */
  publish(batch: EventBatch, told: (published: Published) => void): void;
}

/** One player's connection, as the gateway sees it. */
export interface PlayerLink {
  readonly number: number;
  /** Queues a text frame; false when the link is gone. */
  sendText(text: string): boolean;
  sendBinary(bytes: Uint8Array): boolean;
  /** Bytes that the player has not yet taken: the measure of a slow consumer. */
  queuedBytes(): number;
  /** Closes with a WebSocket code and a reason the player's developer can read. */
  close(code: number, reason: string): void;
}

export interface PlayerListener {
  opened(link: PlayerLink): void;
  text(link: PlayerLink, text: string): void;
  binary(link: PlayerLink, bytes: Uint8Array): void;
  closed(link: PlayerLink): void;
}

/**
 * A node's data folder. Names are flat. Every failure ends the process: it is never retried, because
 * what the disk holds after a failed write or sync, nobody knows.
 */
export interface Disk {
  names(): readonly string[];
  /** Where an operator finds the file of that name, for what he must be told of it. */
  path(name: string): string;
  read(name: string): Uint8Array;
  /** Writes a whole file so that it is there entirely or not at all, and durable when this returns. */
  publish(name: string, parts: readonly Uint8Array[]): void;
  /**
   * The same without holding anyone up: calls `published` when the file is durable, perhaps before it
   * returns. Until then neither the name nor the bytes may be touched.
   */
  publishSoon(name: string, parts: readonly Uint8Array[], published: () => void): void;
  /** The file is gone for good when this returns. */
  remove(name: string): void;
  /** Opens for writing; published with `sizeBytes` of zeros when it is not there. */
  open(name: string, sizeBytes: number): DiskFile;
  /**
   * Publishes `sizeBytes` of zeros, unless the file is there, without holding anyone up; then calls
   * `ready`, perhaps before it returns. Until then the name must be left alone.
   */
  prepare(name: string, sizeBytes: number, ready: () => void): void;
}

/** A folder that is only looked at. */
export type ReadDisk = Pick<Disk, 'names' | 'path' | 'read'>;

export interface DiskFile {
  /** The bytes may be used anew when this returns. Beyond its end the file grows. */
  write(bytes: Uint8Array, offset: number): void;
  /** Calls `synced` when everything written before is durable; perhaps before it returns. */
  sync(synced: () => void): void;
  /** Sets the length; durable at the next sync. */
  truncate(sizeBytes: number): void;
  close(): void;
}

/**
 * Password hashes and signatures: slow or secret work that no core may do. The slow ones reject with
 * `BusyError` when too many wait.
 */
export interface Secrets {
  /** A memory-hard hash with its own salt and parameters inside. */
  hashPassword(password: string): Promise<Uint8Array>;
  verifyPassword(password: string, hash: Uint8Array): Promise<boolean>;
  /** A short tag that only holders of the world's key can make. */
  sign(bytes: Uint8Array): Uint8Array;
  verify(bytes: Uint8Array, tag: Uint8Array): boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Hears of each entry of a log, a group's or a region's, right after it was applied here and before anybody
 * is answered for it; of the same one again when a process replays it. Only drills bring one.
 */
export type Tap = (log: string, entry: Tapped) => void;

/** Structured log lines; never a password, token or key in them. */
export interface Logger {
  log(level: LogLevel, event: string, facts?: Readonly<Record<string, unknown>>): void;
}
