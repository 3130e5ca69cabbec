// A test player's craft: he gathers, makes things, and tells the ledger what became of rare items.
//
// `test-player.ts` owns one. He works in the region of his birth, wherever he walks. Pushes may be lost,
// so what he knows he reads from his workshop, where each job stays until he collects it.
import type { Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { ArgsOf, CallOptions, PlayCall, ValueOf } from '../client/index.ts';
import type { HoldingsView } from '../wire/calls.ts';
import type { Job, Workshop } from '../wire/regional-calls.ts';
import { chooseCraft } from './deeds.ts';
import { insist, pause } from './insist.ts';
import type { Ledger } from './ledger.ts';

/** What waits for the economy is looked at so often, at the end. */
const LOOK_MS = 300;

export type AskWorld = <Name extends PlayCall>(
  name: Name,
  args: ArgsOf<Name>,
  options?: CallOptions,
) => Promise<Outcome<ValueOf<Name>>>;

export class Artisan {
  readonly #ask: AskWorld;
  readonly #ledger: Ledger;
  readonly #where: CallOptions;
  /** Jobs of earlier runs whose product was there before the ledger was opened. */
  readonly #madeBefore = new Set<number>();

  constructor(o: { ask: AskWorld; ledger: Ledger; region: string }) {
    this.#ask = o.ask;
    this.#ledger = o.ledger;
    this.#where = { region: o.region };
  }

  /** Before his holdings are read: what was made until then is among them, or somebody else's. */
  async begin(giveUp: AbortSignal): Promise<void> {
    const outcome = await insist(() => this.#look(), giveUp);
    if (outcome?.kind !== 'done') return;
    for (const { job, state } of outcome.value.jobs) if (state === 'made') this.#madeBefore.add(job);
  }

  /** One deed. True when his holdings may have changed by it. */
  async work(player: number, mine: HoldingsView, random: Random): Promise<boolean> {
    const outcome = await this.#look();
    if (outcome.kind !== 'done') return false;
    this.#note(player, outcome.value.jobs);
    const craft = chooseCraft(outcome.value, mine, { nowMs: Date.now(), random });
    switch (craft.kind) {
      case 'gather':
        await this.#ask('crafting.gather', { material: craft.material }, this.#where);
        return false;
      case 'start':
        await this.#ask('crafting.start', { recipe: craft.recipe, item: craft.item }, this.#where);
        return craft.item !== null;
      case 'collect':
        await this.#ask('crafting.collect', { job: craft.job }, this.#where);
        return true;
    }
  }

  /** Waits until no job waits for the economy any more, so that holdings stay as they are. */
  async settle(player: number, giveUp: AbortSignal): Promise<void> {
    do {
      const outcome = await insist(() => this.#look(), giveUp);
      if (outcome?.kind !== 'done') return;
      const { jobs } = outcome.value;
      this.#note(player, jobs);
      if (!jobs.some(({ state }) => state === 'claiming' || state === 'delivering')) return;
    } while (await pause(LOOK_MS, giveUp));
  }

  #look(): Promise<Outcome<Workshop>> {
    return this.#ask('crafting.mine', null, this.#where);
  }

  #note(player: number, jobs: readonly Job[]): void {
    for (const { job, item, state, made } of jobs) {
      const isConsumed = state === 'working' || state === 'delivering' || state === 'made';
      if (item > 0 && isConsumed) this.#ledger.consumed(item);
      if (made > 0 && !this.#madeBefore.has(job)) this.#ledger.made(made, player);
    }
  }
}
