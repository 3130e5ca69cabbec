// One resident of a region in a drill: talks, listens, crafts and walks over the region's edge and back.
//
// `residents.ts` makes some for each region. He asks at every level of acknowledgement and reads with every
// bound, and enters what he was told into the chronicle. One call is open at a time, beside his walk.
import { normalLon } from '../base/earth.ts';
import type { Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { ArgsOf, CallOptions, Client, PlayCall, ValueOf } from '../client/index.ts';
import { chooseCraft } from '../crowd/deeds.ts';
import { insist, pause } from '../crowd/insist.ts';
import type { HoldingsView, Place } from '../wire/calls.ts';
import { type AckLevel, ackLevels } from '../wire/levels.ts';
import type { ChatMessage, Workshop } from '../wire/regional-calls.ts';
import type { ChatHistory } from './chat-history.ts';
import type { Chronicle } from './chronicle.ts';
import type { Timeline } from './timeline.ts';

export const CHANNELS = ['region', 'world'] as const;

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
  readonly chronicle: Chronicle;
  readonly chat: ChatHistory;
  readonly timeline: Timeline;
  readonly random: Random;
}

/** What became of his rare items, by his workshop and his holdings. */
export interface Crafted {
  readonly player: string;
  readonly before: readonly number[];
  readonly consumed: readonly number[];
  readonly made: readonly number[];
  /** `undefined`: it could not be told. */
  readonly after: readonly number[] | undefined;
}

export class Resident {
  readonly #o: ResidentOptions;
  readonly #player: string;
  readonly #consumed = new Set<number>();
  readonly #made = new Set<number>();
  /** Jobs of earlier drills in the same world. */
  readonly #madeBefore = new Set<number>();
  #mine: HoldingsView = { gold: 0, goldLocked: 0, items: [] };
  #before: readonly number[] = [];
  #sayFromMs = 0;
  #said = 0;

  constructor(options: ResidentOptions) {
    this.#o = options;
    this.#player = String(options.client.player);
  }

  /** Stands at his home and knows what he has; false when the world did not let him in time. */
  async begin(giveUp: AbortSignal): Promise<boolean> {
    const { client, home, region } = this.#o;
    const entered = await insist(() => client.enter(home), giveUp);
    const shop = await insist(() => client.call('crafting.mine', null, { region }), giveUp);
    const mine = await insist(() => client.call('holdings.mine', null), giveUp);
    if (entered?.kind !== 'done' || shop?.kind !== 'done' || mine?.kind !== 'done') return false;
    for (const { state, made } of shop.value.jobs) if (state === 'made') this.#madeBefore.add(made);
    this.#mine = mine.value;
    this.#before = mine.value.items.map(({ id }) => id);
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

  /** Waits until no job waits for the economy, then counts what he has. */
  async settle(giveUp: AbortSignal): Promise<Crafted> {
    let after: readonly number[] | undefined;
    while (await pause(SETTLE_MS, giveUp)) {
      const shop = await insist(() => this.#look(), giveUp);
      if (shop?.kind !== 'done') break;
      if (shop.value.jobs.some(({ state }) => state === 'claiming' || state === 'delivering')) continue;
      const mine = await insist(() => this.#o.client.call('holdings.mine', null), giveUp);
      if (mine?.kind === 'done') after = mine.value.items.map(({ id }) => id);
      break;
    }
    return {
      player: this.#player,
      before: this.#before,
      consumed: [...this.#consumed],
      made: [...this.#made],
      after,
    };
  }

  /** The history of a channel of his region as its primary has it. */
  history(channel: string, region: string): Promise<Outcome<readonly ChatMessage[]>> {
    return this.#o.client.call('chat.history', { channel }, { region, bound: { msOld: 0 } });
  }

  async #say(random: Random): Promise<void> {
    const { region, chronicle, chat } = this.#o;
    const channel = random.pick(CHANNELS) ?? 'region';
    const level = levelOf(random);
    const text = `${this.#player} says ${++this.#said}`;
    const askedMs = performance.now();
    this.#sayFromMs = askedMs + SAY_EVERY_MS;
    const outcome = await this.#make('chat.say', { channel, text }, { region, ack: level });
    if (outcome.kind !== 'done') return;
    const answeredMs = performance.now();
    const { number: place } = outcome.value;
    const { epoch = 0 } = outcome;
    const player = this.#player;
    const said = { player, region, channel, text, level, askedMs, answeredMs, place, epoch };
    chronicle.said(said);
    chat.said(said);
  }

  async #listen(random: Random): Promise<void> {
    const { region, chronicle, chat } = this.#o;
    const channel = random.pick(CHANNELS) ?? 'region';
    const wish = random.pick(['own', 'told', 0, 200, 1_000] as const);
    const msOld = typeof wish === 'number' ? wish : undefined;
    const told = wish === 'told' ? chronicle.latest({ region, channel }) : undefined;
    const bound = msOld === undefined ? told : { msOld };
    const askedMs = performance.now();
    const outcome = await this.#make('chat.history', { channel }, { region, bound });
    if (outcome.kind !== 'done') return;
    const { value: messages } = outcome;
    const heard = { player: this.#player, region, channel, askedMs, msOld, told, messages };
    chat.heard(heard, performance.now());
    chronicle.heard(heard);
  }

  async #craft(random: Random): Promise<void> {
    const { region, chronicle, client } = this.#o;
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
        chronicle.collecting(this.#player, region, craft.job);
        await this.#make('crafting.collect', { job: craft.job }, options);
        break;
      case 'start': {
        const { recipe, item } = craft;
        const outcome = await this.#make('crafting.start', { recipe, item }, options);
        if (outcome.kind !== 'done' || outcome.order === undefined) break;
        const { job } = outcome.value;
        chronicle.begun({ player: this.#player, region, job, level, place: outcome.order });
      }
    }
    const mine = await client.call('holdings.mine', null);
    if (mine.kind === 'done') this.#mine = mine.value;
  }

  async #look(): Promise<Outcome<Workshop>> {
    const { region, chronicle } = this.#o;
    const outcome = await this.#make('crafting.mine', null, { region });
    if (outcome.kind !== 'done') return outcome;
    chronicle.looked(this.#player, region, outcome.value.jobs.map(({ job }) => job));
    for (const { item, state, made } of outcome.value.jobs) {
      const isTaken = state === 'working' || state === 'delivering' || state === 'made';
      if (item > 0 && isTaken) this.#consumed.add(item);
      if (made > 0 && !this.#madeBefore.has(made)) this.#made.add(made);
    }
    return outcome;
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

  async #make<Name extends PlayCall>(
    call: Name,
    args: ArgsOf<Name>,
    options: CallOptions,
  ): Promise<Outcome<ValueOf<Name>>> {
    const askedMs = performance.now();
    const outcome = await this.#o.client.call(call, args, options);
    this.#o.timeline.add(outcome.kind, performance.now() - askedMs);
    return outcome;
  }
}

function levelOf(random: Random): AckLevel {
  return random.pick(ackLevels) ?? 'quorum';
}
