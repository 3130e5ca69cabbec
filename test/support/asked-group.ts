// One group as shipped, asked as gateways and services ask, with the answers decoded.
import { ByteWriter } from '../../src/base/bytes.ts';
import type { Notice, StateMachine } from '../../src/protocols/state-machine.ts';
import {
  type CommandEnvelope,
  decodeReply,
  encodeCommand,
  encodeQuery,
  type Reply,
} from '../../src/wire/command.ts';
import { decodeWith, encodeWith } from '../../src/wire/schema.ts';
import type { Feature, Surroundings } from '../../src/world/feature.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';

export const START_MS = 1_700_000_000_000;
export const SESSION_END_MS: number = START_MS + 86_400_000;

/** A reply with its value decoded. */
export type Answer =
  | { readonly kind: 'done'; readonly order: number; readonly value: unknown }
  | Extract<Reply, { kind: 'rejected' }>;

export class AskedGroup {
  readonly features: readonly Feature[];
  machine: StateMachine;
  timeMs: number = START_MS;
  index = 0;
  /** Of the last command. */
  notices: readonly Notice[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #here: Surroundings | undefined;

  constructor(features: readonly Feature[], here?: Surroundings) {
    this.features = features;
    this.#here = here;
    this.machine = createGroupMachine(features, here);
  }

  /** A player asks his next command. */
  ask(player: number, call: string, args: unknown = null): Answer {
    return this.answer(call, this.apply(this.command(player, call, args)));
  }

  /** One of our own services asks. */
  serve(call: string, args: unknown): Answer {
    return this.answer(call, this.apply(serviceCommand(call, this.argsOf(call, args))));
  }

  /** Player 0 is an operator. */
  query(player: number, call: string, args: unknown = null): Answer {
    const request = encodeQuery({ player, call, args: this.argsOf(call, args) });
    return this.answer(call, this.machine.query(request, this.index, this.timeMs));
  }

  /** The bytes of a player's next command, with everything before it answered unless said. */
  command(
    player: number,
    call: string,
    args: unknown,
    session: Partial<CommandEnvelope> = {},
  ): Uint8Array {
    const number = session.number ?? (this.#numbers.get(player) ?? 0) + 1;
    this.#numbers.set(player, Math.max(number, this.#numbers.get(player) ?? 0));
    return encodeCommand({
      session: 1_000 + player,
      sessionExpiresAtMs: SESSION_END_MS,
      number,
      answeredBelow: number,
      player,
      call,
      args: args instanceof Uint8Array ? args : this.argsOf(call, args),
      ...session,
    });
  }

  apply(command: Uint8Array): Uint8Array {
    this.index += 1;
    const applied = this.machine.apply({ index: this.index, timeMs: this.timeMs, command });
    this.notices = applied.notices;
    return applied.reply;
  }

  answer(call: string, reply: Uint8Array): Answer {
    const decoded = decodeReply(reply);
    if (decoded.kind === 'rejected') return decoded;
    const { value } = this.#callOf(call);
    return { ...decoded, value: decodeWith(value, decoded.value) };
  }

  argsOf(call: string, args: unknown): Uint8Array {
    return encodeWith(this.#callOf(call).args, args);
  }

  /** Goes on as another process would, that was given a snapshot. */
  restart(): void {
    const snapshot = this.machine.snapshot();
    this.restore(snapshot);
  }

  restore(snapshot: Uint8Array): void {
    this.machine = createGroupMachine(this.features, this.#here);
    this.machine.restore(snapshot);
  }

  #callOf(name: string): Feature['commands'][string] | Feature['queries'][string] {
    const [featureName = '', call = ''] = name.split('.');
    const feature = this.features.find((one) => one.name === featureName);
    const found = feature?.commands[call] ?? feature?.queries[call];
    if (found === undefined) throw new Error(`the test asks ${name}, which there is not`);
    return found;
  }
}

export function serviceCommand(call: string, args: Uint8Array): Uint8Array {
  const none = { session: 0, sessionExpiresAtMs: 0, number: 0, answeredBelow: 0, player: 0 };
  return encodeCommand({ ...none, call, args });
}

/** The reason of a refusal; `done` otherwise. */
export function reasonOf(answer: Answer): string {
  return answer.kind === 'rejected' ? answer.reason : 'done';
}

/** Varints one after the other: arguments that no schema would have encoded. */
export function varints(...values: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.varint(value);
  return writer.finish();
}
