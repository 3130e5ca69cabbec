// What a model is: the sequential truth that a history of concurrent operations is held against.
//
// Those in models/ are the stock ones; whoever declares a feature may bring his own and hand it to
// `checkerOf`. A model is pure: it reads the operations of one part of a history into actions of its own,
// and says which action may follow on which state. It knows nothing of concurrency: that is `search`.
import type { Initial, Operation } from './history.ts';

/** One operation in the model's own terms, with the answer it got. */
export interface Action {
  /**
   * Whether it may leave another state behind. What changes nothing (a read, a rejection) is free:
   * the search takes it as soon as it fits.
   */
  readonly changes: boolean;
}

/** Operations that can be checked apart from all others: linearizability is local to an object. */
export interface Part {
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly initial: Initial;
}

/** When two states that were reached on different ways are one. */
export type Sameness<State> =
  /** When the same operations took effect: for states that do not depend on their order. */
  | 'same-operations'
  /** `equal` states have equal hashes: 32-bit integers. */
  | { hash(state: State): number; equal(one: State, other: State): boolean };

/** A part of a history, read by a model. */
export interface Problem<State, Step extends Action> {
  readonly initial: State;
  /** One for each operation of the part, in their order; `undefined` for what can not matter. */
  readonly actions: readonly (Step | undefined)[];
  readonly sameness: Sameness<State>;
  /**
   * The state after the action, or `undefined` when it could not have been answered so. An operation of
   * unknown fate that would be rejected is not possible either: never to have happened is the same.
   */
  step(state: State, action: Step): State | undefined;
  /**
   * How far the state is from one in which the action is possible. Only a hint: the search tries what
   * comes nearest first.
   */
  misfit?(state: State, action: Step): number;
  /** The state in a few words, for people. */
  describe(state: State): string;
}

export interface Model<State, Step extends Action> {
  readonly name: string;
  /** The `f` of all operations that it understands. */
  readonly functions: readonly string[];
  /** How to take a history apart; by key where a model does not say. */
  partsOf?(operations: readonly Operation[], initial: Initial): readonly Part[];
  /** Throws `InvalidInputError` for an operation or an initial state that it can not read. */
  open(part: Part): Problem<State, Step>;
}

/** One part for each key, in the order in which they first appear. */
export function partsByKey(operations: readonly Operation[], initial: Initial): readonly Part[] {
  const byKey = new Map<string, Operation[]>();
  for (const operation of operations) {
    const part = byKey.get(operation.key);
    if (part === undefined) byKey.set(operation.key, [operation]);
    else part.push(operation);
  }
  return [...byKey].map(([name, part]) => ({ name, operations: part, initial }));
}
