// How a call is described: its arguments, its value, and the closed list of reasons to refuse it.
//
// `calls.ts` and `regional-calls.ts` describe the stock world's with it, a studio its own.
import type { Schema } from './schema.ts';

/** `refusals` is the closed list of reasons that the call may be rejected for. */
export interface Shape<Args, Value, Refusal extends string = string> {
  readonly args: Schema<Args>;
  readonly value: Schema<Value>;
  readonly refusals: readonly Refusal[];
}

export function shape<Args, Value, Refusal extends string>(
  args: Schema<Args>,
  value: Schema<Value>,
  refusals: readonly Refusal[],
): Shape<Args, Value, Refusal> {
  return { args, value, refusals };
}
