// What a primary knows of one replica: how far its disk is, and what is on the way to it.
//
// `primary.ts` and `transfer.ts` keep one per replica while they lead an epoch. `stream` sends entries
// ahead of their answers; `state` sends the whole state in parts, since the log no longer reaches back.
// Invariant: `match` falls only when the replica says that it is blank.
import { IN_FLIGHT_APPENDS_MAX, IN_FLIGHT_BYTES_MAX, type Stamp } from './messages.ts';

export const STAMP_NONE: Stamp = { life: 0, ms: 0 };

export class Progress {
  mode: 'stream' | 'state' = 'stream';
  /** Highest sequence known to be on the replica's disk and ours. */
  match = 0;
  /** The next one to send. */
  next: number;
  /** Rises whenever the stream begins anew, so that answers to what went before mean nothing. */
  attempt = 1;
  applied = 0;
  isBlank = false;
  heardMs: number;
  sentMs: number = Number.NEGATIVE_INFINITY;
  stamp: Stamp = STAMP_NONE;
  /** The next part to be answered, and to be sent. */
  partAnswered = 0;
  partNext = 0;
  partSentMs: number = Number.NEGATIVE_INFINITY;
  #inFlight: { readonly last: number; readonly bytes: number }[] = [];
  #inFlightBytes = 0;

  constructor(next: number, nowMs: number) {
    this.next = next;
    this.heardMs = nowMs;
  }

  get canStream(): boolean {
    if (this.mode !== 'stream' || this.#inFlight.length >= IN_FLIGHT_APPENDS_MAX) return false;
    return this.#inFlightBytes < IN_FLIGHT_BYTES_MAX;
  }

  sent(last: number, bytes: number): void {
    this.#inFlight.push({ last, bytes });
    this.#inFlightBytes += bytes;
    this.next = last + 1;
  }

  /** Its disk holds our log up to `sequence`. */
  matched(sequence: number): void {
    while ((this.#inFlight[0]?.last ?? Number.POSITIVE_INFINITY) <= sequence) {
      this.#inFlightBytes -= this.#inFlight.shift()?.bytes ?? 0;
    }
    this.match = Math.max(this.match, sequence);
    this.next = Math.max(this.next, sequence + 1);
  }

  /** Streams anew from after `agreed`: what was on the way counts as lost. */
  streamFrom(agreed: number): void {
    this.mode = 'stream';
    this.#restart();
    this.next = agreed + 1;
  }

  sendState(): void {
    this.mode = 'state';
    this.#restart();
    this.partAnswered = 0;
    this.partNext = 0;
    this.partSentMs = Number.NEGATIVE_INFINITY;
  }

  #restart(): void {
    this.attempt += 1;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }
}
