// What a feature of the game is: a name, a promise, a state, and the calls that change or read it.
//
// A feature names its promise and knows no carrier. The calls of `linearizable` and `regional` features
// are applied by `group-machine` out of a replicated log, a group's or a region's; everything in them is
// deterministic (no clock, random, float or locale). Features of different logs meet by events only.
// Source: seed, "Consistency Strategy by Feature".
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Decision } from '../base/errors.ts';
import type { PlayerId } from '../base/id.ts';
import type { Pace } from '../base/pace.ts';
import type { Loading, Slices } from '../base/slices.ts';
import type { Shape } from '../wire/call-shape.ts';
import type { EventShape } from '../wire/events.ts';
import type { AckLevel } from '../wire/levels.ts';
import type { Schema } from '../wire/schema.ts';

export type PromiseKind = 'linearizable' | 'regional' | 'tunable' | 'convergent' | 'ephemeral';

/** Who may ask: a player that is logged in, our own services, or an operator. Everybody else: nobody. */
export type Caller = 'player' | 'service' | 'operator';

/** Tells a player something once the entry is durable; at most once, lost if he is away. */
export type Tell = (player: PlayerId, push: string, value: unknown) => void;

/** Tells everybody who is in the region that this log is of; in a group's log, nobody. */
export type TellRegion = (push: string, value: unknown) => void;

/** Where a log stands among the world's others: the same on every copy. */
export interface Surroundings {
  /** Of the log itself, on the wire and in events. */
  readonly number: number;
  readonly name: string;
  readonly otherRegions: readonly number[];
  /** The number of the group that holds a `linearizable` feature. */
  homeOf(feature: string): number | undefined;
}

/**
 * What happens to an event if its destination is away for so long that too many wait for it: `always`
 * means that the newest is not taken any more (`emit` answers false), `latest` that the oldest of its
 * kind is dropped.
 */
export type Keep = 'always' | 'latest';

/**
 * Sends an event to another log, where it is taken exactly once, after those that were emitted before.
 * It leaves when the entry that emitted it is committed. False when nothing was emitted.
 */
export type Emit = <Args>(
  event: EventShape<Args>,
  args: Args,
  how: { readonly to: number; readonly keep: Keep },
) => boolean;

/** What an entry of the log knows, and what it may cause besides a changed state. */
export interface EntryContext {
  /** The entry's place in the log: also a source of unique numbers. */
  readonly order: number;
  /** The log's time: the same on every replica and at every replay. Unix ms. */
  readonly nowMs: number;
  readonly here: Surroundings;
  readonly tell: Tell;
  readonly tellRegion: TellRegion;
  readonly emit: Emit;
}

export interface CommandContext extends EntryContext {
  /** Who asks; 0 when a service or an operator does. */
  readonly player: PlayerId;
}

export interface EventContext extends EntryContext {
  /** The number of the log that emitted it. */
  readonly origin: number;
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
  /** Of a `regional` feature: unless the caller asks for another. */
  readonly ack: AckLevel;
  /** How often a player may ask: beyond it gateways answer `unavailable`, at no cost to the log. */
  readonly pace?: Pace;
  apply(state: State, args: Args, context: CommandContext): Decision<Value>;
}

export interface Query<State = unknown, Args = unknown, Value = unknown> {
  readonly by: Caller;
  readonly args: Schema<Args>;
  readonly value: Schema<Value>;
  readonly refusals: readonly string[];
  read(state: State, args: Args, context: QueryContext): Decision<Value>;
}

/** Takes what a feature of another log emitted; it can not be refused, only taken to no effect. */
export interface EventTaker<State = unknown, Args = unknown> {
  readonly event: EventShape<Args>;
  take(state: State, args: Args, context: EventContext): void;
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
  /** Of a feature that emits or takes events: those that it takes. */
  readonly events?: readonly EventTaker<State>[];
  create(needed: NeededStates): State;
  /** Work that is due by the log's time (expiries); called before each command is applied. */
  advance(state: State, nowMs: number, tell: Tell): void;
  /** Equal states give equal bytes. */
  save(state: State, writer: ByteWriter): void;
  /**
   * Bit by bit where much may have been saved (`base/slices.ts`). Throws `CorruptionError` or
   * `InvalidInputError`.
   */
  load(reader: ByteReader, needed: NeededStates): Loading<State>;
  /**
   * The bytes of `save` bit by bit, for a feature that may hold much; all others are saved at once.
   */
  slices?(state: State): Slices;
}

/** Holds what a call does to its description: arguments, value and refusals must be those. */
export function command<State, Args, Value, Refusal extends string>(
  by: Caller,
  shape: Shape<Args, Value, Refusal>,
  apply: (state: State, args: Args, context: CommandContext) => Decision<Value, NoInfer<Refusal>>,
): Command<State, Args, Value> {
  return { by, ...shape, ack: 'quorum', apply };
}

/** A command of a `regional` feature that is answered at another level than a quorum of the copies. */
export function acknowledgedAt<State, Args, Value>(
  ack: AckLevel,
  described: Command<State, Args, Value>,
): Command<State, Args, Value> {
  return { ...described, ack };
}

/** A command that gateways hold each player to a pace in; its feature may still hold him to one itself. */
export function atPace<State, Args, Value>(
  pace: Pace,
  described: Command<State, Args, Value>,
): Command<State, Args, Value> {
  return { ...described, pace };
}

/** As `command`, for calls that change nothing. */
export function query<State, Args, Value, Refusal extends string>(
  by: Caller,
  shape: Shape<Args, Value, Refusal>,
  read: (state: State, args: Args, context: QueryContext) => Decision<Value, NoInfer<Refusal>>,
): Query<State, Args, Value> {
  return { by, ...shape, read };
}

/** Holds what takes an event to the event's description. */
export function taker<State, Args>(
  event: EventShape<Args>,
  take: (state: State, args: Args, context: EventContext) => void,
): EventTaker<State, Args> {
  return { event, take };
}
