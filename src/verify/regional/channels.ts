// Messages of regions' channels: acknowledged, and from then on shown to whom they must be, in order.
//
// `regional` hands in what was answered, in the order of the answers. No search for an order is needed: a
// message is named by its place in its region's log, so that a reading is judged when it is met. A message
// that a reading shows for the first time is told whole there, and by its number among them afterwards.
import type { Operation } from '../history.ts';
import { amountOf, listOf, nameOf, refuse } from '../reading.ts';
import {
  answered,
  asked,
  type Bound,
  boundOf,
  type Facts,
  type Level,
  levelOf,
  linkOf,
  regionOf,
} from './calls.ts';
import type { Findings } from './findings.ts';

/** A message that was acknowledged. */
interface Said {
  readonly operation: Operation;
  readonly what: string;
  readonly text: string;
  readonly region: string;
  readonly level: Level;
  readonly place: number;
  readonly epoch: number;
}

/** A message as a reading shows it. */
interface Message {
  readonly region: string;
  readonly number: number;
  readonly timeMs: number;
  readonly text: string;
}

interface Channel {
  /** By place. */
  readonly said: Said[];
  /** Every message that a reading of it has shown, in the order of the first. */
  readonly known: Message[];
  /** What its last reading in the end showed, in words that compare. */
  last: string | undefined;
}

export class Channels {
  readonly #facts: Facts;
  readonly #findings: Findings;
  readonly #channels = new Map<string, Channel>();
  #count = 0;

  constructor(facts: Facts, findings: Findings) {
    this.#facts = facts;
    this.#findings = findings;
  }

  /** How many messages were acknowledged. */
  get count(): number {
    return this.#count;
  }

  said(operation: Operation): void {
    this.#count += 1;
    const region = regionOf(operation);
    const text = nameOf(operation, asked(operation, 'text'), 'a text');
    const said: Said = {
      operation,
      what: `"${text}"`,
      text,
      region,
      level: levelOf(operation),
      place: amountOf(operation, answered(operation, 'number'), 'a number'),
      epoch: amountOf(operation, answered(operation, 'epoch'), 'an epoch'),
    };
    const { said: list } = this.#channelOf(operation);
    // Answers come about in the order of the log.
    const before = list.findLastIndex(({ place }) => place <= said.place);
    list.splice(before + 1, 0, said);
  }

  /** `isLast`: everything is whole and nobody speaks any more. */
  heard(operation: Operation, isLast: boolean): void {
    const region = regionOf(operation);
    const channel = this.#channelOf(operation);
    const shown = shownBy(operation, channel.known);
    this.#judgeOrder(operation, shown);
    const bound = boundOf(operation);
    const own = new Map(shown.filter((one) => one.region === region).map((one) => [one.number, one.text]));
    const isFull = shown.length >= this.#facts.remembered;
    // Below it may be forgotten; of the shown ones the oldest comes first.
    const oldest = isFull ? ([...own.keys()][0] ?? Number.POSITIVE_INFINITY) : 0;
    for (let at = channel.said.length - 1; at >= 0; at--) {
      const said = channel.said[at];
      if (said === undefined || said.place < oldest) break;
      if (own.get(said.place) === said.text || !isDue(said, operation, bound)) continue;
      this.#miss(said, operation, isLast);
    }
    if (isLast && bound.msOld === 0) {
      channel.last = JSON.stringify(shown.map(({ region: from, number, text }) => [from, number, text]));
    }
  }

  /** What was said after another message had been acknowledged stands behind it. */
  judgeOrderOfSaying(): void {
    for (const { said } of this.#channels.values()) {
      const kept = said.filter((one) => !this.#findings.isMissing(one));
      const inReturns = kept.toSorted((a, b) => a.operation.returnedLine - b.operation.returnedLine);
      let next = 0;
      let highest: Said | undefined;
      for (const one of kept.toSorted((a, b) => a.operation.invokedLine - b.operation.invokedLine)) {
        for (let earlier = inReturns[next]; earlier !== undefined; earlier = inReturns[++next]) {
          if (earlier.operation.returnedLine > one.operation.invokedLine) break;
          if (highest === undefined || earlier.place > highest.place) highest = earlier;
        }
        if (highest === undefined || highest.place < one.place) continue;
        this.#findings.disordered.add(`${one.what} was said after ${highest.what}, and stands before it`);
      }
    }
  }

  /** Channels that nobody read in the end, and those that come to be the same in all regions and are not. */
  compareLast(): { readonly unread: readonly string[]; readonly differing: readonly string[] } {
    const { regions, channels, shared } = this.#facts;
    const unread: string[] = [];
    const differing: string[] = [];
    for (const channel of channels) {
      let first: string | undefined;
      for (const region of regions) {
        const last = this.#channels.get(keyOf(region, channel))?.last;
        if (last === undefined) unread.push(`the channel ${channel} of ${region} was not read in the end`);
        else if (shared.includes(channel) && last !== (first ??= last)) {
          differing.push(`${region} shows another channel ${channel}`);
        }
      }
    }
    return { unread, differing };
  }

  #miss(said: Said, { process }: Operation, isLast: boolean): void {
    const { lost, unseen } = this.#findings;
    if (isLast) return this.#findings.miss(said, lost, (what) => `${what}, is gone`);
    const isOwn = said.operation.process === process;
    this.#findings.miss(said, unseen, (what) => {
      return `${process} was not shown ${what}${isOwn ? ', his own' : ''}`;
    });
  }

  /** As it is shown: by time, then region, then number; within a region that is the log. */
  #judgeOrder(operation: Operation, shown: readonly Message[]): void {
    const last = new Map<string, number>();
    let before: Message | undefined;
    for (const message of shown) {
      const isLater = before === undefined || before.timeMs <= message.timeMs;
      const follows = (last.get(message.region) ?? 0) < message.number;
      last.set(message.region, message.number);
      before = message;
      if (isLater && follows) continue;
      const where = `${channelOf(operation)} of ${regionOf(operation)}`;
      this.#findings.disordered.add(`${where} shows "${message.text}" at the wrong place`);
    }
  }

  #channelOf(operation: Operation): Channel {
    const key = keyOf(regionOf(operation), channelOf(operation));
    const channel = this.#channels.get(key) ?? { said: [], known: [], last: undefined };
    this.#channels.set(key, channel);
    return channel;
  }
}

/** Whether the reading must show it, or something newer. */
function isDue(said: Said, reading: Operation, { msOld, place }: Bound): boolean {
  const { process, returnedLine, returnedTime } = said.operation;
  // Whatever stands before a place in one log was there when that was.
  if (place !== undefined && said.epoch === place.epoch && said.place <= place.order) return true;
  if (returnedLine > reading.invokedLine) return false;
  const isOwn = process === reading.process;
  // What may be old is held to what was done over the same link: only its gateway knows of that.
  if (isOwn && (msOld === undefined || linkOf(said.operation) === linkOf(reading))) return true;
  return msOld !== undefined && returnedTime <= reading.invokedTime - msOld;
}

/** The messages of a reading; those that are told here for the first time become known. */
function shownBy(operation: Operation, known: Message[]): readonly Message[] {
  for (const value of listOf(operation, answered(operation, 'first'), 'first')) {
    const [region, number, timeMs, text] = listOf(operation, value, 'a message');
    known.push({
      region: nameOf(operation, region, 'a region'),
      number: amountOf(operation, number, 'a number'),
      timeMs: amountOf(operation, timeMs, 'a time'),
      text: nameOf(operation, text, 'a text'),
    });
  }
  return listOf(operation, answered(operation, 'shown'), 'shown').flatMap((value) => {
    const [from, to] = listOf(operation, value, 'a range');
    const first = amountOf(operation, from, 'the beginning of a range');
    const last = amountOf(operation, to, 'the end of a range');
    if (first < 1 || last < first || last > known.length) {
      refuse(operation, `shows messages ${first} to ${last} of the ${known.length} that are known`);
    }
    return known.slice(first - 1, last);
  });
}

function channelOf(operation: Operation): string {
  return nameOf(operation, asked(operation, 'channel'), 'a channel');
}

function keyOf(region: string, channel: string): string {
  return `${region}\n${channel}`;
}
