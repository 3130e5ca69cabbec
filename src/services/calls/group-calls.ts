// The calls that groups and regions answer: who holds each, how it is asked, what came back as outcome.
//
// The gateway and the log-in ask through it. Built once out of the topology and the world's features,
// so that no service knows a feature by name.
import { invariant } from '../../base/errors.ts';
import type { Outcome } from '../../base/errors.ts';
import type { Pace } from '../../base/pace.ts';
import type { Logger } from '../../runtime/ports.ts';
import type { NodeId } from '../../base/id.ts';
import type { AckLevel, ReadBound } from '../../wire/levels.ts';
import type { Schema } from '../../wire/schema.ts';
import type { Caller, Feature } from '../../world/feature.ts';
import { outcomeOf } from './outcome.ts';
import { ASK_DEADLINE_MS, type Route } from './route.ts';
import type { Topology } from '../topology/topology.ts';

export interface GroupCall {
  /** `feature.call`. */
  readonly name: string;
  /** The number of the group that holds it; `undefined` for one that every region holds. */
  readonly group: number | undefined;
  readonly mode: 'command' | 'query';
  readonly by: Caller;
  /** Of a command to a region, unless its caller asks for another level. */
  readonly ack: AckLevel | undefined;
  /** How often a player may ask, where that is bounded by more than the rate of all calls. */
  readonly pace?: Pace | undefined;
  readonly args: Schema<unknown>;
  readonly value: Schema<unknown>;
}

/** The way to the groups, or a shorter one. */
export type Asked = Pick<Route, 'ask'>;

export class GroupCalls {
  readonly #route: Asked;
  readonly #logger: Logger;
  readonly #calls = new Map<string, GroupCall>();

  constructor(o: {
    route: Asked;
    logger: Logger;
    topology: Topology;
    features: readonly Feature[];
  }) {
    this.#route = o.route;
    this.#logger = o.logger;
    for (const feature of o.features) {
      const holds = ({ features }: { readonly features: readonly string[] }): boolean =>
        features.includes(feature.name);
      const group = o.topology.groups.find(holds);
      if (group === undefined && !o.topology.regions.some(holds)) continue;
      this.#add(feature, group?.number);
    }
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

  #add({ name: of, commands, queries }: Feature, group: number | undefined): void {
    for (const [call, { by, args, value, ack, pace }] of Object.entries(commands)) {
      const name = `${of}.${call}`;
      this.#calls.set(name, { name, group, mode: 'command', by, args, value, ack, pace });
    }
    for (const [call, { by, args, value }] of Object.entries(queries)) {
      const name = `${of}.${call}`;
      this.#calls.set(name, { name, group, mode: 'query', by, args, value, ack: undefined });
    }
  }

  #unreadable(call: string, cause: string): void {
    this.#logger.log('error', 'unreadable-reply', { call, cause });
  }
}
