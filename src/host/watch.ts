// The eyes of the host: asks every node for its status, and keeps what a single answer can not tell.
//
// `up.ts` looks once a second. A node that does not answer in time is simply missing in the sample:
// what that means is decided by `view.ts`.
import type { CrowdStats } from '../crowd/messages.ts';
import type { Clock } from '../runtime/ports.ts';
import type { NodePlan, Topology } from '../services/topology.ts';
import type { Audit } from '../wire/calls.ts';
import type { NodeStatus } from '../wire/status.ts';
import { Agreement, type ReplicaStanding } from './agreement.ts';
import { Leaders } from './leaders.ts';
import { type NodeFacts, type Sample, viewOf, type WorldView } from './view.ts';

const ANSWER_MS_MAX = 400;
/** Rates over shorter spans would be noise: a look so soon after another one shares its span. */
const RATE_MS_MIN = 500;

export interface WatchOptions {
  readonly topology: Topology;
  readonly clock: Clock;
  facts(): readonly NodeFacts[];
  crowd(): CrowdStats | undefined;
  /** The books of the whole world; `undefined` while nobody can answer. */
  audit(): Promise<Audit | undefined>;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #readyAtMs: number;
  readonly #leaders = new Leaders();
  readonly #agreement = new Agreement();
  /** What rates are told against. */
  #before: Sample | undefined;
  #sample: Sample;
  #view: WorldView;

  /** Begins when the world is ready. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#readyAtMs = options.clock.monotonicMs();
    this.#sample = { atMs: this.#readyAtMs, statuses: new Map() };
    this.#view = this.#viewNow(undefined);
  }

  /** The latest view, without asking anybody. */
  get view(): WorldView {
    return this.#view;
  }

  get leaderChanges(): number {
    return this.#leaders.changes;
  }

  /** Asks every node; resolves within half a second with what happened since the last look. */
  async look(): Promise<readonly string[]> {
    const { topology } = this.#options;
    const [sample, audit] = await Promise.all([this.#ask(), this.#options.audit()]);
    const groups = topology.groups.map(({ name }) => name);
    const events = [...this.#leaders.note(groups, sample), ...this.#agreement.note(sample)];
    if (sample.atMs - this.#sample.atMs >= RATE_MS_MIN) this.#before = this.#sample;
    this.#sample = sample;
    this.#view = this.#viewNow(audit);
    return events;
  }

  /** How the replicas of each group compared in the latest look. */
  standings(): readonly ReplicaStanding[] {
    return this.#agreement.standings(this.#options.topology, this.#sample);
  }

  #viewNow(audit: Audit | undefined): WorldView {
    const { topology, facts, crowd } = this.#options;
    return viewOf(topology, this.#sample, this.#before, {
      upMs: this.#sample.atMs - this.#readyAtMs,
      nodes: facts(),
      leaderChanges: this.#leaders.changes,
      crowd: crowd(),
      audit,
    });
  }

  async #ask(): Promise<Sample> {
    const { topology, clock } = this.#options;
    const answers = await Promise.all(topology.nodes.map((plan) => askStatus(topology.world, plan)));
    const statuses = new Map<string, NodeStatus>();
    for (const status of answers) {
      if (status !== undefined) statuses.set(status.name, status);
    }
    return { atMs: clock.monotonicMs(), statuses };
  }
}

/** A node's status; `undefined` when it does not answer in time, or is not of this world. */
async function askStatus(world: string, plan: NodePlan): Promise<NodeStatus | undefined> {
  try {
    const answer = await fetch(`http://${plan.host}:${plan.httpPort}/v1/status`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const status: unknown = await answer.json();
    return isStatusOf(status, world, plan.name) ? status : undefined;
  } catch {
    // Whatever the cause (gone, late, half an answer), the node is not answering.
    return undefined;
  }
}

/** Our own nodes make statuses whole; a stranger on the port is told by his lacking our names. */
function isStatusOf(status: unknown, world: string, name: string): status is NodeStatus {
  return (
    typeof status === 'object' &&
    status !== null &&
    'world' in status &&
    status.world === world &&
    'name' in status &&
    status.name === name
  );
}
