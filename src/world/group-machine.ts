// The state machine of one log, a group's or a region's: the features that its topology names, behind
// sessions, and their events.
//
// The roles of nodes make one per log and copy, the log drives it. Whatever the bytes of a
// command say is answered: what cannot be read, is unknown, or is asked by the wrong caller, is a
// decided refusal. Bytes of a snapshot: the sessions, then each feature's name, version, length and
// state, in the group's order; each feature answers for the order within its own.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import {
  CorruptionError,
  type Decision,
  InvalidInputError,
  invariant,
  rejected,
} from '../base/errors.ts';
import { playerId } from '../base/id.ts';
import { exactlyOnce } from '../protocols/sessions.ts';
import { atOnce, type Loading, type Slices } from '../base/slices.ts';
import type { Applied, AppliedEntry, Notice, StateMachine } from '../protocols/state-machine.ts';
import {
  type CommandEnvelope,
  type CommandHead,
  decodeCommand,
  decodeCommandHead,
  decodeQuery,
  encodeReply,
  type GroupRefusal,
} from '../wire/command.ts';
import { encodeEvent } from '../wire/events.ts';
import { decodeWith, encodeWith, type Schema } from '../wire/schema.ts';
import { eventsFeature, type EventState } from './events.ts';
import type {
  Caller,
  Command,
  CommandContext,
  Emit,
  Feature,
  Query,
  Surroundings,
  Tell,
  TellRegion,
} from './feature.ts';

const FORMAT = 1;
const FEATURE_NAME_MAX = 64;

/** Of a log that no other one can reach: its events go nowhere. */
const ALONE: Surroundings = {
  number: 0,
  name: 'alone',
  otherRegions: [],
  homeOf: () => undefined,
};

/** Features that work on others come after those; anything else is a mistake of the caller's. */
export function createGroupMachine(
  features: readonly Feature[],
  here: Surroundings = ALONE,
): StateMachine {
  const machine = new FeatureMachine(features, here);
  return exactlyOnce(machine, {
    head: (command) => machine.headOf(command),
    refuse: (reason, entry) => refusal(reason, entry.index),
  });
}

/** One feature in its group; a restore replaces the state. */
interface Part {
  readonly feature: Feature;
  state: unknown;
}

class FeatureMachine implements StateMachine {
  readonly #here: Surroundings;
  readonly #parts: readonly Part[];
  /** `undefined` in a log whose features neither emit nor take events. */
  readonly #events: Part | undefined;
  readonly #commands = new Map<string, { readonly part: Part; readonly call: Command }>();
  readonly #queries = new Map<string, { readonly part: Part; readonly call: Query }>();
  #snapshotBytes = 0;
  /** What was read last: its session is asked for first. */
  #read: { readonly bytes: Uint8Array; readonly command: CommandEnvelope | undefined } | undefined;
  /** What the entry under way tells, and where it stands. */
  #notices: Notice[] = [];
  #order = 0;
  #nowMs = 0;
  readonly #tell: Tell = (player, push, value) => {
    this.#notices.push({ player, push, value });
  };
  readonly #tellRegion: TellRegion = (push, value) => {
    this.#notices.push({ player: 0, region: this.#here.number, push, value });
  };
  readonly #emit: Emit = (event, args, { to, keep }) => {
    invariant(this.#events !== undefined, 'a feature that emits events says so');
    const { outboxes } = this.#events.state as EventState;
    const at = { keep, order: this.#order, nowMs: this.#nowMs };
    return outboxes.emit(to, encodeEvent(event, args), at);
  };

  constructor(features: readonly Feature[], here: Surroundings) {
    this.#here = here;
    const states = new Map<string, unknown>();
    const parts = features.map((feature) => {
      const unmet = feature.needs.find((needed) => !states.has(needed));
      invariant(unmet === undefined, `${feature.name} comes after ${unmet} in its group`);
      const part: Part = { feature, state: feature.create(states) };
      states.set(feature.name, part.state);
      return part;
    });
    this.#events = eventsPart(here.number, parts);
    this.#parts = this.#events === undefined ? parts : [...parts, this.#events];
    for (const part of this.#parts) {
      const { name: of, commands, queries } = part.feature;
      for (const [name, call] of Object.entries(commands)) {
        this.#commands.set(`${of}.${name}`, { part, call });
      }
      for (const [name, call] of Object.entries(queries)) {
        this.#queries.set(`${of}.${name}`, { part, call });
      }
    }
  }

  /** Of a command that is about to be applied: all of it is read, once for both. */
  headOf(bytes: Uint8Array): CommandHead | undefined {
    const command = readable(bytes, decodeCommand);
    this.#read = { bytes, command };
    return command ?? readable(bytes, decodeCommandHead);
  }

  apply({ index, timeMs, command }: AppliedEntry): Applied {
    this.#notices = [];
    this.#order = index;
    this.#nowMs = timeMs;
    for (const { feature, state } of this.#parts) feature.advance(state, timeMs, this.#tell);
    return { reply: this.#decide(command), notices: this.#notices };
  }

  query(request: Uint8Array, index: number, timeMs: number): Uint8Array {
    const query = readable(request, decodeQuery);
    if (query === undefined) return refusal('unreadable-command', index);
    const found = this.#queries.get(query.call);
    if (found === undefined) return refusal('unknown-call', index);
    const { part, call } = found;
    if (!mayAsk(call.by, query.player > 0)) return refusal('not-allowed', index);
    const args = argsOf(call.args, query.args);
    if (args instanceof InvalidInputError) return refusal('invalid-input', index, args.message);
    const context = { player: playerId(query.player), nowMs: timeMs };
    return reply(call.value, call.read(part.state, args, context), index);
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter(this.#snapshotBytes + 1024).u8(FORMAT);
    writer.varint(this.#parts.length);
    for (const { feature, state } of this.#parts) {
      writer.text(feature.name).varint(feature.version);
      const lengthAt = writer.length;
      writer.u32(0);
      feature.save(state, writer);
      writer.patchU32(lengthAt, writer.length - lengthAt - 4);
    }
    this.#snapshotBytes = writer.length;
    return writer.finish();
  }

  *slices(): Slices {
    // All features are frozen, or saved, before anything else happens; then those that are large go on.
    const begun = this.#parts.map(({ feature, state }) => {
      const work = feature.slices?.(state) ?? savedAtOnce(feature, state);
      return { feature, work, first: work.next() };
    });
    const parts = [new ByteWriter().u8(FORMAT).varint(begun.length).finish()];
    for (const { feature, work, first } of begun) {
      let step = first;
      for (; step.done !== true; step = work.next()) yield undefined;
      const bytes = step.value.reduce((sum, part) => sum + part.length, 0);
      const head = new ByteWriter().text(feature.name).varint(feature.version).u32(bytes);
      parts.push(head.finish(), ...step.value);
    }
    return parts;
  }

  restore(snapshot: Uint8Array): void {
    atOnce(this.restoreInSlices(snapshot));
  }

  *restoreInSlices(snapshot: Uint8Array): Loading<undefined> {
    const reader = new ByteReader(snapshot);
    const format = reader.u8();
    if (format !== FORMAT) throw new CorruptionError(`the group is saved in format ${format}`);
    const count = reader.varint();
    if (count !== this.#parts.length) {
      throw new CorruptionError(`${count} features are saved, ${this.#parts.length} are expected`);
    }
    const states = new Map<string, unknown>();
    for (const { feature } of this.#parts) {
      states.set(feature.name, yield* loadFeature(feature, reader, states));
      yield undefined;
    }
    reader.end();
    for (const part of this.#parts) part.state = states.get(part.feature.name);
  }

  #commandIn(bytes: Uint8Array): CommandEnvelope | undefined {
    return this.#read?.bytes === bytes ? this.#read.command : readable(bytes, decodeCommand);
  }

  #decide(bytes: Uint8Array): Uint8Array {
    const order = this.#order;
    const command = this.#commandIn(bytes);
    if (command === undefined) return refusal('unreadable-command', order);
    const found = this.#commands.get(command.call);
    if (found === undefined) return refusal('unknown-call', order);
    const { part, call } = found;
    if (!mayCommand(call.by, command)) return refusal('not-allowed', order);
    const args = argsOf(call.args, command.args);
    if (args instanceof InvalidInputError) return refusal('invalid-input', order, args.message);
    const context: CommandContext = {
      order,
      nowMs: this.#nowMs,
      here: this.#here,
      tell: this.#tell,
      tellRegion: this.#tellRegion,
      emit: this.#emit,
      player: playerId(command.player),
    };
    return reply(call.value, call.apply(part.state, args, context), order);
  }
}

function eventsPart(number: number, parts: readonly Part[]): Part | undefined {
  if (!parts.some(({ feature }) => feature.events !== undefined)) return undefined;
  const takers = parts.flatMap((part) =>
    (part.feature.events ?? []).map((taker) => ({ taker, state: () => part.state })),
  );
  const feature = eventsFeature(number, takers) as Feature;
  return { feature, state: feature.create(new Map()) };
}

function* savedAtOnce(feature: Feature, state: unknown): Slices {
  const writer = new ByteWriter(1024);
  feature.save(state, writer);
  return [writer.finish()];
}

/** Our own services and operators come without player and session; a mixture is neither. */
function mayCommand(by: Caller, command: CommandEnvelope): boolean {
  const isPlayer = command.player > 0;
  return isPlayer === command.session > 0 && mayAsk(by, isPlayer);
}

function mayAsk(by: Caller, isPlayer: boolean): boolean {
  return (by === 'player') === isPlayer;
}

function readable<Read>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Read,
): Read | undefined {
  try {
    return decode(bytes);
  } catch (cause) {
    if (cause instanceof InvalidInputError) return undefined;
    throw cause;
  }
}

function argsOf(schema: Schema<unknown>, bytes: Uint8Array): unknown {
  try {
    return decodeWith(schema, bytes);
  } catch (cause) {
    if (cause instanceof InvalidInputError) return cause;
    throw cause;
  }
}

function reply(schema: Schema<unknown>, decision: Decision<unknown>, order: number): Uint8Array {
  if (decision.kind === 'rejected') return encodeReply({ ...decision, order });
  return encodeReply({ kind: 'done', order, value: encodeWith(schema, decision.value) });
}

function refusal(reason: GroupRefusal, order: number, detail?: string): Uint8Array {
  return encodeReply({ ...rejected(reason, detail), order });
}

function* loadFeature(
  feature: Feature,
  reader: ByteReader,
  states: ReadonlyMap<string, unknown>,
): Loading<unknown> {
  const name = reader.text(FEATURE_NAME_MAX);
  const version = reader.varint();
  if (name !== feature.name || version !== feature.version) {
    const expected = `${feature.name} version ${feature.version}`;
    throw new CorruptionError(`${name} version ${version} is saved where ${expected} must be`);
  }
  const length = reader.u32();
  const after = reader.remaining - length;
  const state = yield* feature.load(reader, states);
  if (reader.remaining !== after) {
    throw new CorruptionError(`the state of ${name} is not ${length} bytes long`);
  }
  return state;
}
