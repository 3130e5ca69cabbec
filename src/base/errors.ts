// How a call can end, and how our own promises break.
//
// Everyone uses this file: a refusal is a value with a closed list of reasons, a lost answer is
// `uncertain`, and only a broken invariant or damaged bytes are exceptions.
// Source: seed, Part I (a `bool` that hides four answers is its first fault).

/**
 * The contract that every call keeps.
 *
 * - `done` and `rejected` are decided and final. `order` is the place in the log of the group or region
 *   that decided them, so that anyone can check a history's claimed order. In a region's log, `epoch` is
 *   that of the primary which answered: the two together are the place of a state that has them.
 * - `unavailable` did not happen: the caller may ask again at will, best after `retryAfterMs`.
 * - `uncertain` may have happened: ask again with the same command id, and the first answer comes.
 */
export type Outcome<Value, Refusal extends string = string> =
  | { readonly kind: 'done'; readonly value: Value; readonly order?: number; readonly epoch?: number }
  | {
      readonly kind: 'rejected';
      readonly reason: Refusal;
      readonly detail?: string;
      readonly order?: number;
      readonly epoch?: number;
    }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'uncertain' };

/** The two outcomes that a replicated state machine itself can decide. */
export type Decision<Value, Refusal extends string = string> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'rejected'; readonly reason: Refusal; readonly detail?: string };

export function done<Value>(value: Value): { readonly kind: 'done'; readonly value: Value } {
  return { kind: 'done', value };
}

export function rejected<Refusal extends string>(
  reason: Refusal,
  detail?: string,
): { readonly kind: 'rejected'; readonly reason: Refusal; readonly detail?: string } {
  return detail === undefined
    ? { kind: 'rejected', reason }
    : { kind: 'rejected', reason, detail };
}

/** Our own promise is broken: the process must end, restart and replay. Never for outside input. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stored bytes are not what was written: this copy stops until it is repaired from others. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError';
}

/** Stored bytes are whole, and of another program or world: they stay as they are, for who wrote them. */
export class ForeignDataError extends Error {
  override readonly name = 'ForeignDataError';
}

/** Bytes or values from outside are wrong: the sender must mend itself. The text says what to change. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}

/** Too much waits already: nothing was begun, and the caller may ask again later. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Throws `InvariantError` unless `held`; the text names the promise that broke. */
export function invariant(held: boolean, promise: string): asserts held {
  if (!held) throw new InvariantError(promise);
}
