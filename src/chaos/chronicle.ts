// What residents were told of their regions, judged against what the promise `regional` says.
//
// `resident.ts` enters every call and answer, `run.ts` what promotions cost and asks for the verdict. No
// search for an order is needed: each message is named by its place in its region's log, so that most is
// judged when it is read. Bounded by what residents say; what they read is not kept.
// Invariant: times are those of one clock that never jumps, since all residents live in one process.
import type { AckLevel } from '../wire/levels.ts';
import { CHAT_HISTORY_MAX, type ChatMessage } from '../wire/regional-calls.ts';

/** Enough to see what is wrong. */
const SENTENCES_MAX = 20;

export interface Channel {
  readonly region: string;
  readonly channel: string;
}

/** A message that was acknowledged. */
export interface Said extends Channel {
  readonly player: string;
  /** No two messages have the same. */
  readonly text: string;
  readonly level: AckLevel;
  readonly askedMs: number;
  readonly answeredMs: number;
  /** Its place in the region's log, and the epoch of the primary that told it. */
  readonly place: number;
  readonly epoch: number;
}

/** A place in a region's log, as a reader may ask for it. */
export interface Told {
  readonly epoch: number;
  readonly order: number;
}

/** A history that was read. */
export interface Heard extends Channel {
  readonly player: string;
  readonly askedMs: number;
  /** How old it might be; `undefined`: what the reader himself did and saw must be there, no more. */
  readonly msOld: number | undefined;
  /** What it must have seen, whoever said that. */
  readonly told: Told | undefined;
  readonly messages: readonly ChatMessage[];
}

/** A job that was begun and must be in the workshop until it is taken away. */
export interface Begun {
  readonly player: string;
  readonly region: string;
  readonly job: number;
  readonly level: AckLevel;
  readonly place: number;
}

/** Places in a region's log that a promotion cost, both included. */
export interface LostPlaces {
  readonly region: string;
  readonly from: number;
  readonly to: number;
}

/** What is broken, by the promise; an empty list: it held. */
export interface RegionalFindings {
  /** Acknowledged at quorum or by all, and gone. */
  readonly lost: readonly string[];
  /** Acknowledged at one, and gone without a promotion that owns up to it. */
  readonly unaccounted: readonly string[];
  /** Not shown to whom it must have been. */
  readonly unseen: readonly string[];
  readonly disordered: readonly string[];
  /** How much was acknowledged at one and lies in what promotions cost. */
  readonly paid: number;
  readonly messages: number;
}

interface Missing {
  readonly what: string;
  readonly region: string;
  readonly place: number;
}

export class Chronicle {
  readonly #said = new Map<string, Said[]>();
  readonly #jobs = new Map<string, Map<number, Begun>>();
  /** Acknowledged at one and not there any more, by what it was. */
  readonly #missing = new Map<string, Missing>();
  readonly #lost = new Sentences();
  readonly #unseen = new Sentences();
  readonly #disordered = new Sentences();
  #messages = 0;

  said(said: Said): void {
    this.#messages += 1;
    const key = keyOf(said);
    const list = this.#said.get(key);
    if (list === undefined) this.#said.set(key, [said]);
    else list.push(said);
  }

  /** The message of the channel that was acknowledged last, by its place; everybody may know of it. */
  latest(channel: Channel): Told | undefined {
    const said = this.#said.get(keyOf(channel))?.at(-1);
    return said === undefined ? undefined : { epoch: said.epoch, order: said.place };
  }

  /** Judges a history by what must be in it, at the latest when it was asked for. */
  heard(heard: Heard): void {
    this.#judgeOrder(heard);
    const { player, askedMs, msOld, told } = heard;
    const view = new View(heard);
    for (const said of this.#said.get(keyOf(heard)) ?? []) {
      const isOwn = said.player === player && said.answeredMs <= askedMs;
      const isOld = msOld !== undefined && said.answeredMs <= askedMs - msOld;
      // Whatever stands before a place in one log was there when that was.
      const isTold = told !== undefined && said.epoch === told.epoch && said.place <= told.order;
      const isDue = isOwn || isOld || isTold;
      if (!isDue || view.mayHaveForgotten(said.place) || view.shows(said.text)) continue;
      const words = `"${said.text}" of ${said.region}, place ${said.place}, acknowledged at ${said.level}`;
      // What one disk alone had may be gone, with a promotion that says so.
      if (said.level === 'one') this.#missing.set(`${keyOf(said)} ${said.text}`, { ...said, what: words });
      else this.#unseen.add(`${player} was not shown ${words}${isOwn ? ', his own' : ''}`);
    }
  }

  begun(begun: Begun): void {
    const key = keyOf({ region: begun.region, channel: begun.player });
    const jobs = this.#jobs.get(key) ?? new Map<number, Begun>();
    this.#jobs.set(key, jobs.set(begun.job, begun));
  }

  /** He asked for it to be taken away: whether it is there is nobody's promise any more. */
  collecting(player: string, region: string, job: number): void {
    this.#jobs.get(keyOf({ region, channel: player }))?.delete(job);
  }

  /** A look into the workshop, by its owner. */
  looked(player: string, region: string, jobs: readonly number[]): void {
    const begun = this.#jobs.get(keyOf({ region, channel: player })) ?? new Map<number, Begun>();
    for (const { job, level, place } of begun.values()) {
      if (jobs.includes(job)) continue;
      begun.delete(job);
      const what = `job ${job} of ${player} in ${region}, place ${place}, acknowledged at ${level}`;
      if (level === 'one') this.#missing.set(what, { what, region, place });
      else this.#unseen.add(`${player} was not shown his ${what}`);
    }
  }

  /** The last reading of a channel, at its primary, when everything is whole and nobody speaks. */
  closed(heard: Omit<Heard, 'player' | 'askedMs' | 'msOld' | 'told'>): void {
    const view = new View(heard);
    for (const said of this.#said.get(keyOf(heard)) ?? []) {
      if (view.mayHaveForgotten(said.place) || view.shows(said.text)) continue;
      const words = `"${said.text}" of ${said.region}, place ${said.place}, acknowledged at ${said.level}`;
      if (said.level === 'one') this.#missing.set(`${keyOf(said)} ${said.text}`, { ...said, what: words });
      else this.#lost.add(`${words}, is gone`);
    }
  }

  finish(lostPlaces: readonly LostPlaces[]): RegionalFindings {
    const unaccounted = new Sentences();
    let paid = 0;
    for (const { what, region, place } of this.#missing.values()) {
      const isOwnedUp = lostPlaces.some(
        (lost) => lost.region === region && lost.from <= place && place <= lost.to,
      );
      if (isOwnedUp) paid += 1;
      else unaccounted.add(`${what}, is gone, and no promotion says so`);
    }
    for (const list of this.#said.values()) this.#judgeOrderOfSaying(list);
    return {
      lost: this.#lost.list,
      unaccounted: unaccounted.list,
      unseen: this.#unseen.list,
      disordered: this.#disordered.list,
      paid,
      messages: this.#messages,
    };
  }

  /** As it is shown: by time, then region, then number; within a region that is the log. */
  #judgeOrder({ region, channel, messages }: Heard): void {
    const last = new Map<string, number>();
    let before: ChatMessage | undefined;
    for (const message of messages) {
      const isLater = before === undefined || before.timeMs <= message.timeMs;
      const follows = (last.get(message.region) ?? 0) < message.number;
      last.set(message.region, message.number);
      before = message;
      if (isLater && follows) continue;
      this.#disordered.add(`${channel} of ${region} shows "${message.text}" at the wrong place`);
    }
  }

  /** What was said after another message had been acknowledged stands behind it. */
  #judgeOrderOfSaying(list: readonly Said[]): void {
    const kept = list.filter((said) => !this.#missing.has(`${keyOf(said)} ${said.text}`));
    const answered = kept.toSorted((a, b) => a.answeredMs - b.answeredMs);
    let next = 0;
    let highest: Said | undefined;
    for (const said of kept.toSorted((a, b) => a.askedMs - b.askedMs)) {
      for (let one = answered[next]; one !== undefined && one.answeredMs < said.askedMs; next++) {
        if (highest === undefined || one.place > highest.place) highest = one;
        one = answered[next + 1];
      }
      if (highest === undefined || highest.place < said.place) continue;
      this.#disordered.add(`"${said.text}" was said after "${highest.text}", and stands before it`);
    }
  }
}

/** What one reading shows, and from where on it would show everything. */
class View {
  readonly #texts: ReadonlySet<string>;
  readonly #oldestPlace: number;

  constructor({ region, messages }: Pick<Heard, 'region' | 'messages'>) {
    this.#texts = new Set(messages.map(({ text }) => text));
    const own = messages.filter((message) => message.region === region);
    const isFull = messages.length >= CHAT_HISTORY_MAX;
    this.#oldestPlace = isFull ? (own[0]?.number ?? Number.POSITIVE_INFINITY) : 0;
  }

  shows(text: string): boolean {
    return this.#texts.has(text);
  }

  mayHaveForgotten(place: number): boolean {
    return place < this.#oldestPlace;
  }
}

class Sentences {
  readonly list: string[] = [];

  add(sentence: string): void {
    const isNew = !this.list.includes(sentence);
    if (isNew && this.list.length < SENTENCES_MAX) this.list.push(sentence);
  }
}

function keyOf({ region, channel }: Channel): string {
  return `${region} ${channel}`;
}
