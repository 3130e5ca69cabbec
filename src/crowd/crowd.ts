// The crowd: as many test players as were asked for, from their first step to the last count.
//
// `host/players` runs it in a process of its own, so that its garbage and its work delay no node. It
// lets players in at a bounded pace, steps them over the land, keeps the books, and at the end has
// everybody settle and count, and compares.
import { Random } from '../base/random.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { HoldingsView, Place } from '../wire/calls.ts';
import { birth, type City } from './birth.ts';
import { gatewaysOf } from './gateways.ts';
import { pause } from './insist.ts';
import { Ledger } from './ledger.ts';
import type { CrowdResult, CrowdStats } from './messages.ts';
import { accountOf, worldNameOf } from './names.ts';
import { Tally } from './tally.ts';
import { type Company, TestPlayer } from './test-player.ts';

export const PLAYERS_MAX = 10_000;
/** A log-in costs its region node some 40 ms of hashing: more of them only wait for each other. */
const JOINS_AT_ONCE_MAX = 16;
const JOIN_EVERY_MS = 20;
/** A player whom the world does not let in for so long is absent. */
const JOIN_MS_MAX = 60_000;
const STEP_MS = 200;
/** Calls settle within 15 s, then withdrawing and counting may meet an election or two. */
const SETTLE_MS_MAX = 15_000;

export interface CrowdOptions {
  readonly topology: Topology;
  readonly players: number;
  readonly seed: number;
  /** Players 1 to this number have made their accounts in earlier runs. */
  readonly known: number;
  readonly cities: readonly City[];
  isLand(place: Place): boolean;
}

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #ledger = new Ledger();
  readonly #tally = new Tally();
  readonly #closing = new AbortController();
  readonly #players: readonly TestPlayer[];
  readonly #joined = new Map<number, TestPlayer>();
  #absent = 0;
  #summarizedAtMs: number = performance.now();

  constructor(options: CrowdOptions) {
    this.#options = options;
    const company: Company = {
      ledger: this.#ledger,
      tally: this.#tally,
      closing: this.#closing.signal,
      isLand: (place) => options.isLand(place),
      partnerOf: (self, near, random) => this.#partnerOf(self, near, random),
    };
    const random = new Random(options.seed).split('crowd');
    this.#players = Array.from({ length: options.players }, (_, place) =>
      makePlayer({ ...options, number: place + 1, company, random: random.split(`${place + 1}`) }),
    );
  }

  /**
   * Everybody joins, walks and trades until `finish`; then all settle and count. Never rejects for
   * what the world does: who could not join or count is told in the result.
   */
  async run(): Promise<CrowdResult> {
    const steps = setInterval(() => {
      for (const player of this.#joined.values()) player.step(STEP_MS);
    }, STEP_MS);
    const trading = await this.#joinAll();
    await Promise.all(trading);
    clearInterval(steps);
    const giveUp = AbortSignal.timeout(SETTLE_MS_MAX);
    const joined = [...this.#joined];
    await Promise.all(joined.map(([, player]) => player.settle(giveUp)));
    const counted = new Map<number, HoldingsView>();
    await Promise.all(
      joined.map(async ([number, player]) => {
        const holdings = await player.count(giveUp);
        if (holdings !== undefined) counted.set(number, holdings);
      }),
    );
    const stats = this.stats();
    const firstStranger = this.#players.findIndex(({ player }) => player === 0);
    for (const player of this.#players) player.leave();
    return {
      stats,
      absent: this.#absent,
      known: firstStranger < 0 ? this.#players.length : firstStranger,
      comparison: this.#ledger.compare(counted),
    };
  }

  /** From now on nobody begins anything new. */
  finish(): void {
    this.#closing.abort();
  }

  /** How things stand; ends the window of the tally. */
  stats(): CrowdStats {
    const nowMs = performance.now();
    const windowMs = nowMs - this.#summarizedAtMs;
    this.#summarizedAtMs = nowMs;
    return {
      players: this.#options.players,
      joined: this.#players.filter(({ stands }) => stands).length,
      trades: this.#tally.count('trade.give', 'done') + this.#tally.count('trade.accept', 'done'),
      said: this.#tally.count('chat.say', 'done'),
      crafted: this.#tally.count('crafting.collect', 'done'),
      calls: this.#tally.summarize(windowMs),
    };
  }

  /** Resolves when everybody has joined or given up, with what each that joined will do. */
  async #joinAll(): Promise<readonly Promise<void>[]> {
    const { signal } = this.#closing;
    const trading: Promise<void>[] = [];
    const joining = new Set<Promise<void>>();
    for (const player of this.#players) {
      if (!(await pause(JOIN_EVERY_MS, signal))) break;
      if (joining.size >= JOINS_AT_ONCE_MAX) await Promise.race(joining);
      const giveUp = AbortSignal.any([signal, AbortSignal.timeout(JOIN_MS_MAX)]);
      const join = player.join(giveUp).then((isIn) => {
        joining.delete(join);
        if (this.#ledger.knows(player.player)) this.#joined.set(player.player, player);
        if (isIn) trading.push(player.trade());
        else if (!signal.aborted) this.#absent += 1;
      });
      joining.add(join);
    }
    await Promise.all(joining);
    return trading;
  }

  #partnerOf(self: number, near: Iterable<number>, random: Random): TestPlayer | undefined {
    const nearby = [...near].filter((number) => number !== self && this.#joined.has(number));
    const number = random.pick(nearby) ?? random.pick([...this.#joined.keys()]);
    return number === undefined || number === self ? undefined : this.#joined.get(number);
  }
}

function makePlayer(
  o: CrowdOptions & { readonly number: number; readonly company: Company; readonly random: Random },
): TestPlayer {
  const { topology, seed, number, company, random } = o;
  const { cities, isLand } = o;
  const born = birth(random.split('birth'), { cities, regions: topology.regions, isLand });
  if (born === undefined) throw new RangeError('no city lies in any region of this world');
  return new TestPlayer({
    account: accountOf({ world: topology.world, seed, number }),
    worldName: worldNameOf({ seed, number }),
    isKnown: number <= o.known,
    birth: born,
    urls: gatewaysOf(topology, born.region, number),
    random,
    company,
  });
}
