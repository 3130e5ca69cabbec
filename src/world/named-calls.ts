// The calls of features in a list, as everybody names them: `feature.call`.
//
// What asks, carries, judges or describes calls reads it; `group-machine` applies them.
import type { Pace } from '../base/pace.ts';
import type { AckLevel } from '../wire/levels.ts';
import type { Schema } from '../wire/schema.ts';
import type { Caller, Feature } from './feature.ts';

export interface NamedCall {
  readonly name: string;
  readonly feature: Pick<Feature, 'name' | 'promise'>;
  readonly mode: 'command' | 'query';
  readonly by: Caller;
  readonly args: Schema<unknown>;
  readonly value: Schema<unknown>;
  /** Of a command to a region, unless its caller asks for another level. */
  readonly ack: AckLevel | undefined;
  /** How often a player may ask, where that is bounded by more than the rate of all calls. */
  readonly pace?: Pace | undefined;
}

/** Feature by feature, in their order, commands before queries. */
export function namedCalls(features: readonly Feature[]): readonly NamedCall[] {
  return features.flatMap((feature) => {
    const named = (call: string): string => `${feature.name}.${call}`;
    const commands = Object.entries(feature.commands).map(
      ([call, { by, args, value, ack = 'quorum', pace }]): NamedCall =>
        ({ name: named(call), feature, mode: 'command', by, args, value, ack, pace }),
    );
    const queries = Object.entries(feature.queries).map(
      ([call, { by, args, value }]): NamedCall =>
        ({ name: named(call), feature, mode: 'query', by, args, value, ack: undefined }),
    );
    return [...commands, ...queries];
  });
}
