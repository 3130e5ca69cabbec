// A player's connection made by hand: a TCP socket that speaks just enough WebSocket to be cheap.
//
// The generator has thousands of them in one process, and must never be the limit. Frames that nobody
// looks into are skipped by their length; `onBinary` gets those of the few who do.
import { connect, type Socket } from 'node:net';

const TEXT = 0x81;
const BINARY = 0x82;
const PING = 0x9;
/** So much of a frame that nobody looks into is shown all the same: its kind and its time. */
const HEAD_BYTES = 5;

export interface Reader {
  text(text: string): void;
  /** Called for every binary frame; `bytes` are its head unless `wants` is set, valid in the call only. */
  binary(bytes: Buffer): void;
}

export class RawClient {
  /** Whether the reader wants all bytes of binary frames. */
  wants: boolean;
  bytesIn = 0;
  readonly #socket: Socket;
  readonly #reader: Reader;
  #rest: Buffer | undefined;
  #skip = 0;
  #isOpen = false;

  /** Calls `opened` when the server has taken the connection over as a WebSocket. */
  constructor(o: { port: number; wants: boolean; reader: Reader; opened(): void; broke(why: string): void }) {
    this.wants = o.wants;
    this.#reader = o.reader;
    this.#socket = connect({ host: '127.0.0.1', port: o.port, noDelay: true });
    this.#socket.on('error', (cause) => o.broke(cause.message));
    this.#socket.on('close', () => o.broke('closed'));
    this.#socket.write(
      'GET /v1/ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    this.#socket.on('data', (chunk: Buffer) => {
      this.bytesIn += chunk.length;
      if (this.#isOpen) return this.#read(chunk);
      const head = chunk.indexOf('\r\n\r\n');
      if (head < 0 || !chunk.toString('latin1', 0, 12).endsWith('101')) return o.broke('no upgrade');
      this.#isOpen = true;
      o.opened();
      if (chunk.length > head + 4) this.#read(chunk.subarray(head + 4));
    });
  }

  sendText(text: string): void {
    this.#send(TEXT, Buffer.from(text));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#send(BINARY, bytes);
  }

  destroy(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  /** Masked with zeros, as the standard lets a client choose: nothing to compute. */
  #send(first: number, payload: Uint8Array): void {
    const head = payload.length < 126 ? 6 : 8;
    const frame = Buffer.alloc(head + payload.length);
    frame[0] = first;
    frame[1] = 0x80 | (payload.length < 126 ? payload.length : 126);
    if (head === 8) frame.writeUInt16BE(payload.length, 2);
    frame.set(payload, head);
    this.#socket.write(frame);
  }

  #read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      bytes = bytes.subarray(skipped);
    }
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, bytes]);
      this.#rest = undefined;
    }
    while (bytes.length > 0) {
      const used = this.#readFrame(bytes);
      if (used === 0) {
        // A copy, since the chunk is a part of a slab that it would hold.
        this.#rest = Buffer.from(bytes);
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  /** Reads or skips the frame at the start; 0 when it must wait for more. */
  #readFrame(bytes: Buffer): number {
    if (bytes.length < 4) return 0;
    const opcode = (bytes[0] ?? 0) & 0xf;
    const short = bytes[1] ?? 0;
    // Our server sends no frame of 64 KiB.
    const head = short < 126 ? 2 : 4;
    const length = short < 126 ? short : bytes.readUInt16BE(2);
    const isBinary = opcode === 2;
    if (isBinary && !this.wants) {
      const shown = head + Math.min(length, HEAD_BYTES);
      if (bytes.length < shown) return 0;
      this.#reader.binary(bytes.subarray(head, shown));
      this.#skip = Math.max(0, head + length - bytes.length);
      return Math.min(head + length, bytes.length);
    }
    if (bytes.length < head + length) return 0;
    const payload = bytes.subarray(head, head + length);
    if (isBinary) this.#reader.binary(payload);
    else if (opcode === 1) this.#reader.text(payload.toString());
    else if (opcode === PING) this.#send(0x8a, payload);
    return head + length;
  }
}
