// Histories of regions for tests: a few calls with their times, made into lines in order, and judged.
import { type History, HistoryReader } from '../../src/verify/history.ts';
import { REGIONAL } from '../../src/verify/regional/regional.ts';
import { type Report, reportOf } from '../../src/verify/report.ts';

export const REMEMBERED = 100;

export interface Call {
  readonly process: string;
  readonly f: string;
  readonly key: string;
  readonly asks: object;
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly type?: 'ok' | 'info' | 'fail';
  /** Messages that it shows, in order. */
  readonly shows?: readonly Message[];
  readonly answers?: object;
  readonly order?: number;
}
export type Message = readonly [region: string, number: number, timeMs: number, text: string];
type Changes = Partial<Call>;

export function message(number: number, changes: { region?: string; timeMs?: number } = {}): Message {
  const { region = 'eu', timeMs = number * 10 } = changes;
  return [region, number, timeMs, `message ${number}`];
}

/** A message at this place of eu's log, at quorum; said at ten times that, answered 5 ms later. */
export function said(place: number, level: string = 'quorum', changes: Changes = {}): Call {
  return {
    process: '1',
    f: 'chat.say',
    key: 'eu',
    asks: { channel: 'region', text: `message ${place}`, level },
    askedMs: place * 10,
    answeredMs: place * 10 + 5,
    answers: { number: place, epoch: 2 },
    order: place,
    ...changes,
  };
}

/** Another player reads the newest after a second, and is shown these. */
export function heard(places: readonly number[], bound?: object, changes: Changes = {}): Call {
  const shows = places.map((place) => message(place));
  const asks = { channel: 'region', ...(bound === undefined ? {} : { bound }) };
  const times = { askedMs: 1_000, answeredMs: 1_005 };
  return { process: '2', f: 'chat.history', key: 'eu', asks, ...times, shows, ...changes };
}

/** A call of player 1 to his workshop in eu, or to his holdings, that is answered 5 ms later. */
export function crafts(atMs: number, f: string, asks: object, changes: Changes = {}): Call {
  const times = { askedMs: atMs, answeredMs: atMs + 5 };
  return { process: '1', f, key: f === 'holdings.mine' ? '' : 'eu', asks, ...times, ...changes };
}

/** What an observer adds to a history. */
export function seen(atMs: number, f: string, answers: object, key: string = ''): Call {
  return { process: 'observer', f, key, asks: {}, askedMs: atMs, answeredMs: atMs, answers };
}

/** From this time on everything is whole, and the channel shows these at its primary. */
export function closes(places: readonly number[], atMs: number = 20_000): readonly Call[] {
  const times = { process: '9', askedMs: atMs + 10, answeredMs: atMs + 15 };
  return [seen(atMs, 'whole', {}), heard(places, { msOld: 0 }, times)];
}

const WORLD = { regions: ['eu'], channels: ['region'], shared: [], remembered: REMEMBERED };

export function regionalHistory(calls: readonly Call[], world: object = {}): History {
  const reader = new HistoryReader();
  reader.event({ type: 'init', model: REGIONAL, value: { ...WORLD, ...world } });
  for (const line of linesOf(calls)) reader.event(line);
  return reader.finish();
}

export function judged(calls: readonly Call[], world: object = {}): Report {
  return reportOf(regionalHistory(calls, world), REGIONAL);
}

const PROMISES = ['lost', 'unaccounted', 'unseen', 'disordered', 'differing', 'rare', 'standing'] as const;
type Broken = Readonly<Record<(typeof PROMISES)[number], readonly string[]>>;

/** What is broken, by promise. */
export function brokenIn(calls: readonly Call[], world: object = {}): Broken {
  const { invariants } = judged(calls, world);
  return Object.fromEntries(PROMISES.map((promise, at) => [promise, invariants[at]?.broken ?? []])) as Broken;
}

function linesOf(calls: readonly Call[]): readonly object[] {
  const known = new Map<string, number>();
  const events = calls.flatMap((call) => [
    { time: call.askedMs, isAnswer: false, call },
    { time: call.answeredMs, isAnswer: true, call },
  ]);
  return events.toSorted((a, b) => a.time - b.time).map(({ time, isAnswer, call }) => {
    const { process, f, key, asks, type = 'ok', shows, answers, order } = call;
    const line = { process, f, key, time };
    if (!isAnswer) return { ...line, type: 'invoke', value: asks };
    if (type !== 'ok') return { ...line, type };
    const value = shows === undefined ? answers : { ...answers, ...shownAs(call, shows, known) };
    return { ...line, type, value, ...(order === undefined ? {} : { order }) };
  });
}

/** Each reading tells its messages whole. */
function shownAs({ key, asks }: Call, shows: readonly Message[], known: Map<string, number>): object {
  const channel = `${key} ${'channel' in asks ? asks.channel : ''}`;
  const before = known.get(channel) ?? 0;
  known.set(channel, before + shows.length);
  return { first: shows, shown: shows.length === 0 ? [] : [[before + 1, before + shows.length]] };
}
