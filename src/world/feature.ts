// What a feature of the game is: a name, a promise, a state, and the calls that change or read it.
//
// A feature names its promise and knows no carrier. The calls of a `linearizable` feature are applied
// by `group-machine` out of a replicated log; everything in them is deterministic (no clock, random,
// float or locale). Source: seed, "Consistency Strategy by Feature".
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Decision } from '../base/errors.ts';
import type { PlayerId } from '../base/id.ts';
import type { Shape } from '../wire/calls.ts';
import type { Schema } from '../wire/schema.ts';

export type PromiseKind = 'linearizable' | 'regional' | 'tunable' | 'convergent' | 'ephemeral';

/** Who may ask: a player that is logged in, our own services, or an operator. Everybody else: nobody. */
export type Caller = 'player' | 'service' | 'operator';

/** Tells a player something once the entry is durable; at most once, lost if he is away. */
export type Tell = (player: PlayerId, push: string, value: unknown) => void;

export interface CommandContext {
  /** Who asks; 0 when a service or an operator does. */
  readonly player: PlayerId;
  /** The entry's place in the log: also a source of unique numbers. */
  readonly order: number;
  /** The log's time: the same on every replica and at every replay. Unix ms. */
  readonly nowMs: number;
  readonly tell: Tell;
}

export interface QueryContext {
  readonly player: PlayerId;
  readonly nowMs: number;
}

/** Methods, not function properties: a feature's calls then fit a list of all features' calls. */
export interface Command<State = unknown, Args = unknown, Value = unknown> {
  readonly by: Caller;
  readonly args: Schema<Args>;
  readonly value: Schema<Value>;
  readonly refusals: readonly string[];
  apply(state: State, args: Args, context: CommandContext): Decision<Value>;
}

export interface Query<State = unknown, Args = unknown, Value = unknown> {
  readonly by: Caller;
  readonly args: Schema<Args>;
  readonly value: Schema<Value>;
  readonly refusals: readonly string[];
  read(state: State, args: Args, context: QueryContext): Decision<Value>;
}

/** The states of the features named in `needs`, by name. */
export type NeededStates = ReadonlyMap<string, unknown>;

export interface Feature<State = unknown> {
  readonly name: string;
  readonly promise: PromiseKind;
  /** Of the bytes that `save` writes: raised when they change, so that others are not misread. */
  readonly version: number;
  /** Features of the same group whose state this one works on; they come earlier in the group. */
  readonly needs: readonly string[];
  readonly commands: Readonly<Record<string, Command<State>>>;
  readonly queries: Readonly<Record<string, Query<State>>>;
  create(needed: NeededStates): State;
  /** Work that is due by the log's time (expiries); called before each command is applied. */
  advance(state: State, nowMs: number, tell: Tell): void;
  /** Equal states give equal bytes; `load` throws `CorruptionError` or `InvalidInputError`. */
  save(state: State, writer: ByteWriter): void;
  load(reader: ByteReader, needed: NeededStates): State;
}

/** Holds what a call does to its description: arguments, value and refusals must be those. */
export function command<State, Args, Value, Refusal extends string>(
  by: Caller,
  shape: Shape<Args, Value, Refusal>,
  apply: (state: State, args: Args, context: CommandContext) => Decision<Value, NoInfer<Refusal>>,
): Command<State, Args, Value> {
  return { by, ...shape, apply };
}

/** As `command`, for calls that change nothing. */
export function query<State, Args, Value, Refusal extends string>(
  by: Caller,
  shape: Shape<Args, Value, Refusal>,
  read: (state: State, args: Args, context: QueryContext) => Decision<Value, NoInfer<Refusal>>,
): Query<State, Args, Value> {
  return { by, ...shape, read };
}
