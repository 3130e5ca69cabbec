// Events as they travel from log to log, and the three calls that carry them.
//
// `world/events` keeps what was emitted and not yet acknowledged, and up to where those of others were
// taken; the `Events` port carries batches between; nobody but our own nodes may ask these calls.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { type Shape, shape } from './call-shape.ts';
import { COMMAND_BYTES_MAX } from './command.ts';
import { integer, list, nothing, object, octets, type Schema } from './schema.ts';

/** One event with its name: chat messages are the longest. */
export const EVENT_BYTES_MAX = 2_048;
export const EVENTS_PER_BATCH_MAX = 256;
/** Leaves room for what else stands in the command. */
export const BATCH_BYTES_MAX: number = COMMAND_BYTES_MAX - 4_096;
const EVENT_NAME_MAX = 64;
const LOG_NUMBER_MAX = 1_000;

/** A name, and what its arguments are: both sides, which emits and which takes, go by it. */
export interface EventShape<Args> {
  /** `feature.event` of who takes it. */
  readonly name: string;
  readonly args: Schema<Args>;
}

/** `number` rises within an origin and destination, with gaps. */
export interface NumberedEvent {
  readonly number: number;
  readonly body: Uint8Array;
}

/** What one log has for another, in order, from the first that is not acknowledged on. */
export interface EventBatch {
  /** The number of the group or region that emitted them. */
  readonly origin: number;
  readonly to: number;
  readonly events: readonly NumberedEvent[];
}

const log = integer(1, LOG_NUMBER_MAX);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const numbered: Schema<NumberedEvent> = object({ number: count, body: octets(EVENT_BYTES_MAX) });
const events = list(numbered, EVENTS_PER_BATCH_MAX);

export interface UpTo {
  /** The highest number of that origin, for that destination, that was taken. */
  readonly upTo: number;
}

/** Takes what was not taken before; a repeat changes nothing and answers the same or more. */
export const deliverEvents: Shape<Omit<EventBatch, 'to'>, UpTo, never> = shape(
  object({ origin: log, events }),
  object({ upTo: count }),
  [],
);
/** Forgets what the destination has acknowledged. */
export const trimEvents: Shape<UpTo & { readonly to: number }, null, never> = shape(
  object({ to: log, upTo: count }),
  nothing,
  [],
);
export interface Wanted {
  /** Of the log whose events are asked for: what was emitted after this place may still be undone. */
  readonly committed: number;
  /** Destinations that have a batch under way. */
  readonly busy: readonly number[];
}

/** The next batch for each destination that has any waiting, the busy ones left out. */
export const pendingEvents: Shape<Wanted, readonly EventBatch[], never> = shape(
  object({ committed: count, busy: list(log, LOG_NUMBER_MAX) }),
  list(object({ origin: log, to: log, events }), LOG_NUMBER_MAX),
  [],
);

export function encodeEvent<Args>(event: EventShape<Args>, args: Args): Uint8Array {
  const writer = new ByteWriter(128).text(event.name);
  event.args.encode(writer, args);
  return writer.finish();
}

/** The name, and a reader that stands before the arguments. */
export function openEvent(body: Uint8Array): { readonly name: string; readonly args: ByteReader } {
  const args = new ByteReader(body);
  return { name: args.text(EVENT_NAME_MAX), args };
}
