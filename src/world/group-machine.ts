// The state machine of one replicated group: the features that its topology names, behind sessions.
//
// `services/node` makes one per group and member, the group's log drives it. Whatever the bytes of a
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
import type { Applied, AppliedEntry, Notice, StateMachine } from '../protocols/state-machine.ts';
import {
  type CommandEnvelope,
  decodeCommand,
  decodeCommandHead,
  decodeQuery,
  encodeReply,
  type GroupRefusal,
} from '../wire/command.ts';
import { decodeWith, encodeWith, type Schema } from '../wire/schema.ts';
import type { Caller, Command, Feature, Query, Tell } from './feature.ts';

const FORMAT = 1;
const FEATURE_NAME_MAX = 64;

/** Features that work on others come after those; anything else is a mistake of the caller's. */
export function createGroupMachine(features: readonly Feature[]): StateMachine {
  return exactlyOnce(new FeatureMachine(features), {
    head: (command) => readable(command, decodeCommandHead),
    refuse: (reason, entry) => refusal(reason, entry.index),
  });
}

/** One feature in its group; a restore replaces the state. */
interface Part {
  readonly feature: Feature;
  state: unknown;
}

class FeatureMachine implements StateMachine {
  #parts: readonly Part[];
  readonly #commands = new Map<string, { readonly part: Part; readonly call: Command }>();
  readonly #queries = new Map<string, { readonly part: Part; readonly call: Query }>();
  #snapshotBytes = 0;

  constructor(features: readonly Feature[]) {
    const states = new Map<string, unknown>();
    this.#parts = features.map((feature) => {
      const unmet = feature.needs.find((needed) => !states.has(needed));
      invariant(unmet === undefined, `${feature.name} comes after ${unmet} in its group`);
      const part: Part = { feature, state: feature.create(states) };
      states.set(feature.name, part.state);
      for (const [name, call] of Object.entries(feature.commands)) {
        this.#commands.set(`${feature.name}.${name}`, { part, call });
      }
      for (const [name, call] of Object.entries(feature.queries)) {
        this.#queries.set(`${feature.name}.${name}`, { part, call });
      }
      return part;
    });
  }

  apply(entry: AppliedEntry): Applied {
    const notices: Notice[] = [];
    const tell: Tell = (player, push, value) => {
      notices.push({ player, push, value });
    };
    for (const { feature, state } of this.#parts) feature.advance(state, entry.timeMs, tell);
    return { reply: this.#decide(entry, tell), notices };
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

  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot);
    const format = reader.u8();
    if (format !== FORMAT) throw new CorruptionError(`the group is saved in format ${format}`);
    const count = reader.varint();
    if (count !== this.#parts.length) {
      throw new CorruptionError(`${count} features are saved, ${this.#parts.length} are expected`);
    }
    const states = new Map<string, unknown>();
    for (const { feature } of this.#parts) {
      states.set(feature.name, loadFeature(feature, reader, states));
    }
    reader.end();
    for (const part of this.#parts) part.state = states.get(part.feature.name);
  }

  #decide(entry: AppliedEntry, tell: Tell): Uint8Array {
    const order = entry.index;
    const command = readable(entry.command, decodeCommand);
    if (command === undefined) return refusal('unreadable-command', order);
    const found = this.#commands.get(command.call);
    if (found === undefined) return refusal('unknown-call', order);
    const { part, call } = found;
    if (!mayCommand(call.by, command)) return refusal('not-allowed', order);
    const args = argsOf(call.args, command.args);
    if (args instanceof InvalidInputError) return refusal('invalid-input', order, args.message);
    const player = playerId(command.player);
    const context = { player, order, nowMs: entry.timeMs, tell };
    return reply(call.value, call.apply(part.state, args, context), order);
  }
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

function loadFeature(
  feature: Feature,
  reader: ByteReader,
  states: ReadonlyMap<string, unknown>,
): unknown {
  const name = reader.text(FEATURE_NAME_MAX);
  const version = reader.varint();
  if (name !== feature.name || version !== feature.version) {
    const expected = `${feature.name} version ${feature.version}`;
    throw new CorruptionError(`${name} version ${version} is saved where ${expected} must be`);
  }
  const length = reader.u32();
  const after = reader.remaining - length;
  const state = feature.load(reader, states);
  if (reader.remaining !== after) {
    throw new CorruptionError(`the state of ${name} is not ${length} bytes long`);
  }
  return state;
}
