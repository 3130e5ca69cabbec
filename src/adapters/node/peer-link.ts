// One authenticated connection to another node: frames out, frames in, and its end.
//
// `peers` makes one after each handshake and forgets it when it is closed.
// Invariant: what waits to leave is at most `QUEUE_BYTES_MAX`, here and in the socket together.
import type { Socket } from 'node:net';

import { InvalidInputError, invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import {
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameReader,
  type FrameWriter,
} from '../../wire/frame.ts';

/** Whoever takes nothing for so long misses frames; Raft and asks survive that, memory would not. */
export const QUEUE_BYTES_MAX: number = 16 * 1024 * 1024;
/** How long a close waits for what was flushed before to leave. */
const LINGER_MS = 200;

export interface LinkPlan {
  readonly node: NodeId;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  readonly socket: Socket;
  received(frame: Uint8Array): void;
  /** The link broke, or `close` was called; once, and nothing is received afterwards. */
  closed(link: PeerLink, cause: string): void;
}

export class PeerLink {
  readonly node: NodeId;
  readonly dialled: boolean;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #plan: LinkPlan;
  #frames: Uint8Array[] = [];
  #framesBytes = 0;
  #heardMs: number = performance.now();
  #spokenMs: number = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(plan: LinkPlan) {
    this.node = plan.node;
    this.dialled = plan.dialled;
    this.#plan = plan;
    this.#socket = plan.socket;
    this.#socket.setNoDelay(true);
    // A machine that vanished without a word is noticed by the kernel's probes.
    this.#socket.setKeepAlive(true, 5_000);
    this.#socket.on('data', (chunk: Uint8Array) => this.read(chunk));
    this.#socket.on('end', () => this.close('ended'));
    this.#socket.on('error', (cause) => this.close(cause.message));
    this.#socket.on('close', () => this.close('closed'));
  }

  /** How long nothing has come over the link. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  /** How long nothing has left over the link. */
  get muteMs(): number {
    return performance.now() - this.#spokenMs;
  }

  /** Keeps a frame for the next `flush`; false when it is dropped because too much waits. */
  queue(frame: Uint8Array): boolean {
    invariant(frame.length <= FRAME_BYTES_MAX, `a frame is at most ${FRAME_BYTES_MAX} bytes`);
    const more = FRAME_HEADER_BYTES + frame.length;
    if (this.#framesBytes + this.#socket.writableLength + more > QUEUE_BYTES_MAX) return false;
    this.#frames.push(frame);
    this.#framesBytes += more;
    return true;
  }

  /** Writes all that was queued as one buffer: one system call, however many frames. */
  flush(writer: FrameWriter): void {
    if (this.#frames.length === 0 || this.#closed) return;
    this.#socket.write(writer.encode(this.#frames));
    this.#spokenMs = performance.now();
    this.#frames = [];
    this.#framesBytes = 0;
  }

  /** Takes bytes off the stream; also those that came together with the handshake. */
  read(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#heardMs = performance.now();
    // Frames that are cut out of a `Buffer` would be ones too, whose `slice` does not copy.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    try {
      this.#reader.push(bytes, (frame) => {
        // An empty frame only says that the other side lives.
        if (!this.#closed && frame.length > 0) this.#plan.received(frame);
      });
    } catch (cause) {
      // Only bytes from outside close the link; our own broken promises end the process.
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.close(cause.message);
    }
  }

  close(cause: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroySoon();
    if (!this.#socket.closed) {
      const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
      this.#socket.once('close', () => clearTimeout(linger));
    }
    this.#plan.closed(this, cause);
  }
}
