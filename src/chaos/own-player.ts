// One player of a studio's features in a drill: draws a deed, records it, does it, and draws the next.
//
// `own-load.ts` makes one per client. Deeds come from the studio's `drawDeed`, as they do in the simulator.
// Those of its own features are recorded in the history `own`, with the place in the log that each answer
// names; what he does of the stock world besides is not.
import { InvalidInputError, type Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { CallOptions, Client } from '../client/index.ts';
import { knownCalls } from '../client/known-calls.ts';
import { pause } from '../crowd/insist.ts';
import { isSessionRefusal } from '../wire/command.ts';
import { type AckLevel, ackLevels } from '../wire/levels.ts';
import type { Schema } from '../wire/schema.ts';
import { type Deed, type DrawDeed, type Known, learn } from '../world/deed.ts';
import type { OwnQuery } from './own-truth.ts';
import { type Answer, type Entry, OWN_BOOK, type Recorder } from './recorder.ts';
import type { Timeline } from './timeline.ts';

const PAUSE_MS_MAX = 20;
/** Deeds that are drawn before a drill begins, to see whether they can be done at all. */
const DEEDS_TRIED = 200;
/** How old a reading of a region may be; half of them state nothing. */
const AGES_MS: readonly (number | undefined)[] = [undefined, undefined, undefined, 0, 100, 2_000];
/** Residents know every word that is said in their channels. */
const NOT_DONE = 'chat.say';
const STOCK_CALLS: ReadonlyMap<string, unknown> = knownCalls({});

/** A call of a studio's feature that players may ask. */
export interface OwnCall {
  readonly kind: 'command' | 'query';
  readonly isRegional: boolean;
  /** Of a command to a region, unless it asks for another level. */
  readonly ack: AckLevel;
  readonly args: Schema<unknown>;
  /** The group that decides it; `undefined` where a region does. */
  readonly group: string | undefined;
}

export interface OwnPlayerOptions {
  readonly client: Pick<Client, 'player' | 'ask'>;
  readonly drawDeed: DrawDeed;
  readonly calls: ReadonlyMap<string, OwnCall>;
  readonly regions: readonly string[];
  readonly known: Known;
  readonly recorder: Pick<Recorder, 'invoke' | 'complete'>;
  readonly timeline: Pick<Timeline, 'add'>;
  readonly random: Random;
  /** A query of a studio's feature was answered. */
  readonly answered: (query: OwnQuery) => void;
  /** A call of one was decided. */
  readonly decided: (call: string) => void;
}

export class OwnPlayer {
  readonly #o: OwnPlayerOptions;
  readonly #process: string;

  constructor(options: OwnPlayerOptions) {
    this.#o = options;
    this.#process = String(options.client.player);
  }

  /**
   * Until it is closing; resolves when his last call has its outcome. Rejects with `InvalidInputError` for a
   * deed that nobody can do.
   */
  async work(closing: AbortSignal): Promise<void> {
    const { random } = this.#o;
    const pauses = random.split('pauses');
    const deeds = random.split('deeds');
    while (await pause(pauses.integer(0, PAUSE_MS_MAX), closing)) await this.#doOne(deeds);
  }

  async #doOne(random: Random): Promise<void> {
    const { client, drawDeed, known, calls } = this.#o;
    const deed = drawDeed(random, client.player, known);
    const own = calls.get(deed.call);
    if (own === undefined) mustBeStock(deed);
    if (deed.call === NOT_DONE) return;
    const outcome = await (own === undefined
      ? client.ask(deed.call, deed.args)
      : this.#doOwn(deed, own, random));
    if (outcome.kind === 'done') learn(known, client.player, deed.call, outcome.value);
  }

  async #doOwn({ call, args: drawn }: Deed, own: OwnCall, random: Random): Promise<Outcome<unknown>> {
    const { client, recorder, timeline } = this.#o;
    const args = parsed(own, { call, args: drawn });
    const options = this.#optionsOf(own, random);
    const log = own.group ?? options.region ?? '';
    const value = { [own.kind]: args, ...how(own, options) };
    const entry: Entry = { book: OWN_BOOK, f: call, key: log, value };
    recorder.invoke(this.#process, entry);
    const askedMs = performance.now();
    const outcome = await client.ask(call, args, options);
    timeline.add(outcome.kind, performance.now() - askedMs);
    recorder.complete(this.#process, entry, answerOf(outcome));
    this.#note({ call, args, log }, own, outcome);
    return outcome;
  }

  /** In some region, at every level and age, or as its feature and his session have it. */
  #optionsOf({ isRegional, kind }: OwnCall, random: Random): CallOptions {
    const region = isRegional ? random.pick(this.#o.regions) : undefined;
    if (region === undefined) return {};
    if (kind === 'command') return { region, ack: random.pick([undefined, ...ackLevels]) };
    const msOld = random.pick(AGES_MS);
    return { region, bound: msOld === undefined ? undefined : { msOld } };
  }

  #note(
    { call, args, log }: Pick<OwnQuery, 'call' | 'args' | 'log'>,
    { kind }: OwnCall,
    outcome: Outcome<unknown>,
  ): void {
    const isDecided = outcome.kind === 'done' || outcome.kind === 'rejected';
    if (!isDecided || outcome.order === undefined) return;
    const { decided, answered, client } = this.#o;
    decided(call);
    if (kind === 'query') answered({ log, order: outcome.order, player: client.player, call, args });
  }
}

/** Throws `InvalidInputError` for a deed that nobody can do: every promise about it would be kept. */
export function tryDeeds(drawDeed: DrawDeed, calls: ReadonlyMap<string, OwnCall>, random: Random): void {
  const known: Known = { players: [1], items: new Map(), offers: [], jobs: new Map() };
  for (let count = 0; count < DEEDS_TRIED; count++) {
    const deed = drawDeed(random, 1, known);
    const own = calls.get(deed.call);
    if (own === undefined) mustBeStock(deed);
    else parsed(own, deed);
  }
}

/** What a history says of a region's call besides its arguments. */
function how({ isRegional, kind, ack }: OwnCall, options: CallOptions): object {
  if (!isRegional) return {};
  if (kind === 'command') return { level: options.ack ?? ack };
  return options.bound !== undefined && 'msOld' in options.bound ? { msOld: options.bound.msOld } : {};
}

function mustBeStock({ call }: Deed): void {
  if (STOCK_CALLS.has(call)) return;
  throw new InvalidInputError(`drawDeed drew "${call}", which players can not ask`);
}

function parsed({ args: schema }: OwnCall, { call, args }: Deed): unknown {
  try {
    return schema.parse(args ?? null, 'args');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `drawDeed drew "${call}" with arguments that it can not have: ${why}`;
    throw new InvalidInputError(what, { cause });
  }
}

/**
 * A refusal without a place is a gateway's, and nothing happened. One by the session tells nothing of former
 * attempts: one that went another way may have been applied.
 */
function answerOf(outcome: Outcome<unknown>): Answer {
  if (outcome.kind === 'done') return { outcome, reading: { kind: 'ok', value: outcome.value } };
  if (outcome.kind !== 'rejected') return { outcome, reading: { kind: 'nothing' } };
  if (isSessionRefusal(outcome)) return { outcome: { kind: 'uncertain' }, reading: { kind: 'nothing' } };
  const { reason, order } = outcome;
  return { outcome, reading: order === undefined ? { kind: 'nothing' } : { kind: 'rejected', reason } };
}
