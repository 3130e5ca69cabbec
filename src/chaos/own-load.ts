// The players of a studio's own features in a drill: let in, at work beside the traders and residents.
//
// `run.ts` opens them on a cluster whose world has such features. Each is one process of the history `own`,
// with one call open at a time. They know of each other and of nobody else, so that whatever their deeds do
// to gold and items stays among them, and the traders' books are the traders' alone.
import { InvalidInputError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { type Client, connect } from '../client/index.ts';
import { accountOf } from '../crowd/names.ts';
import type { DrawnWorldFile } from '../host/world-file.ts';
import type { Topology } from '../services/topology/topology.ts';
import { type Known, learn } from '../world/deed.ts';
import type { Feature } from '../world/feature.ts';
import { namedCalls } from '../world/named-calls.ts';
import { playerCalls } from '../world/player-calls.ts';
import { comeIn, gatewayUrls } from './load.ts';
import { type OwnCall, OwnPlayer } from './own-player.ts';
import type { OwnQuery } from './own-truth.ts';
import { OWN_BOOK, type Recorder } from './recorder.ts';
import type { Timeline } from './timeline.ts';

const PLAYERS = 6;
/** Accounts of theirs begin there; those of traders and residents below. */
const FIRST_NUMBER = 20_001;
const JOIN_MS_MAX = 60_000;
/** A call of unknown fate costs its judge nothing, so that none is waited for long. */
const DEADLINE_MS = 5_000;
const UNAVAILABLE_MS = 500;

export interface OwnLoadOptions {
  readonly topology: Topology;
  readonly world: DrawnWorldFile;
  readonly seed: number;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
}

export class OwnLoad {
  readonly #options: OwnLoadOptions;
  readonly #closing = new AbortController();
  readonly #clients: readonly Client[];
  readonly #queries: OwnQuery[] = [];
  readonly #decided = new Map<string, number>();
  #working: Promise<unknown> = Promise.resolve();
  #fault: string | undefined;

  constructor(options: OwnLoadOptions) {
    this.#options = options;
    const { topology, world } = options;
    const calls = playerCalls(world.features);
    this.#clients = Array.from({ length: PLAYERS }, (_, place) => {
      const limits = { deadlineMs: DEADLINE_MS, unavailableMs: UNAVAILABLE_MS };
      return connect({ urls: gatewayUrls(topology, place), calls, ...limits });
    });
    for (const { name } of world.features) this.#decided.set(name, 0);
  }

  get count(): number {
    return this.#clients.length;
  }

  /** Queries that were answered, with the places that they name. */
  get queries(): readonly OwnQuery[] {
    return this.#queries;
  }

  /** How many calls of each feature were decided. */
  get decided(): ReadonlyMap<string, number> {
    return this.#decided;
  }

  /** What `drawDeed` drew that nobody can do. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Lets everybody in and begins; false when not all could be let in. */
  async begin(): Promise<boolean> {
    const { topology, world, seed, recorder, timeline } = this.#options;
    const giveUp = AbortSignal.timeout(JOIN_MS_MAX);
    const known: Known = { players: [], items: new Map(), offers: [], jobs: new Map() };
    for (const [place, client] of this.#clients.entries()) {
      const account = accountOf({ world: topology.world, seed, number: FIRST_NUMBER + place });
      const opened = await comeIn(client, account, giveUp);
      if (opened?.kind !== 'done') return false;
      known.players.push(client.player);
      learn(known, client.player, 'holdings.open', opened.value);
    }
    recorder.begin(OWN_BOOK, 'linearizable');
    for (const { name } of topology.regions) recorder.begin(OWN_BOOK, 'regional', name);
    const random = new Random(seed).split('own');
    const calls = ownCalls(topology, world.features);
    const regions = topology.regions.map(({ name }) => name);
    const players = this.#clients.map((client) => {
      const own = random.split(String(client.player));
      const told = {
        answered: (query: OwnQuery) => void this.#queries.push(query),
        decided: (call: string) => this.#count(call),
      };
      const { drawDeed } = world;
      const about = { client, drawDeed, calls, regions, known, recorder, timeline };
      return new OwnPlayer({ ...about, ...told, random: own });
    });
    this.#working = Promise.all(players.map((player) => this.#work(player)));
    return true;
  }

  /** Begins nothing new; resolves when every call has its outcome. */
  async finish(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  leave(): void {
    this.#closing.abort();
    for (const client of this.#clients) client.close();
  }

  async #work(player: OwnPlayer): Promise<void> {
    try {
      await player.work(this.#closing.signal);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.#fault = cause.message;
    }
  }

  #count(call: string): void {
    const feature = call.slice(0, call.indexOf('.'));
    this.#decided.set(feature, (this.#decided.get(feature) ?? 0) + 1);
  }
}

/** The calls of a studio's features that players may ask, by name. */
export function ownCalls(
  { groups }: Pick<Topology, 'groups'>,
  features: readonly Feature[],
): ReadonlyMap<string, OwnCall> {
  const asked = playerCalls(features);
  return new Map(
    namedCalls(features).flatMap(({ name, feature, ack, args }) => {
      const call = asked[name];
      const group = groups.find((plan) => plan.features.includes(feature.name))?.name;
      if (call === undefined) return [];
      return [[name, { ...call, ack: ack ?? 'quorum', args, group }] as const];
    }),
  );
}
