// Frames on a byte stream between nodes: length, checksum, body.
//
// `adapters/node/peers` writes and reads them. A length beyond the limit or a wrong checksum means that
// the other side is not one of us or the stream is damaged: the link is closed, nothing is skipped.
// Layout: u32 body length, u32 CRC-32C of the body, body. Little-endian.
import { crc32c } from '../base/crc32c.ts';
import { InvalidInputError } from '../base/errors.ts';

export const FRAME_HEADER_BYTES = 8;
/** Holds the largest append message with room to spare. */
export const FRAME_BYTES_MAX: number = 2 * 1024 * 1024;

/** One buffer that holds a frame for each body, in order. */
export function encodeFrames(bodies: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const body of bodies) size += FRAME_HEADER_BYTES + body.length;
  const frames = new Uint8Array(size);
  const view = new DataView(frames.buffer);
  let at = 0;
  for (const body of bodies) {
    view.setUint32(at, body.length, true);
    view.setUint32(at + 4, crc32c(body), true);
    frames.set(body, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + body.length;
  }
  return frames;
}

/** Encodes for several streams: what goes over one after the other alike is copied and summed once. */
export class FrameWriter {
  #bodies: readonly Uint8Array[] = [];
  #frames: Uint8Array = new Uint8Array(0);

  encode(bodies: readonly Uint8Array[]): Uint8Array {
    const known = this.#bodies;
    if (bodies.length !== known.length || bodies.some((body, i) => body !== known[i])) {
      this.#bodies = bodies;
      this.#frames = encodeFrames(bodies);
    }
    return this.#frames;
  }

  /** Holds on to nothing any more. */
  forget(): void {
    this.#bodies = [];
    this.#frames = new Uint8Array(0);
  }
}

/** Cuts a stream into frame bodies. Feed it chunks in order; it keeps at most one unfinished frame. */
export class FrameReader {
  /** The unfinished frame: grown once to its announced size, so that no byte is moved twice. */
  #held: Uint8Array = new Uint8Array(0);
  #heldBytes = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number = FRAME_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Calls `each` with every body that is complete. A body is a view of its chunk, which therefore must
   * never change, or of memory of its own where it came in several chunks.
   */
  push(chunk: Uint8Array, each: (body: Uint8Array) => void): void {
    let at = this.#heldBytes > 0 ? this.#complete(chunk, each) : 0;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + this.#bodyLength(view, at);
      if (end > chunk.length) break;
      each(checkedBody(chunk, view, at, end));
      at = end;
    }
    if (at < chunk.length) this.#hold(chunk.subarray(at));
  }

  /** Goes on with the unfinished frame. Returns how much of the chunk it took. */
  #complete(chunk: Uint8Array, each: (body: Uint8Array) => void): number {
    let at = 0;
    if (this.#heldBytes < FRAME_HEADER_BYTES) {
      at = Math.min(chunk.length, FRAME_HEADER_BYTES - this.#heldBytes);
      this.#hold(chunk.subarray(0, at));
      if (this.#heldBytes < FRAME_HEADER_BYTES) return at;
    }
    const view = new DataView(this.#held.buffer);
    const size = FRAME_HEADER_BYTES + this.#bodyLength(view, 0);
    const taken = Math.min(chunk.length - at, size - this.#heldBytes);
    this.#hold(chunk.subarray(at, at + taken));
    if (this.#heldBytes === size) {
      const whole = this.#held;
      // The body is handed out as a view of it.
      this.#held = new Uint8Array(0);
      this.#heldBytes = 0;
      each(checkedBody(whole, new DataView(whole.buffer), 0, size));
    }
    return at + taken;
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    if (this.#held.length < needed) {
      const known = needed >= FRAME_HEADER_BYTES ? this.#announced(bytes) : 0;
      const grown = new Uint8Array(Math.max(needed, known));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }

  /** The size of the frame whose header is complete once `bytes` are held. */
  #announced(bytes: Uint8Array): number {
    const header = new Uint8Array(FRAME_HEADER_BYTES);
    const before = Math.min(this.#heldBytes, FRAME_HEADER_BYTES);
    header.set(this.#held.subarray(0, before));
    header.set(bytes.subarray(0, FRAME_HEADER_BYTES - before), before);
    return FRAME_HEADER_BYTES + this.#bodyLength(new DataView(header.buffer), 0);
  }

  #bodyLength(view: DataView, at: number): number {
    const length = view.getUint32(at, true);
    if (length > this.#bytesMax) throw new InvalidInputError(`a frame of ${length} bytes`);
    return length;
  }
}

function checkedBody(bytes: Uint8Array, view: DataView, at: number, end: number): Uint8Array {
  const start = at + FRAME_HEADER_BYTES;
  if (crc32c(bytes, start, end) !== view.getUint32(at + 4, true)) {
    throw new InvalidInputError('a frame with a wrong checksum');
  }
  return bytes.subarray(start, end);
}
