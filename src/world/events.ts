// A log's side of events: what it has emitted, up to where it has taken those of others, and three calls.
//
// `group-machine` adds it, as one more feature, to every group and region whose features emit or take
// events; `services/event-pump` asks the calls, and the `Events` port carries batches between logs.
// 1. An event is taken once: its origin's cursor is part of the same state and moves in the same entry.
// 2. Events of one origin are taken in the order of their numbers.
// 3. Nothing is taken while the answers that it may cause would find no room on the way back; the
//    origin then keeps it and sends it again.
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { CorruptionError, done, InvalidInputError, invariant } from '../base/errors.ts';
import type { Loading } from '../base/slices.ts';
import { deliverEvents, openEvent, pendingEvents, trimEvents } from '../wire/events.ts';
import {
  command,
  type CommandContext,
  type EventContext,
  type EventTaker,
  type Feature,
  query,
} from './feature.ts';
import { Outboxes } from './outboxes.ts';

export const EVENTS = 'events';

export interface EventState {
  readonly outboxes: Outboxes;
  /** The highest number that was taken, by origin. */
  readonly cursors: Map<number, number>;
}

/** A taker together with how to get at its feature's state of the moment. */
export interface BoundTaker {
  readonly taker: EventTaker;
  state(): unknown;
}

/** Of the log with this number, whose features take these events. */
export function eventsFeature(number: number, takers: readonly BoundTaker[]): Feature<EventState> {
  const byName = new Map(takers.map((bound) => [bound.taker.event.name, bound]));
  invariant(byName.size === takers.length, 'an event has one taker in a log');
  return {
    name: EVENTS,
    promise: 'regional',
    version: 1,
    needs: [],
    commands: {
      deliver: command('service', deliverEvents, (state: EventState, { origin, events }, context) => {
        for (const event of events) {
          if (event.number <= cursorOf(state, origin)) continue;
          if (!state.outboxes.hasRoom(origin)) break;
          state.cursors.set(origin, event.number);
          take(byName, event.body, { ...context, origin });
        }
        return done({ upTo: cursorOf(state, origin) });
      }),
      trim: command('service', trimEvents, (state: EventState, { to, upTo }) => {
        state.outboxes.trim(to, upTo);
        return done(null);
      }),
    },
    queries: {
      pending: query('service', pendingEvents, ({ outboxes }: EventState, wanted) =>
        done(outboxes.batches(wanted).map((batch) => ({ origin: number, ...batch }))),
      ),
    },
    create: () => ({ outboxes: new Outboxes(), cursors: new Map() }),
    advance() {},
    save,
    load,
  };
}

/** What this world does not know, or can not read, is skipped: a newer one emitted it. */
function take(
  takers: ReadonlyMap<string, BoundTaker>,
  body: Uint8Array,
  context: CommandContext & EventContext,
): void {
  const read = readEvent(takers, body);
  read?.bound.taker.take(read.bound.state(), read.args, context);
}

function readEvent(
  takers: ReadonlyMap<string, BoundTaker>,
  body: Uint8Array,
): { readonly bound: BoundTaker; readonly args: unknown } | undefined {
  try {
    const { name, args: reader } = openEvent(body);
    const bound = takers.get(name);
    if (bound === undefined) return undefined;
    const args = bound.taker.event.args.decode(reader);
    reader.end();
    return { bound, args };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    return undefined;
  }
}

function cursorOf({ cursors }: EventState, origin: number): number {
  return cursors.get(origin) ?? 0;
}

function save({ outboxes, cursors }: EventState, writer: ByteWriter): void {
  outboxes.save(writer);
  writer.varint(cursors.size);
  for (const [origin, upTo] of cursors) writer.varint(origin).varint(upTo);
}

function* load(reader: ByteReader): Loading<EventState> {
  const outboxes = Outboxes.load(reader);
  const cursors = new Map<number, number>();
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const [origin, upTo] = [reader.varint(), reader.varint()];
    if (cursors.has(origin)) throw new CorruptionError(`origin ${origin} is saved twice`);
    cursors.set(origin, upTo);
  }
  return { outboxes, cursors };
}
