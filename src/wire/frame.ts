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

export function encodeFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, crc32c(body), true);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a stream into frame bodies. Feed it chunks in order; it keeps at most one unfinished frame. */
export class FrameReader {
  #held: Uint8Array = new Uint8Array(0);
  readonly #bytesMax: number;

  constructor(bytesMax: number = FRAME_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Calls `each` with every body that is complete; a body is a copy and belongs to `each`. */
  push(chunk: Uint8Array, each: (body: Uint8Array) => void): void {
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = view.getUint32(at, true);
      if (length > this.#bytesMax) throw new InvalidInputError(`a frame of ${length} bytes`);
      const start = at + FRAME_HEADER_BYTES;
      if (bytes.length - start < length) break;
      if (crc32c(bytes, start, start + length) !== view.getUint32(at + 4, true)) {
        throw new InvalidInputError('a frame with a wrong checksum');
      }
      at = start + length;
      each(bytes.slice(start, at));
    }
    this.#held = bytes.slice(at);
  }
}
