// What a log has emitted for others and they have not yet acknowledged, in order, per destination.
//
// `events.ts` keeps one per log, as part of its replicated state.
// 1. Numbers rise within a destination and are never used twice, not even by a state that was put back
//    to an older checkpoint: they grow out of the log's time, which has gone on meanwhile.
// 2. Bounded per destination: events that must always arrive are refused beyond their limit, others push
//    out the oldest of their kind, as an old chat message would be pushed out of a history.
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { CorruptionError, invariant } from '../base/errors.ts';
import {
  BATCH_BYTES_MAX,
  EVENT_BYTES_MAX,
  EVENTS_PER_BATCH_MAX,
  type NumberedEvent,
  type Wanted,
} from '../wire/events.ts';
import type { Keep } from './feature.ts';

/** Some minutes of busy crafting, while the economy is away. */
export const ALWAYS_EVENTS_MAX = 4_096;
/** As many as the histories of a region's channels can show, and room for a burst. */
export const LATEST_EVENTS_MAX = 512;
/** Numbers per millisecond of the log's time: exact in a double until the year 2240. */
const NUMBERS_PER_MS = 1_024;
/** What a batch spends on each event besides its body. */
const NUMBER_BYTES = 16;

interface Pending extends NumberedEvent {
  readonly keep: Keep;
  /** The place in the log of the entry that emitted it. */
  readonly order: number;
}

interface Outbox {
  /** Of every event ever emitted for this destination, as far as this state knows. */
  lastNumber: number;
  pending: Pending[];
  readonly waiting: Record<Keep, number>;
}

export class Outboxes {
  /** By destination, in the order in which they were first needed. */
  readonly #boxes = new Map<number, Outbox>();

  /** False when as many wait as may. */
  emit(to: number, body: Uint8Array, of: { keep: Keep; order: number; nowMs: number }): boolean {
    invariant(body.length <= EVENT_BYTES_MAX, `an event is at most ${EVENT_BYTES_MAX} bytes`);
    const box = this.#box(to);
    const { keep, order, nowMs } = of;
    if (!makeRoom(box, keep)) return false;
    box.lastNumber = Math.max(box.lastNumber + 1, nowMs * NUMBERS_PER_MS);
    add(box, { number: box.lastNumber, body, keep, order });
    return true;
  }

  /** Whether one more event that must arrive would be taken. */
  hasRoom(to: number): boolean {
    const box = this.#boxes.get(to);
    return box === undefined || box.waiting.always < ALWAYS_EVENTS_MAX;
  }

  trim(to: number, upTo: number): void {
    const box = this.#boxes.get(to);
    if (box === undefined) return;
    const kept = box.pending.filter(({ number }) => number > upTo);
    box.pending = [];
    box.waiting.always = 0;
    box.waiting.latest = 0;
    for (const event of kept) add(box, event);
  }

  /** The next batch for each destination that has any waiting and is not busy. */
  batches({ committed, busy }: Wanted): { to: number; events: readonly NumberedEvent[] }[] {
    const batches = [];
    for (const [to, { pending }] of this.#boxes) {
      if (busy.includes(to)) continue;
      const events = firstOf(pending, committed);
      if (events.length > 0) batches.push({ to, events });
    }
    return batches;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#boxes.size);
    for (const [to, { lastNumber, pending }] of this.#boxes) {
      writer.varint(to).varint(lastNumber).varint(pending.length);
      for (const { number, body, keep, order } of pending) {
        writer.varint(number).varint(order).u8(keep === 'always' ? 1 : 0).bytes(body);
      }
    }
  }

  static load(reader: ByteReader): Outboxes {
    const outboxes = new Outboxes();
    const boxes = reader.varint();
    for (let i = 0; i < boxes; i++) {
      const to = reader.varint();
      if (outboxes.#boxes.has(to)) throw new CorruptionError(`the outbox to ${to} is saved twice`);
      const box = outboxes.#box(to);
      box.lastNumber = reader.varint();
      const count = reader.varint();
      for (let k = 0; k < count; k++) {
        const [number, order] = [reader.varint(), reader.varint()];
        const keep = reader.u8() === 1 ? 'always' : 'latest';
        add(box, { number, order, keep, body: reader.bytes(EVENT_BYTES_MAX) });
      }
    }
    return outboxes;
  }

  #box(to: number): Outbox {
    let box = this.#boxes.get(to);
    if (box === undefined) {
      box = { lastNumber: 0, pending: [], waiting: { always: 0, latest: 0 } };
      this.#boxes.set(to, box);
    }
    return box;
  }
}

function makeRoom({ pending, waiting }: Outbox, keep: Keep): boolean {
  if (keep === 'always') return waiting.always < ALWAYS_EVENTS_MAX;
  if (waiting.latest < LATEST_EVENTS_MAX) return true;
  pending.splice(pending.findIndex((event) => event.keep === keep), 1);
  waiting.latest -= 1;
  return true;
}

function add({ pending, waiting }: Outbox, event: Pending): void {
  pending.push(event);
  waiting[event.keep] += 1;
}

function firstOf(pending: readonly Pending[], committed: number): readonly NumberedEvent[] {
  let bytes = 0;
  const end = pending.findIndex(({ body, order }, place) => {
    bytes += body.length + NUMBER_BYTES;
    return place >= EVENTS_PER_BATCH_MAX || bytes > BATCH_BYTES_MAX || order > committed;
  });
  const batch = end < 0 ? pending : pending.slice(0, end);
  return batch.map(({ number, body }) => ({ number, body }));
}
