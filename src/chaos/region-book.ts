// Every call of the residents as one history: asked before it is sent, answered when the answer is there.
//
// `resident.ts` makes its calls through it; `run.ts` adds what else a judge must know. It judges nothing:
// `verify/regional` does, by these lines alone, which docs/histories.md describes. A reading names messages
// by numbers: in a region's channel each is told whole where it is shown for the first time.
// Bounded by what residents say and are shown.
import type { Outcome } from '../base/errors.ts';
import type { ArgsOf, CallOptions, Client, Entered, Place, PlayCall, ValueOf } from '../client/index.ts';
import { CHAT_HISTORY_MAX, type ChatMessage, type Job } from '../wire/regional-calls.ts';
import type { LostPlaces } from './promotions.ts';
import type { Entry, Recorder } from './recorder.ts';

export const CHANNELS = ['region', 'world'] as const;
/** Those that come to show the same in all regions. */
const SHARED: readonly string[] = ['world'];
const BOOK = 'regions';

/** The calls of residents but for `enter`, which has a method of its own. */
export type ResidentCall = Extract<
  PlayCall,
  `chat.${string}` | `crafting.${'gather' | 'start' | 'collect' | 'mine'}` | 'holdings.mine'
>;

/** A place in a region's log, as a reader may ask for it. */
export interface Told {
  readonly epoch: number;
  readonly order: number;
}

/** What of an answer is written down, beside its place. */
type Written = {
  readonly [Name in ResidentCall]: (value: ValueOf<Name>, known: KnownMessages) => object;
};

export class RegionBook {
  readonly #recorder: Recorder;
  readonly #known = new Map<string, KnownMessages>();
  readonly #latest = new Map<string, Told>();
  /** How often each has linked up so far: a gateway knows what was done and seen over its own link. */
  readonly #links = new Map<Client, number>();

  constructor(recorder: Recorder, regions: readonly string[]) {
    this.#recorder = recorder;
    recorder.begin(BOOK, { regions, channels: CHANNELS, shared: SHARED, remembered: CHAT_HISTORY_MAX });
  }

  async call<Name extends ResidentCall>(
    client: Client,
    call: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<Outcome<ValueOf<Name>>> {
    const { region, ack: level, bound } = options;
    // Fields without a value are none in JSON.
    const value = { ...args, level, bound };
    const entry: Entry = { book: BOOK, f: call, value, ...(region === undefined ? {} : { key: region }) };
    const channel = keyOf(region ?? '', args !== null && 'channel' in args ? args.channel : '');
    const ask = (): Promise<Outcome<ValueOf<Name>>> => client.call(call, args, options);
    const outcome = await this.#record(client, entry, ask, (answer) => {
      return WRITTEN[call](answer, this.#knownIn(channel));
    });
    if (call === 'chat.say' && outcome.kind === 'done') this.#tell(channel, outcome);
    return outcome;
  }

  enter(client: Client, home: Place): Promise<Outcome<Entered>> {
    const entry: Entry = { book: BOOK, f: 'enter', value: home };
    return this.#record(client, entry, () => client.enter(home), (entered) => entered);
  }

  /** The message of the channel that was acknowledged last, by its place; everybody may know of it. */
  latest(region: string, channel: string): Told | undefined {
    return this.#latest.get(keyOf(region, channel));
  }

  /** From now on everything is whole, and nobody changes anything. */
  noteWhole(): void {
    this.#recorder.observe(BOOK, 'whole', [{ value: true }]);
  }

  /** What promotions cost, and how many players stand in all regions together in the end. */
  finish(lost: readonly LostPlaces[], players: number): void {
    this.#recorder.observe(BOOK, 'lost', lost);
    this.#recorder.observe(BOOK, 'standing', [{ value: { players } }]);
  }

  async #record<Value>(
    client: Client,
    entry: Entry,
    ask: () => Promise<Outcome<Value>>,
    written: (answer: Value) => object,
  ): Promise<Outcome<Value>> {
    const process = String(client.player);
    if (!this.#links.has(client)) this.#countLinks(client);
    this.#recorder.invoke(process, entry);
    const outcome = await ask();
    if (outcome.kind === 'done') {
      const value = { ...written(outcome.value), epoch: outcome.epoch, link: this.#links.get(client) };
      this.#recorder.complete(process, entry, { outcome, reading: { kind: 'ok', value } });
    } else if (outcome.kind === 'rejected') {
      const { reason } = outcome;
      this.#recorder.complete(process, entry, { outcome, reading: { kind: 'rejected', reason } });
    } else this.#recorder.complete(process, entry, { outcome, reading: { kind: 'nothing' } });
    return outcome;
  }

  #countLinks(client: Client): void {
    this.#links.set(client, 1);
    client.onState((state) => {
      if (state === 'ready') this.#links.set(client, (this.#links.get(client) ?? 0) + 1);
    });
  }

  #tell(channel: string, { order, epoch }: { readonly order?: number; readonly epoch?: number }): void {
    if (order !== undefined && epoch !== undefined) this.#latest.set(channel, { order, epoch });
  }

  #knownIn(channel: string): KnownMessages {
    const known = this.#known.get(channel) ?? new KnownMessages();
    this.#known.set(channel, known);
    return known;
  }
}

const WRITTEN: Written = {
  'chat.say': ({ number }) => ({ number }),
  'chat.history': (messages, known) => known.written(messages),
  'crafting.gather': ({ count }) => ({ count }),
  'crafting.start': jobOf,
  'crafting.collect': jobOf,
  'crafting.mine': ({ materials, jobs }) => ({ materials, jobs: jobs.map(jobOf) }),
  'holdings.mine': ({ gold, items }) => ({ gold, items: items.map(({ id }) => id) }),
};

/** The messages that readings of one channel have shown, numbered from 1 in the order of the first. */
class KnownMessages {
  readonly #numbers = new Map<string, number>();

  /** Those that are shown for the first time, whole, and the numbers of all: ranges, both ends included. */
  written(messages: readonly ChatMessage[]): object {
    const first: unknown[] = [];
    const shown: [from: number, to: number][] = [];
    for (const { region, number, timeMs, text } of messages) {
      const message = [region, number, timeMs, text];
      const identity = JSON.stringify(message);
      const known = this.#numbers.get(identity) ?? this.#numbers.size + 1;
      if (known > this.#numbers.size) first.push(message);
      this.#numbers.set(identity, known);
      const range = shown.at(-1);
      if (range !== undefined && range[1] === known - 1) range[1] = known;
      else shown.push([known, known]);
    }
    return { first, shown };
  }
}

function jobOf({ job, state, item, made }: Job): object {
  return { job, state, item, made };
}

function keyOf(region: string, channel: string): string {
  return `${region} ${channel}`;
}
