// One resident of a region in a drill: talks, listens, crafts and walks over the region's edge and back.
//
// `residents.ts` makes some for each region. He asks at every level of acknowledgement and reads with every
// bound, and all of it goes through the book. One call is open at a time, beside his walk.
import { normalLon } from '../base/earth.ts';
import type { Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { ArgsOf, CallOptions, Client, ValueOf } from '../client/index.ts';
import { chooseCraft } from '../crowd/deeds.ts';
import { insist, pause } from '../crowd/insist.ts';
import type { HoldingsView, Place } from '../wire/calls.ts';
import { type AckLevel, ackLevels } from '../wire/levels.ts';
import type { ChatMessage, Workshop } from '../wire/regional-calls.ts';
import type { ChatHistory } from './chat-history.ts';
import { CHANNELS, type RegionBook, type ResidentCall } from './region-book.ts';
import type { Timeline } from './timeline.ts';

const PAUSE_MS: readonly [number, number] = [40, 240];
const STEP_MS = 250;
/** Some two metres, at eight a second: within what a region takes for walking. */
const STEP_LON = 300;
/** So many steps beyond the edge he turns. */
const STEPS_MAX = 24;
const SETTLE_MS = 300;
/** Players who say more than one message a second are told to wait. */
const SAY_EVERY_MS = 1_100;

export interface ResidentOptions {
  readonly client: Client;
  readonly region: string;
  /** On land, at an edge of his region. */
  readonly home: Place;
  readonly book: RegionBook;
  readonly chat: ChatHistory;
  readonly timeline: Timeline;
  readonly random: Random;
}

export class Resident {
  readonly #o: ResidentOptions;
  readonly #player: string;
  #mine: HoldingsView = { gold: 0, goldLocked: 0, items: [] };
  #sayFromMs = 0;
  #said = 0;

  constructor(options: ResidentOptions) {
    this.#o = options;
    this.#player = String(options.client.player);
  }

  /** Stands at his home and knows what he has; false when the world did not let him in time. */
  async begin(giveUp: AbortSignal): Promise<boolean> {
    const { client, home, region, book } = this.#o;
    const entered = await insist(() => book.enter(client, home), giveUp);
    // What his jobs made in an earlier drill is not made again: it is looked at before what he has.
    const shop = await insist(() => book.call(client, 'crafting.mine', null, { region }), giveUp);
    const mine = await insist(() => book.call(client, 'holdings.mine', null), giveUp);
    if (entered?.kind !== 'done' || shop?.kind !== 'done' || mine?.kind !== 'done') return false;
    this.#mine = mine.value;
    return true;
  }

  /** Until it is closing; resolves when his last call has its outcome. */
  async work(closing: AbortSignal): Promise<void> {
    const pauses = this.#o.random.split('pauses');
    const deeds = this.#o.random.split('deeds');
    const walking = this.#walk(closing);
    while (await pause(pauses.integer(...PAUSE_MS), closing)) {
      const draw = deeds.integer(1, 100);
      if (draw <= 30 && performance.now() >= this.#sayFromMs) await this.#say(deeds);
      else if (draw <= 65) await this.#listen(deeds);
      else await this.#craft(deeds);
    }
    await walking;
  }

  /** Waits until no job waits for the economy, then looks at what he has. */
  async settle(giveUp: AbortSignal): Promise<void> {
    while (await pause(SETTLE_MS, giveUp)) {
      const shop = await insist(() => this.#look(), giveUp);
      if (shop?.kind !== 'done') return;
      if (shop.value.jobs.some(({ state }) => state === 'claiming' || state === 'delivering')) continue;
      const { book, client } = this.#o;
      await insist(() => book.call(client, 'holdings.mine', null), giveUp);
      return;
    }
  }

  /** The history of a channel of his region as its primary has it. */
  history(channel: string, region: string): Promise<Outcome<readonly ChatMessage[]>> {
    const { book, client } = this.#o;
    return book.call(client, 'chat.history', { channel }, { region, bound: { msOld: 0 } });
  }

  async #say(random: Random): Promise<void> {
    const { region, chat } = this.#o;
    const channel = random.pick(CHANNELS) ?? 'region';
    const level = levelOf(random);
    const text = `${this.#player} says ${++this.#said}`;
    const askedMs = performance.now();
    this.#sayFromMs = askedMs + SAY_EVERY_MS;
    const outcome = await this.#make('chat.say', { channel, text }, { region, ack: level });
    if (outcome.kind !== 'done') return;
    const answeredMs = performance.now();
    const { number: place } = outcome.value;
    chat.said({ player: this.#player, region, channel, text, level, askedMs, answeredMs, place });
  }

  async #listen(random: Random): Promise<void> {
    const { region, book, chat } = this.#o;
    const channel = random.pick(CHANNELS) ?? 'region';
    const wish = random.pick(['own', 'told', 0, 200, 1_000] as const);
    const msOld = typeof wish === 'number' ? wish : undefined;
    const told = wish === 'told' ? book.latest(region, channel) : undefined;
    const bound = msOld === undefined ? told : { msOld };
    const askedMs = performance.now();
    const outcome = await this.#make('chat.history', { channel }, { region, bound });
    if (outcome.kind !== 'done') return;
    const answeredMs = performance.now();
    const { value: messages } = outcome;
    chat.heard({ player: this.#player, region, channel, askedMs, answeredMs, msOld, messages });
  }

  async #craft(random: Random): Promise<void> {
    const { region, book, client } = this.#o;
    const shop = await this.#look();
    if (shop.kind !== 'done') return;
    const craft = chooseCraft(shop.value, this.#mine, { nowMs: Date.now(), random });
    const level = levelOf(random);
    const options = { region, ack: level };
    switch (craft.kind) {
      case 'gather':
        await this.#make('crafting.gather', { material: craft.material }, options);
        return;
      case 'collect':
        await this.#make('crafting.collect', { job: craft.job }, options);
        break;
      case 'start': {
        const { recipe, item } = craft;
        await this.#make('crafting.start', { recipe, item }, options);
      }
    }
    const mine = await book.call(client, 'holdings.mine', null);
    if (mine.kind === 'done') this.#mine = mine.value;
  }

  #look(): Promise<Outcome<Workshop>> {
    return this.#make('crafting.mine', null, { region: this.#o.region });
  }

  /** To and fro over the edge at which he lives, along a parallel. */
  async #walk(closing: AbortSignal): Promise<void> {
    const { client, home } = this.#o;
    for (let step = 1; await pause(STEP_MS, closing); step++) {
      const phase = step % (4 * STEPS_MAX);
      const goesEast = phase <= STEPS_MAX;
      const comesBack = phase > 3 * STEPS_MAX;
      const away = goesEast ? phase : comesBack ? phase - 4 * STEPS_MAX : 2 * STEPS_MAX - phase;
      client.moveTo({ lat: home.lat, lon: normalLon(home.lon + away * STEP_LON) });
    }
  }

  async #make<Name extends ResidentCall>(
    call: Name,
    args: ArgsOf<Name>,
    options: CallOptions,
  ): Promise<Outcome<ValueOf<Name>>> {
    const { book, client } = this.#o;
    const askedMs = performance.now();
    const outcome = await book.call(client, call, args, options);
    this.#o.timeline.add(outcome.kind, performance.now() - askedMs);
    return outcome;
  }
}

function levelOf(random: Random): AckLevel {
  return random.pick(ackLevels) ?? 'quorum';
}
