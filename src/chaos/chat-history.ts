// What residents said and read, as a history of lists: so that others than we can judge it.
//
// `resident.ts` enters calls while they come, `run.ts` has the events written down when all is over, since
// only then it is known what was acknowledged. In the history is what `regional` promises in every case and
// a list can tell: messages that a quorum or all copies acknowledged, and readings of the newest (`msOld` 0).
// A message that was acknowledged by one disk, or never, may be shown and be gone again.
// 1. A reading is cut behind the last message that was acknowledged before it was answered: what stands
//    before that on the same log is durable as well, what stands behind it may not be.
// 2. A part of a minute of a channel is a list of its own, since a region forgets what is old of a long one.
//    A reading counts where it goes back to the beginning of its part.
import type { AckLevel } from '../wire/levels.ts';
import { CHAT_HISTORY_MAX, type ChatMessage } from '../wire/regional-calls.ts';

/** Within it mostly less is said in a channel than is remembered of it. */
const PART_MS = 20_000;

interface Channel {
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
  /** Its place in the region's log. */
  readonly place: number;
}

/** A history that was read. */
export interface Heard extends Channel {
  readonly player: string;
  readonly askedMs: number;
  readonly answeredMs: number;
  /** How old it might be; `undefined`: that was not asked for. */
  readonly msOld: number | undefined;
  readonly messages: readonly ChatMessage[];
}

/** A line of the history that is still to be put in order. */
interface Event {
  readonly atMs: number;
  readonly isAnswer: boolean;
  readonly line: object;
}

interface Reading extends Heard {
  /** Older messages may have been forgotten. */
  readonly isFull: boolean;
}

/** One list: what was said in a channel of a region within one part of the time. */
interface List {
  readonly key: string;
  /** Of each message its place in the region's log and when it was acknowledged, by its text. */
  readonly said: ReadonlyMap<string, { readonly place: number; readonly answeredMs: number }>;
}

export class ChatHistory {
  readonly #said: Said[] = [];
  readonly #heard: Reading[] = [];

  said(said: Said): void {
    if (said.level !== 'one') this.#said.push(said);
  }

  heard(heard: Heard): void {
    if (heard.msOld !== 0) return;
    // Other regions' messages come to the world channel by events, in their own time.
    const messages = heard.messages.filter(({ region }) => region === heard.region);
    const isFull = heard.messages.length >= CHAT_HISTORY_MAX;
    this.#heard.push({ ...heard, messages, isFull });
  }

  /** The lines, in the order of events; times count from `beganMs`. */
  lines(beganMs: number): readonly object[] {
    const lists = new Map<string, Map<string, { place: number; answeredMs: number }>>();
    const events: Event[] = [];
    for (const { player, text, place, askedMs, answeredMs, ...where } of this.#said) {
      const key = keyOf(where, askedMs - beganMs);
      const list = lists.get(key) ?? new Map<string, { place: number; answeredMs: number }>();
      lists.set(key, list.set(text, { place, answeredMs }));
      const entry = { process: player, f: 'append', key };
      events.push(asked(askedMs, { ...entry, value: text }), answered(answeredMs, entry));
    }
    for (const heard of this.#heard) {
      const key = keyOf(heard, heard.askedMs - beganMs);
      const entry = { process: heard.player, f: 'read', key };
      const list = { key, said: lists.get(key) ?? new Map() };
      if (!isWhole(heard, list)) continue;
      const value = shown(heard, list);
      events.push(asked(heard.askedMs, entry), answered(heard.answeredMs, { ...entry, value }));
    }
    // Of equal times nothing is taken to have been answered before another was asked.
    const inOrder = events.toSorted((a, b) => a.atMs - b.atMs || Number(a.isAnswer) - Number(b.isAnswer));
    return inOrder.map(({ atMs, line }) => ({ ...line, time: sinceMs(atMs, beganMs) }));
  }
}

/** Nothing of the list may have been forgotten by whoever was read. */
function isWhole({ messages, isFull }: Reading, { said }: List): boolean {
  const oldest = messages[0]?.number ?? Infinity;
  return !isFull || [...said.values()].every(({ place }) => place >= oldest);
}

/** The messages of the list that a reading shows, up to the last one that is durable by then. */
function shown({ messages, answeredMs }: Reading, { said }: List): readonly string[] {
  const listed = messages.filter(({ text, number }) => said.get(text)?.place === number);
  const isDurable = (text: string): boolean => (said.get(text)?.answeredMs ?? Infinity) <= answeredMs;
  const last = listed.findLastIndex(({ text }) => isDurable(text));
  return listed.slice(0, last + 1).map(({ text }) => text);
}

function keyOf({ region, channel }: Channel, ms: number): string {
  return `${region} ${channel} ${Math.floor(ms / PART_MS)}`;
}

function asked(atMs: number, entry: object): Event {
  return { atMs, isAnswer: false, line: { ...entry, type: 'invoke' } };
}

function answered(atMs: number, entry: object): Event {
  return { atMs, isAnswer: true, line: { ...entry, type: 'ok' } };
}

/** To the microsecond, as far as clocks of processes go. */
function sinceMs(ms: number, beganMs: number): number {
  return Math.round((ms - beganMs) * 1_000) / 1_000;
}
