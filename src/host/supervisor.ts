// The nine processes of a world on one machine: started together, ended in order.
//
// `up.ts` owns it. Region nodes end before global ones, so that no player's call finds its group gone;
// leadership is handed over by the nodes themselves. Before the first one ends all know that the world
// does: the witnesses call nobody failed then, and each region has its primary again at the next start.
import type { Child, ChildListener } from '../adapters/node/children.ts';
import { StartError } from '../adapters/node/start-error.ts';
import type { NodeId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
import { type KeeperEvent, NodeKeeper } from './node-keeper.ts';
import type { NodeFacts } from './view.ts';

/** A world that is not ready by then never will be. */
const START_MS_MAX = 60_000;
/** A node that ends by itself so often before it was ever ready will not get ready. */
const START_EXITS_MAX = 3;

export interface SupervisorOptions {
  readonly topology: Topology;
  readonly clock: Clock;
  start(node: NodePlan, listener: ChildListener): Child;
  told(event: KeeperEvent): void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #keepers: ReadonlyMap<string, NodeKeeper>;
  #checkStart: () => void = () => {};
  #cancelStart: () => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const keepers = options.topology.nodes.map((plan) => {
      return new NodeKeeper({
        name: plan.name,
        clock: options.clock,
        start: (listener) => options.start(plan, listener),
        told: (event) => {
          options.told(event);
          this.#checkStart();
        },
      });
    });
    this.#keepers = new Map(keepers.map((keeper) => [keeper.name, keeper]));
  }

  get facts(): readonly NodeFacts[] {
    return [...this.#keepers.values()].map((keeper) => keeper.facts);
  }

  keeper(name: string): NodeKeeper | undefined {
    return this.#keepers.get(name);
  }

  /**
   * Starts every node and resolves when all are ready. Rejects with `StartError` as soon as one can
   * not get ready; the others go on until `stop` or `abort`. A member that said why it can not run is
   * done without where each of its groups has a majority of others: only in a world that runs can an
   * operator replace it.
   */
  start(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const settle = (fault: string | undefined): void => {
        this.#endStart();
        if (fault === undefined) resolve();
        else reject(new StartError(fault));
      };
      this.#cancelStart = clock.wakeAt(clock.monotonicMs() + START_MS_MAX, () => {
        settle(this.#lateness());
      });
      this.#checkStart = () => {
        const fault = this.#startFault();
        if (fault !== undefined) settle(fault);
        else if (this.#areOthersUp()) settle(undefined);
      };
      for (const keeper of this.#keepers.values()) keeper.start();
    });
  }

  /** Ends all nodes in order. Resolves when all are gone; a start that goes on is never settled. */
  async stop(): Promise<void> {
    this.#endStart();
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.forewarn()));
    for (const kind of ['region', 'global'] as const) {
      const plans = this.#options.topology.nodes.filter((plan) => plan.kind === kind);
      await Promise.all(plans.map(({ name }) => this.#keepers.get(name)?.stop()));
    }
  }

  /** Ends all nodes at once. */
  abort(): void {
    for (const keeper of this.#keepers.values()) keeper.abort();
  }

  #endStart(): void {
    this.#checkStart = () => {};
    this.#cancelStart();
  }

  #startFault(): string | undefined {
    for (const keeper of this.#keepers.values()) {
      const { name, condition, selfExits, outsideEnds } = keeper.facts;
      if (condition === 'failed' && !this.#canDoWithout(name)) {
        return `${name} can not run: ${keeper.sentence}`;
      }
      const exits = selfExits + outsideEnds;
      if (condition === 'restarting' && exits >= START_EXITS_MAX) {
        return `${name} ended ${exits} times before it was ready: ${keeper.sentence}`;
      }
    }
    return undefined;
  }

  #areOthersUp(): boolean {
    return this.facts.every(({ condition }) => condition === 'up' || condition === 'failed');
  }

  #canDoWithout(name: string): boolean {
    const { nodes, groups } = this.#options.topology;
    const failed = this.facts.filter(({ condition }) => condition === 'failed');
    const isFailed = (id: NodeId): boolean => {
      return failed.some((facts) => nodes.find((node) => node.id === id)?.name === facts.name);
    };
    const isMember = nodes.some((node) => node.name === name && node.kind === 'global');
    return isMember && groups.every(({ members }) => 2 * members.filter(isFailed).length < members.length);
  }

  #lateness(): string {
    const late = this.facts.filter(({ condition }) => condition !== 'up').map(({ name }) => name);
    const seconds = START_MS_MAX / 1000;
    return `Not ready after ${seconds} s: ${late.join(', ')}; their logs are in the data folder.`;
  }
}
