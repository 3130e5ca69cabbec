// Reading and writing bytes: little-endian numbers, varints, length-prefixed text.
//
// Every wire message, journal record and snapshot goes through these two classes. The reader never
// trusts its input: whatever does not fit ends in `InvalidInputError`, and a length is checked before
// anything is allocated.
// An array above 64 bytes, and any `DataView`, costs an allocation outside the engine's heap, which is
// dearer than all else that a small message needs. So bytes are shifted by hand, writers write one
// behind the other into shared blocks, and readers can hand out views. Whoever keeps a few bytes for
// long takes a copy of them (`copyOf`, `bytes`, `raw`): a view keeps all that lies around it.
import { InvalidInputError } from './errors.ts';

const encoder = new TextEncoder();
// A byte order mark is a character like others: without this the decoder would swallow it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const VARINT_BYTES_MAX = 8;
const VARINT_FOUR_BYTES: number = 2 ** 28;
/** Texts up to here are tried as ASCII first, which saves a call into the engine. */
const SHORT_TEXT_MAX = 64;
/** From 13 characters on the engine makes a tree of what is put together bit by bit: dear, and large. */
const HAND_READ_TEXT_MAX = 12;
const HAND_BYTES_MAX = 128;
/** The engine keeps arrays up to here in its own heap. */
const INNER_BYTES_MAX = 64;
const BLOCK_BYTES = 8 * 1024;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The rest of a block that no writer has at the moment. Nothing in it was ever handed out. */
let spare: Uint8Array = NO_BYTES;
let spareStart = 0;

export class ByteWriter {
  #bytes: Uint8Array;
  /** Before this lies what other writers have handed out. */
  #start = 0;
  #end = 0;

  constructor(sizeHint: number = 64) {
    this.#bytes = NO_BYTES;
    this.#reserve(sizeHint);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >>> 8);
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#end += 4;
    return this.patchU32(this.length - 4, value);
  }

  i32(value: number): this {
    return this.u32(value);
  }

  /** A non-negative safe integer in one to eight bytes (LEB128). */
  varint(value: number): this {
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    // Beyond 32 bits numbers are no longer cheap to divide: four bytes at once.
    while (rest >= VARINT_FOUR_BYTES) {
      const low = rest % VARINT_FOUR_BYTES;
      rest = (rest - low) / VARINT_FOUR_BYTES;
      this.#bytes[this.#end++] = low | 0x80;
      this.#bytes[this.#end++] = (low >>> 7) | 0x80;
      this.#bytes[this.#end++] = (low >>> 14) | 0x80;
      this.#bytes[this.#end++] = (low >>> 21) | 0x80;
    }
    while (rest >= 0x80) {
      this.#bytes[this.#end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#end++] = rest;
    return this;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    const into = this.#bytes;
    // Copying by hand is faster than a call into the engine where there is little to copy.
    if (bytes.length > HAND_BYTES_MAX) into.set(bytes, this.#end);
    else for (let i = 0; i < bytes.length; i++) into[this.#end + i] = bytes[i] as number;
    this.#end += bytes.length;
    return this;
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** A varint length, then UTF-8. */
  text(text: string): this {
    return this.#shortAscii(text) ? this : this.bytes(encoder.encode(text));
  }

  /** Overwrites four bytes written before, for lengths and checksums known only afterwards. */
  patchU32(offset: number, value: number): this {
    const at = this.#start + offset;
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value >>> 16;
    this.#bytes[at + 3] = value >>> 24;
    return this;
  }

  /** What was written so far, without a copy: valid until the next write. */
  view(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#start, this.length);
  }

  /** Hands out what was written so far, which never changes; what is written next is another thing. */
  finish(): Uint8Array {
    const written = this.view();
    const left = this.#bytes.length - this.#end;
    if (this.#bytes.length === BLOCK_BYTES && left > spare.length - spareStart) {
      spare = this.#bytes;
      spareStart = this.#end;
    }
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    return written;
  }

  reset(): this {
    this.#end = this.#start;
    return this;
  }

  /** Writes the text unless it is long or not ASCII: then nothing is written. */
  #shortAscii(text: string): boolean {
    if (text.length > SHORT_TEXT_MAX) return false;
    const before = this.length;
    this.varint(text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.#end = this.#start + before;
        return false;
      }
      this.#bytes[this.#end++] = unit;
    }
    return true;
  }

  #reserve(more: number): void {
    if (this.#end + more > this.#bytes.length) this.#moveOn(more);
  }

  /** Goes on where there is room for so many more bytes. */
  #moveOn(more: number): void {
    const { length } = this;
    if (length === 0 && spare.length - spareStart >= more) {
      this.#bytes = spare;
      this.#start = spareStart;
      this.#end = spareStart;
      spare = NO_BYTES;
      spareStart = 0;
      return;
    }
    const needed = length + more;
    const grown = new Uint8Array(needed <= BLOCK_BYTES ? BLOCK_BYTES : needed + length);
    grown.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
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
    return this.#next();
  }

  u16(): number {
    this.#need(2);
    return this.#next() | (this.#next() << 8);
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    this.#need(4);
    const low = this.#next() | (this.#next() << 8);
    return low | (this.#next() << 16) | (this.#next() << 24);
  }

  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let i = 1; i < VARINT_BYTES_MAX; i++) {
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
    const copy = copyOf(this.#bytes, this.#at, this.#at + length);
    this.#at += length;
    return copy;
  }

  bytes(lengthMax: number = this.remaining): Uint8Array {
    return this.raw(this.#length(lengthMax));
  }

  /** Like `raw` without a copy: part of what is read, to be kept no longer than that should be. */
  rawView(length: number): Uint8Array {
    this.#need(length);
    const view = new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, length);
    this.#at += length;
    return view;
  }

  /** Like `bytes` without a copy. */
  view(lengthMax: number = this.remaining): Uint8Array {
    return this.rawView(this.#length(lengthMax));
  }

  text(lengthMax: number = this.remaining): string {
    const length = this.#length(lengthMax);
    const short = length > HAND_READ_TEXT_MAX ? undefined : this.#ascii(length);
    if (short !== undefined) return short;
    try {
      return decoder.decode(this.rawView(length));
    } catch (cause) {
      throw new InvalidInputError('text is not UTF-8', { cause });
    }
  }

  /** Throws unless everything was read: a message with a tail is not the message we know. */
  end(): void {
    if (this.remaining !== 0) throw new InvalidInputError(`${this.remaining} bytes too many`);
  }

  #length(lengthMax: number): number {
    const length = this.varint();
    if (length > lengthMax) throw new InvalidInputError(`${length} bytes where ${lengthMax} may be`);
    return length;
  }

  /** Reads the text unless it is not ASCII: then nothing is read. */
  #ascii(length: number): string | undefined {
    this.#need(length);
    const start = this.#at;
    let text = '';
    for (let i = 0; i < length; i++) {
      const byte = this.#next();
      if (byte >= 0x80) {
        this.#at = start;
        return undefined;
      }
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** The next byte; that there is one was checked. */
  #next(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  #need(count: number): void {
    if (count > this.remaining) {
      throw new InvalidInputError(`${count} bytes needed, ${this.remaining} left`);
    }
  }
}

/** A copy with memory of its own, even of a Node `Buffer`, whose own `slice` is a view. */
export function copyOf(bytes: Uint8Array, start: number = 0, end: number = bytes.length): Uint8Array {
  const length = end - start;
  if (length > INNER_BYTES_MAX) return Uint8Array.prototype.slice.call(bytes, start, end);
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number;
  return copy;
}
