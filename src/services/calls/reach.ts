// Whether a gateway has reached the leader of every group once: then it can serve players.
//
// `region-node` asks until each group has answered. It then stays ready, since positions need no group.
import { encodeQuery } from '../../wire/command.ts';
import { ASK_DEADLINE_MS, type Route } from './route.ts';
import type { GroupPlan } from '../topology/topology.ts';

/** No feature has such a call: a group refuses it, and whoever refuses can be reached. */
const REACHABLE: Uint8Array = encodeQuery({ player: 0, call: 'reachable', args: new Uint8Array(0) });

export class Reach {
  readonly #route: Route;
  readonly #unreached: Set<number>;

  constructor(route: Route, groups: readonly GroupPlan[]) {
    this.#route = route;
    this.#unreached = new Set(groups.map(({ number }) => number));
  }

  get isDone(): boolean {
    return this.#unreached.size === 0;
  }

  start(): void {
    for (const group of this.#unreached) this.#ask(group);
  }

  #ask(group: number): void {
    this.#route.ask({
      group,
      mode: 'query',
      body: REACHABLE,
      deadlineMs: ASK_DEADLINE_MS,
      answer: ({ kind }) => {
        if (kind === 'answered') this.#unreached.delete(group);
        else this.#ask(group);
      },
    });
  }
}
