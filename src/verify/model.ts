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

/**
 * When two states that were reached on different ways are one: as a function says, or whenever the same
 * operations took effect, for states that do not depend on the order of what led to them.
 */
export type Sameness<State> = 'same-operations' | ((one: State, other: State) => boolean);

/**
 * For states that consist of numbered places (accounts, items): what an action does to one place must not
 * depend on the others. A search then knows which actions can not help where it is stuck.
 */
export interface Places<State, Step extends Action> {
  /** Every place that the action may change; none where it changes nothing. */
  touched(action: Step): readonly number[];
  /**
   * The places of which each alone makes the action impossible, at least one. Asked only when it is; of
   * an action that changes something they are among those that it touches.
   */
  against(state: State, action: Step): readonly number[];
}

/** A part of a history, read by a model. */
export interface Problem<State, Step extends Action> {
  readonly initial: State;
  /** One for each operation of the part, in their order; `undefined` for what can not matter. */
  readonly actions: readonly (Step | undefined)[];
  readonly sameness: Sameness<State>;
  readonly places?: Places<State, Step>;
  /**
   * The state after the action, or `undefined` when it could not have been answered so. An operation of
   * unknown fate that would be rejected is not possible either: never to have happened is the same.
   */
  step(state: State, action: Step): State | undefined;
  /** The state in a few words for people, as far as it concerns the action. */
  describe(state: State, action: Step): string;
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
