// The residents of all regions in a drill: let in, at work beside the traders, and heard at the end.
//
// `run.ts` opens them on a cluster. Two live in each region, each at another of its edges, and some are
// connected to the gateway of another region, so that every region is asked from afar and walked out of.
import { normalLon } from '../base/earth.ts';
import { Random } from '../base/random.ts';
import { type Client, connect } from '../client/index.ts';
import { insist } from '../crowd/insist.ts';
import { accountOf } from '../crowd/names.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { Place } from '../wire/calls.ts';
import type { ChatHistory } from './chat-history.ts';
import { comeIn, gatewayUrls } from './load.ts';
import { CHANNELS, type RegionBook } from './region-book.ts';
import { Resident } from './resident.ts';
import type { Timeline } from './timeline.ts';

const DEGREE = 1e7;
/** Land on both sides of each edge of the planet: Wisconsin, Greenland, the Urals, Chukotka. */
const EDGES: readonly Place[] = [
  { lat: 45 * DEGREE, lon: -90 * DEGREE },
  { lat: 72 * DEGREE, lon: -30 * DEGREE },
  { lat: 55 * DEGREE, lon: 60 * DEGREE },
  { lat: 67 * DEGREE, lon: -180 * DEGREE },
];
/** Accounts of theirs begin there; those of traders below. */
const FIRST_NUMBER = 10_001;
const JOIN_MS_MAX = 60_000;
/** A command for all copies waits so long for one that is away; then its fate is left open. */
const DEADLINE_MS = 5_000;
const UNAVAILABLE_MS = 500;

export interface ResidentsOptions {
  readonly topology: Topology;
  readonly seed: number;
  readonly book: RegionBook;
  readonly chat: ChatHistory;
  readonly timeline: Timeline;
}

export interface ChannelsRead {
  /** One sentence for each that could not be read. */
  readonly unread: readonly string[];
  /** All regions show the same world channel. */
  readonly areEqual: boolean;
}

export class Residents {
  readonly #options: ResidentsOptions;
  readonly #closing = new AbortController();
  readonly #living: readonly { readonly client: Client; readonly region: string; readonly home: Place }[];
  #residents: readonly Resident[] = [];
  #working: Promise<unknown> = Promise.resolve();

  constructor(options: ResidentsOptions) {
    this.#options = options;
    const { topology } = options;
    const homes = topology.regions.flatMap(({ name, westLon, eastLon }) =>
      EDGES.filter(({ lon }) => lon === westLon || lon === normalLon(eastLon)).map((home) => ({
        region: name,
        home,
      })),
    );
    this.#living = homes.map(({ region, home }, place) => {
      // An odd step, so that nobody's gateway is always that of his own region.
      const urls = gatewayUrls(topology, place * 3 + 1);
      const limits = { deadlineMs: DEADLINE_MS, unavailableMs: UNAVAILABLE_MS };
      return { region, home, client: connect({ urls, ...limits }) };
    });
  }

  get count(): number {
    return this.#living.length;
  }

  /** Lets everybody in, one after the other, and begins; false when not all could be let in. */
  async begin(): Promise<boolean> {
    const { topology, seed, book, chat, timeline } = this.#options;
    const giveUp = AbortSignal.timeout(JOIN_MS_MAX);
    const random = new Random(seed).split('residents');
    const residents: Resident[] = [];
    for (const [place, { client, region, home }] of this.#living.entries()) {
      const account = accountOf({ world: topology.world, seed, number: FIRST_NUMBER + place });
      await comeIn(client, account, giveUp);
      const own = random.split(String(place));
      const resident = new Resident({ client, region, home, book, chat, timeline, random: own });
      if (!(await resident.begin(giveUp))) return false;
      residents.push(resident);
    }
    this.#residents = residents;
    const { signal } = this.#closing;
    this.#working = Promise.all(residents.map((one) => one.work(signal)));
    return true;
  }

  /** Begins nothing new; resolves when every call has its outcome. */
  async finish(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  /** When all is quiet: everybody looks at what he has. */
  async settle(giveUp: AbortSignal): Promise<void> {
    await Promise.all(this.#residents.map((one) => one.settle(giveUp)));
  }

  /** Reads every channel at its primary, and tells those apart that could not be read. */
  async readChannels(giveUp: AbortSignal): Promise<ChannelsRead> {
    const reader = this.#residents[0];
    const unread: string[] = [];
    const worlds = new Set<string>();
    for (const { name: region } of this.#options.topology.regions) {
      for (const channel of CHANNELS) {
        const read = await insist(async () => (await reader?.history(channel, region)) ?? GONE, giveUp);
        if (read?.kind !== 'done') unread.push(`the channel ${channel} of ${region} could not be read`);
        else if (channel === 'world') worlds.add(JSON.stringify(read.value));
      }
    }
    return { unread, areEqual: worlds.size <= 1 };
  }

  leave(): void {
    this.#closing.abort();
    for (const { client } of this.#living) client.close();
  }
}

const GONE = { kind: 'unavailable', retryAfterMs: 0 } as const;
