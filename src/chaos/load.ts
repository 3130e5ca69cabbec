// The load of a drill: a few players who give each other gold and items and race for names, without rest.
//
// `run.ts` opens one on a cluster. Few players and much contention make checking strong: every answer says
// something about all others. Each player is one process of the histories, with one call open at a time.
// All of it goes over real sockets, through the client that games use.
import type { Outcome } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { type Client, connect } from '../client/index.ts';
import { insist } from '../crowd/insist.ts';
import { accountOf } from '../crowd/names.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { HoldingsView } from '../wire/calls.ts';
import { Contender } from './contender.ts';
import type { Recorder } from './recorder.ts';
import type { Timeline } from './timeline.ts';

/**
 * A call that is not decided by then is of unknown fate. Longer than almost any cut: each such call doubles
 * what a checker must think of, and fifty in one history were more than it could.
 */
const DEADLINE_MS = 15_000;
/** What is unavailable is told soon, so that the picture shows it. */
const UNAVAILABLE_MS = 500;
const JOIN_MS_MAX = 60_000;
/** Log-ins cost their region node some 40 ms of hashing each. */
const JOINS_AT_ONCE_MAX = 4;

export interface LoadOptions {
  readonly topology: Topology;
  readonly seed: number;
  readonly clients: number;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
}

/** What a player holds when all is quiet. */
export interface Standing {
  readonly player: string;
  readonly holdings: HoldingsView;
}

export class Load {
  readonly #options: LoadOptions;
  readonly #closing = new AbortController();
  readonly #clients: readonly Client[];
  #contenders: readonly Contender[] = [];
  #working: Promise<unknown> = Promise.resolve();
  #opening: readonly Standing[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    const { topology, clients } = options;
    this.#clients = Array.from({ length: clients }, (_, place) =>
      connect({
        urls: gatewayUrls(topology, place),
        deadlineMs: DEADLINE_MS,
        unavailableMs: UNAVAILABLE_MS,
      }),
    );
  }

  /** What everybody held before the first call was recorded. */
  get opening(): readonly Standing[] {
    return this.#opening;
  }

  /** Lets everybody in and begins; false when the world did not let all in within a minute. */
  async begin(): Promise<boolean> {
    const giveUp = AbortSignal.timeout(JOIN_MS_MAX);
    const waiting = [...this.#clients.entries()];
    const join = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await this.#join(next[1], next[0] + 1, giveUp);
      }
    };
    await Promise.all(Array.from({ length: JOINS_AT_ONCE_MAX }, join));
    const owners = this.#clients.map((client) => ({
      player: String(client.player),
      look: () => client.call('holdings.mine', null),
    }));
    this.#opening = await standingsOf(owners, giveUp);
    if (this.#opening.length < this.#clients.length) return false;
    this.#enterOpening();
    this.#work();
    return true;
  }

  /** Begins nothing new; resolves when every call has its outcome. */
  async finish(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  /**
   * What everybody holds, by linearizable reads, those left out who could not be told in time. These reads
   * are recorded too: what is there in the end must fit all that was answered.
   */
  lastReads(giveUp: AbortSignal): Promise<readonly Standing[]> {
    return standingsOf(this.#contenders, giveUp);
  }

  leave(): void {
    this.#closing.abort();
    for (const client of this.#clients) client.close();
  }

  async #join(client: Client, number: number, giveUp: AbortSignal): Promise<void> {
    const { topology, seed } = this.#options;
    await comeIn(client, accountOf({ world: topology.world, seed, number }), giveUp);
    // A name that an earlier drill in this world left would be in the way.
    await insist(() => client.call('names.release', null), giveUp);
  }

  #enterOpening(): void {
    const { recorder } = this.#options;
    const gold = this.#opening.map(({ player, holdings }) => [player, holdings.gold] as const);
    const items = this.#opening.flatMap(({ player, holdings }) =>
      holdings.items.map(({ id }) => [String(id), player] as const),
    );
    recorder.begin('gold', Object.fromEntries(gold));
    recorder.begin('items', Object.fromEntries(items));
    recorder.begin('names', {});
  }

  #work(): void {
    const { recorder, timeline, seed } = this.#options;
    const random = new Random(seed).split('load');
    const players = this.#opening.map(({ player }) => Number(player));
    const allItems = this.#opening.flatMap(({ holdings }) => holdings.items.map(({ id }) => id));
    // Whoever drills in the same world again races for other names.
    const namesOfRun = Date.now().toString(36);
    this.#contenders = this.#clients.map(
      (client) =>
        new Contender({
          client,
          players,
          allItems,
          namesOfRun,
          recorder,
          timeline,
          random: random.split(String(client.player)),
        }),
    );
    const { signal } = this.#closing;
    this.#working = Promise.all(this.#contenders.map((one) => one.work(signal)));
  }
}

async function standingsOf(
  owners: readonly { readonly player: string; look(): Promise<Outcome<HoldingsView>> }[],
  giveUp: AbortSignal,
): Promise<readonly Standing[]> {
  const found = await Promise.all(
    owners.map(async (owner): Promise<readonly Standing[]> => {
      const outcome = await insist(() => owner.look(), giveUp);
      return outcome?.kind === 'done' ? [{ player: owner.player, holdings: outcome.value }] : [];
    }),
  );
  return found.flat();
}

/** Lets a player in, whom the world may know from an earlier drill; what came of opening his holdings. */
export async function comeIn(
  client: Client,
  account: ReturnType<typeof accountOf>,
  giveUp: AbortSignal,
): Promise<Outcome<HoldingsView> | undefined> {
  const made = await insist(() => client.register(account), giveUp);
  if (made?.kind !== 'done') await insist(() => client.logIn(account), giveUp);
  return insist(() => client.call('holdings.open', null), giveUp);
}

/** All gateways, beginning with another one for each player. */
export function gatewayUrls({ nodes }: Topology, place: number): readonly string[] {
  const urls = nodes
    .filter(({ kind }) => kind === 'region')
    .map(({ host, httpPort }) => `ws://${host}:${httpPort}/v1/ws`);
  const first = place % Math.max(1, urls.length);
  return [...urls.slice(first), ...urls.slice(0, first)];
}
