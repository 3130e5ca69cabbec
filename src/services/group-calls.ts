// The calls that groups answer: which group holds each, how it is asked, and what came back as outcome.
//
// The gateway and the log-in ask through it. Built once out of the topology and the world's features,
// so that no service knows a feature by name.
import { InvalidInputError } from '../base/errors.ts';
import type { Outcome } from '../base/errors.ts';
import type { Logger } from '../runtime/ports.ts';
import { decodeReply } from '../wire/command.ts';
import { decodeWith, type Schema } from '../wire/schema.ts';
import type { Caller, Feature } from '../world/feature.ts';
import { ASK_DEADLINE_MS, type Route, type RouteAnswer } from './route.ts';
import type { Topology } from './topology.ts';

export interface GroupCall {
  /** `feature.call`. */
  readonly name: string;
  readonly group: number;
  readonly mode: 'command' | 'query';
  readonly by: Caller;
  readonly args: Schema<unknown>;
  readonly value: Schema<unknown>;
}

export class GroupCalls {
  readonly #route: Route;
  readonly #logger: Logger;
  readonly #calls = new Map<string, GroupCall>();

  constructor(o: {
    route: Route;
    logger: Logger;
    topology: Topology;
    features: readonly Feature[];
  }) {
    this.#route = o.route;
    this.#logger = o.logger;
    for (const feature of o.features) {
      const home = o.topology.groups.find((group) => group.features.includes(feature.name));
      if (home === undefined) continue;
      this.#add(feature, home.number, 'command');
      this.#add(feature, home.number, 'query');
    }
  }

  find(name: string): GroupCall | undefined {
    return this.#calls.get(name);
  }

  /**
   * Asks the call's group with a `CommandEnvelope` or `QueryEnvelope` in bytes; `settle` is called
   * exactly once. An answer that can not be read counts as one that was not received.
   */
  ask<Value>(o: {
    readonly call: GroupCall;
    readonly value: Schema<Value>;
    readonly body: Uint8Array;
    settle(outcome: Outcome<Value>): void;
  }): void {
    const { call, value, body } = o;
    this.#route.ask({
      group: call.group,
      mode: call.mode,
      body,
      deadlineMs: ASK_DEADLINE_MS,
      answer: (answer) => o.settle(this.#outcome(call.name, answer, value)),
    });
  }

  #add(feature: Feature, group: number, mode: GroupCall['mode']): void {
    const described = mode === 'command' ? feature.commands : feature.queries;
    for (const [call, { by, args, value }] of Object.entries(described)) {
      const name = `${feature.name}.${call}`;
      this.#calls.set(name, { name, group, mode, by, args, value });
    }
  }

  #outcome<Value>(call: string, answer: RouteAnswer, value: Schema<Value>): Outcome<Value> {
    if (answer.kind !== 'answered') return answer;
    try {
      const reply = decodeReply(answer.reply);
      if (reply.kind === 'rejected') return reply;
      return { kind: 'done', order: reply.order, value: decodeWith(value, reply.value) };
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.#logger.log('error', 'unreadable-reply', { call, cause: cause.message });
      return { kind: 'uncertain' };
    }
  }
}
