// Reading and writing bytes: little-endian numbers, varints, length-prefixed text.
//
// Every wire message, journal record and snapshot goes through these two classes. The reader never
// trusts its input: whatever does not fit ends in `InvalidInputError`, and a length is checked before
// anything is allocated. Both copy on the way in and out, so no view of a socket's buffer survives.
import { InvalidInputError } from './errors.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const VARINT_BYTES_MAX = 8;

export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(sizeHint: number = 128) {
    this.#bytes = new Uint8Array(sizeHint);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  i32(value: number): this {
    this.#reserve(4);
    this.#view.setInt32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  /** A non-negative safe integer in one to eight bytes (LEB128). */
  varint(value: number): this {
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** A varint length, then UTF-8. */
  text(text: string): this {
    return this.bytes(encoder.encode(text));
  }

  /** Overwrites four bytes written before, for lengths and checksums known only afterwards. */
  patchU32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  /** What was written so far, without a copy: valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written so far. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    this.#need(1);
    return this.#view.getUint8(this.#at++);
  }

  u16(): number {
    this.#need(2);
    const value = this.#view.getUint16(this.#at, true);
    this.#at += 2;
    return value;
  }

  u32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  i32(): number {
    this.#need(4);
    const value = this.#view.getInt32(this.#at, true);
    this.#at += 4;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw new InvalidInputError('a varint is longer than eight bytes or beyond 2^53');
  }

  raw(length: number): Uint8Array {
    this.#need(length);
    const copy = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return copy;
  }

  bytes(lengthMax: number = this.remaining): Uint8Array {
    const length = this.varint();
    if (length > lengthMax) throw new InvalidInputError(`${length} bytes where ${lengthMax} may be`);
    return this.raw(length);
  }

  text(lengthMax: number = this.remaining): string {
    const bytes = this.bytes(lengthMax);
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new InvalidInputError('text is not UTF-8', { cause });
    }
  }

  /** Throws unless everything was read: a message with a tail is not the message we know. */
  end(): void {
    if (this.remaining !== 0) throw new InvalidInputError(`${this.remaining} bytes too many`);
  }

  #need(count: number): void {
    if (count > this.remaining) {
      throw new InvalidInputError(`${count} bytes needed, ${this.remaining} left`);
    }
  }
}
