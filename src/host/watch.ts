// The eyes of the host: asks every node for its status, and keeps what a single answer can not tell.
//
// `up.ts` looks once a second. A node that does not answer in time is simply missing in the sample:
// what that means is decided by `view.ts`.
import type { NodeId } from '../base/id.ts';
import type { CrowdStats } from '../crowd/messages.ts';
import type { Clock } from '../runtime/ports.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
import type { NodeAudit, NodeStatus } from '../wire/status.ts';
import { Agreement, type ReplicaStanding } from './agreement.ts';
import { Leaders } from './leaders.ts';
import { Primaries } from './primaries.ts';
import {
  type HoldingsTotals,
  holdingsTotals,
  leaderStatus,
  type NodeFacts,
  type Sample,
  viewOf,
  type WorldView,
} from './view.ts';

const ANSWER_MS_MAX = 400;
const RECOUNT_MS_MAX = 5_000;
/** Rates over shorter spans would be noise: a look so soon after another one shares its span. */
const RATE_MS_MIN = 500;

export interface WatchOptions {
  /** The one of this moment: nodes are replaced while the world runs. */
  readonly topology: Topology;
  readonly clock: Clock;
  facts(): readonly NodeFacts[];
  linkFaults(): readonly string[];
  inHand(): string | undefined;
  crowd(): CrowdStats | undefined;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #readyAtMs: number;
  readonly #leaders = new Leaders();
  readonly #primaries = new Primaries();
  readonly #agreement = new Agreement();
  /** What rates are told against. */
  #before: Sample | undefined;
  #sample: Sample;
  #view: WorldView;

  /** Begins when the world is ready. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#readyAtMs = options.clock.monotonicMs();
    this.#sample = { atMs: this.#readyAtMs, statuses: new Map(), audits: new Map() };
    this.#view = this.#viewNow();
  }

  /** The latest view, without asking anybody. */
  get view(): WorldView {
    return this.#view;
  }

  /** What the nodes said in the latest look, by name. */
  get statuses(): Sample['statuses'] {
    return this.#sample.statuses;
  }

  /** What their copies came to when they were last counted, by name. */
  get audits(): Sample['audits'] {
    return this.#sample.audits;
  }

  /** A group's members by its leader's account in the latest look. */
  membersOf(group: string): readonly NodeId[] | undefined {
    return leaderStatus(this.#sample, group)?.status.members.map(({ node }) => node);
  }

  get leaderChanges(): number {
    return this.#leaders.changes;
  }

  get promotions(): number {
    return this.#primaries.promotions;
  }

  /** What the promotions cost, in entries of regions' logs. */
  get lostEntries(): number {
    return this.#primaries.lostEntries;
  }

  /** The gold and items of the whole world in the latest look. */
  get holdings(): HoldingsTotals | undefined {
    return holdingsTotals(this.#sample);
  }

  /**
   * Asks every node; resolves with what happened since the last look, within half a second. The copies
   * may have been counted a while ago; `recount` has them counted now, which a large state makes slow.
   */
  async look(recount: boolean = false): Promise<readonly string[]> {
    const { topology } = this.#options;
    const audit = recount
      ? { path: '/v1/audit?fresh', answerMs: RECOUNT_MS_MAX }
      : { path: '/v1/audit', answerMs: ANSWER_MS_MAX };
    const sample = await this.#ask(audit);
    const groups = topology.groups.map(({ name }) => name);
    const events = [...this.#leaders.note(groups, sample), ...this.#agreement.note(sample)];
    if (sample.atMs - this.#sample.atMs >= RATE_MS_MIN) this.#before = this.#sampleWithFormer();
    this.#sample = sample;
    this.#view = this.#viewNow();
    return [...events, ...this.#primaries.note(this.#view.regions)];
  }

  /** How the replicas of each group compared in the latest look. */
  standings(): readonly ReplicaStanding[] {
    return this.#agreement.standings(this.#options.topology, this.#sample);
  }

  /** Of a node that did not answer in time, what it said before. */
  #sampleWithFormer(): Sample {
    const statuses = new Map([...(this.#before?.statuses ?? []), ...this.#sample.statuses]);
    return { ...this.#sample, statuses };
  }

  #viewNow(): WorldView {
    const { topology, facts, linkFaults, inHand, crowd } = this.#options;
    return viewOf(topology, this.#sample, this.#before, {
      upMs: this.#sample.atMs - this.#readyAtMs,
      nodes: facts(),
      leaderChanges: this.#leaders.changes,
      linkFaults: linkFaults(),
      inHand: inHand(),
      crowd: crowd(),
    });
  }

  async #ask(audit: Question): Promise<Sample> {
    const { topology, clock } = this.#options;
    const { world, nodes } = topology;
    const [statuses, audits] = await Promise.all([
      askAll<NodeStatus>(world, nodes, { path: '/v1/status', answerMs: ANSWER_MS_MAX }),
      askAll<NodeAudit>(world, nodes, audit),
    ]);
    return { atMs: clock.monotonicMs(), statuses, audits };
  }
}

interface Question {
  readonly path: string;
  readonly answerMs: number;
}

/** What the nodes answered, by name; those that did not in time are missing. */
async function askAll<Answer extends NodeStatus | NodeAudit>(
  world: string,
  nodes: readonly NodePlan[],
  question: Question,
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  await Promise.all(
    nodes.map(async (plan) => {
      const answer = await askNode(plan, question);
      if (isAnswerOf<Answer>(answer, world, plan.name)) answers.set(plan.name, answer);
    }),
  );
  return answers;
}

async function askNode(plan: NodePlan, { path, answerMs }: Question): Promise<unknown> {
  try {
    const answer = await fetch(`http://${plan.host}:${plan.httpPort}${path}`, {
      signal: AbortSignal.timeout(answerMs),
    });
    return await answer.json();
  } catch {
    // Whatever the cause (gone, late, half an answer), the node is not answering.
    return undefined;
  }
}

/** Our own nodes make answers whole; a stranger on the port is told by his lacking our names. */
function isAnswerOf<Answer>(answer: unknown, world: string, name: string): answer is Answer {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'world' in answer &&
    answer.world === world &&
    'name' in answer &&
    answer.name === name
  );
}
