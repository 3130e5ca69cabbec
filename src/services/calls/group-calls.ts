// The calls that groups and regions answer: who holds each, how it is asked, what came back as outcome.
//
// The gateway and the log-in ask through it. Built once out of the topology and the world's features,
// so that no service knows a feature by name.
import { invariant } from '../../base/errors.ts';
import type { Outcome } from '../../base/errors.ts';
import type { Logger } from '../../runtime/ports.ts';
import type { NodeId } from '../../base/id.ts';
import type { AckLevel, ReadBound } from '../../wire/levels.ts';
import type { Schema } from '../../wire/schema.ts';
import type { Feature } from '../../world/feature.ts';
import { type NamedCall, namedCalls } from '../../world/named-calls.ts';
import { outcomeOf } from './outcome.ts';
import { ASK_DEADLINE_MS, type Route } from './route.ts';
import type { Topology } from '../topology/topology.ts';

export interface GroupCall extends NamedCall {
  /** The number of the group that holds it; `undefined` for one that every region holds. */
  readonly group: number | undefined;
}

/** The calls that a world has a place for, by name. */
export function groupCalls(
  { groups, regions }: Pick<Topology, 'groups' | 'regions'>,
  features: readonly Feature[],
): ReadonlyMap<string, GroupCall> {
  return new Map(
    namedCalls(features).flatMap((call) => {
      const holds = (plan: { readonly features: readonly string[] }): boolean =>
        plan.features.includes(call.feature.name);
      const group = groups.find(holds)?.number;
      const isHeld = group !== undefined || regions.some(holds);
      return isHeld ? [[call.name, { ...call, group }] as const] : [];
    }),
  );
}

/** The way to the groups, or a shorter one. */
export type Asked = Pick<Route, 'ask'>;

export class GroupCalls {
  readonly #route: Asked;
  readonly #logger: Logger;
  readonly #calls: ReadonlyMap<string, GroupCall>;

  constructor(o: {
    route: Asked;
    logger: Logger;
    topology: Topology;
    features: readonly Feature[];
  }) {
    this.#route = o.route;
    this.#logger = o.logger;
    this.#calls = groupCalls(o.topology, o.features);
  }

  find(name: string): GroupCall | undefined {
    return this.#calls.get(name);
  }

  /**
   * Asks the call's group, or the region `log`, with a `CommandEnvelope` or `QueryEnvelope` in bytes;
   * `settle` is called exactly once, with the epoch where a region answered. An answer that can not be
   * read counts as one that was not received.
   */
  ask<Value>(o: {
    readonly call: GroupCall;
    readonly value: Schema<Value>;
    readonly body: Uint8Array;
    readonly log?: number;
    readonly level?: AckLevel | undefined;
    readonly bound?: ReadBound | undefined;
    readonly prefer?: NodeId | undefined;
    settle(outcome: Outcome<Value>, epoch?: number): void;
  }): void {
    const { call, value, body, log = call.group, level, bound, prefer } = o;
    invariant(log !== undefined, `${call.name} is asked of a group or of a region`);
    this.#route.ask({
      group: log,
      mode: call.mode,
      body,
      level,
      bound,
      prefer,
      deadlineMs: ASK_DEADLINE_MS,
      answer: (answer) => {
        const epoch = answer.kind === 'answered' ? answer.epoch : undefined;
        o.settle(outcomeOf(answer, value, (cause) => this.#unreadable(call.name, cause)), epoch);
      },
    });
  }

  #unreadable(call: string, cause: string): void {
    this.#logger.log('error', 'unreadable-reply', { call, cause });
  }
}
