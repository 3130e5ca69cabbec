// Lines of text over two streams: what the harness says comes in, what this node says goes out.
//
// `door.ts` opens one over stdin and stdout. Both ways are bounded: a line that is too long is skipped
// whole, and what the harness does not take is dropped once much of it waits, like on a full network.
import type { Readable, Writable } from 'node:stream';

/** Holds the largest frame between nodes in base64, with room to spare. */
const LINE_LENGTH_MAX: number = 4 * 1_024 * 1_024;
const WAITING_LENGTH_MAX: number = 64 * 1_024 * 1_024;

export interface LineListener {
  line(text: string): void;
  /** A line of more than may be was skipped. */
  skipped(): void;
  /** The harness is gone: nothing comes any more, or nobody listens. */
  closed(): void;
}

/** Starts at once to hand out lines. */
export class Lines {
  readonly #output: Writable;
  readonly #listener: LineListener;
  #rest = '';
  /** Within a line that is too long. */
  #isSkipping = false;

  constructor(input: Readable, output: Writable, listener: LineListener) {
    this.#output = output;
    this.#listener = listener;
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => this.#take(chunk));
    input.on('close', () => listener.closed());
    input.on('error', () => listener.closed());
    output.on('error', () => listener.closed());
  }

  /** Writes whole lines, or drops them all. */
  write(lines: readonly string[]): void {
    if (lines.length === 0 || this.#output.writableLength > WAITING_LENGTH_MAX) return;
    this.#output.write(`${lines.join('\n')}\n`);
  }

  #take(chunk: string): void {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = this.#rest + chunk.slice(start, end);
      this.#rest = '';
      start = end + 1;
      if (this.#isSkipping || line.length > LINE_LENGTH_MAX) this.#listener.skipped();
      else if (line.trim() !== '') this.#listener.line(line);
      this.#isSkipping = false;
    }
    if (!this.#isSkipping) this.#rest += chunk.slice(start);
    if (this.#rest.length <= LINE_LENGTH_MAX) return;
    this.#rest = '';
    this.#isSkipping = true;
  }
}
