// The door to a Maelstrom harness: its JSON lines as requests to answer, and as links between nodes.
//
// `cli/maelstrom` opens it over stdin and stdout. What makes no sense is answered with an error where it
// says whom to answer and under which number, else logged and skipped, as is what is for another node.
// Replies and errors are never answered, so that two nodes can not go on telling each other that they
// understand nothing. Invariant: nothing is done that nobody could be told of.
import type { Readable, Writable } from 'node:stream';
import { InvalidInputError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Clock, Logger, Peers } from '../../runtime/ports.ts';
import {
  type Envelope,
  errorBody,
  type Fields,
  idOf,
  type MaelstromBody,
  readBody,
  readEnvelope,
} from '../../wire/maelstrom.ts';
import { Lines } from './lines.ts';
import { MaelstromPeers } from './peers.ts';

/** The type of bodies between nodes. */
const FRAME = 'frame';

export interface MaelstromDoorOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly asked: (request: MaelstromBody, answer: (body: Fields) => void) => void;
  /** The harness is gone. */
  readonly closed: () => void;
}

export class MaelstromDoor {
  readonly #options: MaelstromDoorOptions;
  readonly #lines: Lines;
  #peers: MaelstromPeers | undefined;
  #name: string | undefined;

  constructor(options: MaelstromDoorOptions) {
    this.#options = options;
    this.#lines = new Lines(options.input, options.output, {
      line: (text) => this.#take(text),
      skipped: () => this.#skip('it is too long'),
      closed: () => options.closed(),
    });
  }

  /** Until then whatever comes is taken to be for this node. */
  hearOnlyFor(name: string): void {
    this.#name = name;
  }

  /** What other nodes said before is lost, as on any network. */
  openPeers(self: NodeId, names: ReadonlyMap<NodeId, string>): Peers {
    const src = names.get(self) ?? '';
    this.#peers = new MaelstromPeers({
      self,
      names,
      clock: this.#options.clock,
      carry: (frames) => {
        this.#lines.write(
          frames.map(({ to, frame }) => lineOf({ src, dest: to, body: { type: FRAME, frame } })),
        );
      },
    });
    return this.#peers;
  }

  #take(line: string): void {
    let envelope: Envelope | undefined;
    try {
      envelope = readEnvelope(line);
      if (this.#name !== undefined && envelope.dest !== this.#name) this.#skip('it is for another node');
      else this.#hear(envelope, readBody(envelope.body));
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      if (envelope === undefined || idOf(envelope.body) === undefined) this.#skip(cause.message);
      else this.#answer(envelope, errorBody('malformed-request', cause.message));
    }
  }

  #hear(envelope: Envelope, body: MaelstromBody): void {
    if (body.type === FRAME) {
      const { frame } = body.fields;
      if (typeof frame === 'string') this.#peers?.heard(envelope.src, frame);
    } else if (body.isReply) {
      return;
    } else if (body.id === undefined) {
      this.#skip('the request has no "msg_id", so that nobody could be told what came of it');
    } else {
      this.#options.asked(body, (answer) => this.#answer(envelope, answer));
    }
  }

  #answer({ src, dest, body }: Envelope, answer: Fields): void {
    const reply = { ...answer, in_reply_to: idOf(body) };
    this.#lines.write([lineOf({ src: this.#name ?? dest, dest: src, body: reply })]);
  }

  #skip(cause: string): void {
    this.#options.logger.log('warn', 'line-skipped', { cause });
  }
}

function lineOf(envelope: Envelope): string {
  return JSON.stringify(envelope);
}
