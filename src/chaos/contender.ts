// One player of a drill: draws a call, records it, makes it, records the answer, and draws the next.
//
// `load.ts` makes one per client. He acts on what he believes to hold, which others change all the time, so
// that some of what he asks is refused: a refusal says as much as a success.
import type { Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { ArgsOf, Client, PlayCall, ValueOf } from '../client/index.ts';
import { pause } from '../crowd/insist.ts';
import type { HoldingsView } from '../wire/calls.ts';
import type { Entry, Reading, Recorder } from './recorder.ts';
import type { Timeline } from './timeline.ts';

const PAUSE_MS_MAX = 12;
const GIFT_MAX = 25;
/** More than anybody is likely to hold. */
const TOO_MUCH = 100_000;
/** All who race in the same span of time race for the same name. */
const NAME_EVERY_MS = 300;

export interface ContenderOptions {
  readonly client: Client;
  readonly players: readonly number[];
  readonly allItems: readonly number[];
  readonly namesOfRun: string;
  readonly recorder: Recorder;
  readonly timeline: Timeline;
  readonly random: Random;
}

export class Contender {
  readonly #o: ContenderOptions;
  readonly #process: string;
  readonly #beganMs: number = performance.now();
  #items: readonly number[] = [];
  /** The name he has; `'unknown'` once an answer was lost: then he races no more. */
  #name: string | undefined | 'unknown';

  constructor(options: ContenderOptions) {
    this.#o = options;
    this.#process = String(options.client.player);
  }

  get player(): string {
    return this.#process;
  }

  /** Until it is closing; resolves when his last call has its outcome. */
  async work(closing: AbortSignal): Promise<void> {
    const { random } = this.#o;
    const pauses = random.split('pauses');
    const deeds = random.split('deeds');
    while (await pause(pauses.integer(0, PAUSE_MS_MAX), closing)) await this.#doOne(deeds);
  }

  /** Reads what he holds. */
  async look(): Promise<Outcome<HoldingsView>> {
    const gold: Entry = { book: 'gold', f: 'read', value: this.#process };
    const items: Entry = { book: 'items', f: 'inventory', key: this.#process };
    const outcome = await this.#make('holdings.mine', null, [
      { entry: gold, read: (view) => ({ kind: 'ok', value: view.gold }) },
      { entry: items, read: (view) => ({ kind: 'ok', value: view.items.map(({ id }) => id) }) },
    ]);
    if (outcome.kind === 'done') this.#items = outcome.value.items.map(({ id }) => id);
    return outcome;
  }

  async #doOne(random: Random): Promise<void> {
    const draw = random.integer(1, 100);
    if (draw <= 45) await this.#giveGold(random);
    else if (draw <= 70) await this.#giveItem(random);
    else if (draw <= 85) await this.look();
    else await this.#race(random);
  }

  async #giveGold(random: Random): Promise<void> {
    const to = this.#other(random);
    const amount = random.chance(1, 20) ? TOO_MUCH : random.integer(1, GIFT_MAX);
    const value = { from: this.#process, to: String(to), amount };
    await this.#make('trade.give', { to, gold: amount, items: [] }, [
      {
        entry: { book: 'gold', f: 'transfer', value },
        read: (left) => ({ kind: 'ok', value: { left: left.gold } }),
        refusals: ['not-enough-gold'],
      },
    ]);
  }

  async #giveItem(random: Random): Promise<void> {
    const to = this.#other(random);
    const item = random.pick(random.chance(1, 6) ? this.#o.allItems : this.#items);
    if (item === undefined) return void (await this.look());
    const value = { from: this.#process, to: String(to) };
    const outcome = await this.#make('trade.give', { to, gold: 0, items: [item] }, [
      {
        entry: { book: 'items', f: 'transfer', key: String(item), value },
        read: () => ({ kind: 'ok' }),
        refusals: ['not-yours'],
      },
    ]);
    if (outcome.kind !== 'unavailable') this.#items = this.#items.filter((id) => id !== item);
  }

  async #race(random: Random): Promise<void> {
    if (this.#name === 'unknown' || random.chance(1, 3)) await this.#askOwner();
    else if (this.#name === undefined) await this.#claim();
    else await this.#release(this.#name);
  }

  async #askOwner(): Promise<void> {
    const name = this.#nameOfNow();
    await this.#make('names.owner', { name }, [
      {
        entry: { book: 'names', f: 'owner', key: name },
        read: ({ player }) => ({ kind: 'ok', value: player }),
      },
    ]);
  }

  async #claim(): Promise<void> {
    const name = this.#nameOfNow();
    const outcome = await this.#make('names.claim', { name }, [
      {
        entry: { book: 'names', f: 'create', key: name, value: { to: this.#process } },
        read: () => ({ kind: 'ok' }),
        refusals: ['name-taken'],
        means: 'exists',
      },
    ]);
    if (outcome.kind === 'done') this.#name = name;
    else if (outcome.kind === 'uncertain') this.#name = 'unknown';
  }

  async #release(name: string): Promise<void> {
    const outcome = await this.#make('names.release', null, [
      {
        entry: { book: 'names', f: 'destroy', key: name, value: { from: this.#process } },
        read: () => ({ kind: 'ok' }),
        refusals: ['no-name'],
        means: 'absent',
      },
    ]);
    if (outcome.kind === 'uncertain') this.#name = 'unknown';
    else if (outcome.kind !== 'unavailable') this.#name = undefined;
  }

  #other(random: Random): number {
    const { players, client } = this.#o;
    return random.pick(players.filter((player) => player !== client.player)) ?? client.player;
  }

  #nameOfNow(): string {
    const span = Math.floor((performance.now() - this.#beganMs) / NAME_EVERY_MS);
    return `N${this.#o.namesOfRun} ${span}`;
  }

  async #make<Name extends PlayCall>(
    call: Name,
    args: ArgsOf<Name>,
    records: readonly Record<ValueOf<Name>>[],
  ): Promise<Outcome<ValueOf<Name>>> {
    const { client, recorder, timeline } = this.#o;
    for (const { entry } of records) recorder.invoke(this.#process, entry);
    const askedMs = performance.now();
    const outcome = await client.call(call, args);
    timeline.add(outcome.kind, performance.now() - askedMs);
    for (const record of records) {
      const reading = readingOf(outcome, record);
      recorder.complete(this.#process, record.entry, { outcome, reading });
    }
    return outcome;
  }
}

/** How one call stands in one history. */
interface Record<Value> {
  readonly entry: Entry;
  read(value: Value): Reading;
  /** Rejections that say something in the model's terms: by their own name, or by `means`. */
  readonly refusals?: readonly string[];
  readonly means?: string;
}

function readingOf<Value>(outcome: Outcome<Value>, record: Record<Value>): Reading {
  if (outcome.kind === 'done') return record.read(outcome.value);
  if (outcome.kind !== 'rejected') return { kind: 'nothing' };
  const { reason } = outcome;
  if (record.refusals?.includes(reason) !== true) return { kind: 'nothing' };
  return { kind: 'rejected', reason: record.means ?? reason };
}
