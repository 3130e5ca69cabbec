// Chat: what players say to their region and to the whole world.
//
// Players ask. Promise: regional. A channel of the region is a part of the region's log. On the world
// channel each region orders what is said in it, and tells the others by events; everybody shows all of
// it by time, then region, then number. So a region that is cut off talks on, and once it is heard again
// all regions show the same.
// 1. What one region says on the world channel is seen everywhere in the order in which it was said.
// 2. Bounded: the newest `CHAT_HISTORY_MAX` messages of each channel, of each region on the world's.
// 3. A player says so much in so long, by the log's time, and no more.
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CowMap } from '../../base/cow-map.ts';
import { CorruptionError, type Decision, done, rejected } from '../../base/errors.ts';
import { earlyMs, type Pace, paidAfter } from '../../base/pace.ts';
import { loadedInSlices, type Loading, savedMap, type Slices } from '../../base/slices.ts';
import type { EventShape } from '../../wire/events.ts';
import {
  CHAT_HISTORY_MAX,
  chatHistory,
  type ChatMessage,
  chatMessage,
  type Said,
  say,
  type Say,
} from '../../wire/regional-calls.ts';
import {
  atPace,
  command,
  type CommandContext,
  type EventContext,
  type Feature,
  query,
  taker,
} from '../feature.ts';

export const REGION_CHANNEL = 'region';
export const WORLD_CHANNEL = 'world';
export const SAY_PACE: Pace = { everyMs: 1_000, burst: 5 };
/** Players who spoke a moment ago; beyond it nobody else may until some have been silent. */
const SPEAKERS_MAX = 100_000;

type History = readonly ChatMessage[];

export interface Chat {
  region: History;
  /** By the number of the region that it was said in, this one's among them. */
  readonly world: Map<number, History>;
  /**
   * When each player will have paid for what he said, at `SAY_PACE`. Who has paid is forgotten; the
   * order is that of their last messages.
   */
  readonly paidAtMs: CowMap<number, number>;
}

/** Between regions: what one says on the world channel. */
export const chatHeard: EventShape<ChatMessage> = { name: 'chat.heard', args: chatMessage };

export const chat: Feature<Chat> = {
  name: 'chat',
  promise: 'regional',
  version: 1,
  needs: [],
  commands: { say: atPace(SAY_PACE, command('player', say, applySay)) },
  queries: {
    history: query('player', chatHistory, (state: Chat, { channel }) => {
      if (channel === REGION_CHANNEL) return done(state.region);
      return channel === WORLD_CHANNEL ? done(merged(state.world)) : rejected('unknown-channel');
    }),
  },
  events: [taker(chatHeard, hear)],
  create: () => ({ region: [], world: new Map(), paidAtMs: new CowMap() }),
  advance() {},
  save,
  load,
  slices,
};

function applySay(
  state: Chat,
  { channel, text }: Say,
  context: CommandContext,
): Decision<Said, 'unknown-channel' | 'too-fast'> {
  if (channel !== REGION_CHANNEL && channel !== WORLD_CHANNEL) return rejected('unknown-channel');
  const { player, order: number, nowMs: timeMs, here, tellRegion, emit } = context;
  if (!maySpeak(state.paidAtMs, player, timeMs)) return rejected('too-fast');
  const message: ChatMessage = { channel, region: here.name, number, player, text, timeMs };
  if (channel === REGION_CHANNEL) {
    state.region = lengthened(state.region, message);
  } else {
    remember(state.world, here.number, message);
    // Who is away for long misses the oldest, which he could not show in his history any more.
    for (const to of here.otherRegions) emit(chatHeard, message, { to, keep: 'latest' });
  }
  tellRegion('chat', message);
  return done({ region: message.region, number, timeMs });
}

function hear(state: Chat, message: ChatMessage, { origin, tellRegion }: EventContext): void {
  remember(state.world, origin, message);
  tellRegion('chat', message);
}

function maySpeak(paidAtMs: CowMap<number, number>, player: number, nowMs: number): boolean {
  for (const [speaker, paid] of paidAtMs) {
    if (paid > nowMs) break;
    paidAtMs.delete(speaker);
  }
  const known = paidAtMs.get(player);
  if (known === undefined && paidAtMs.size >= SPEAKERS_MAX) return false;
  if (earlyMs(SAY_PACE, known ?? 0, nowMs) > 0) return false;
  paidAtMs.delete(player);
  paidAtMs.set(player, paidAfter(SAY_PACE, known ?? 0, nowMs));
  return true;
}

function remember(world: Map<number, History>, origin: number, message: ChatMessage): void {
  world.set(origin, lengthened(world.get(origin) ?? [], message));
}

function lengthened(history: History, message: ChatMessage): History {
  return [...history.slice(-(CHAT_HISTORY_MAX - 1)), message];
}

/** What everyone shows, whatever arrived in which order. */
function merged(world: ReadonlyMap<number, History>): History {
  return [...world.values()].flat().sort(byTime).slice(-CHAT_HISTORY_MAX);
}

function byTime(a: ChatMessage, b: ChatMessage): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs;
  if (a.region !== b.region) return a.region < b.region ? -1 : 1;
  return a.number - b.number;
}

function save(state: Chat, writer: ByteWriter): void {
  saveChannels(state, writer);
  writer.varint(state.paidAtMs.size);
  for (const entry of state.paidAtMs) savePaid(writer, entry);
}

/** The channels are short; speakers may be many. */
function* slices(state: Chat): Slices {
  const writer = new ByteWriter();
  saveChannels(state, writer);
  return yield* savedMap(writer, state.paidAtMs, savePaid);
}

function saveChannels({ region, world }: Chat, writer: ByteWriter): void {
  saveHistory(region, writer);
  writer.varint(world.size);
  for (const [origin, history] of world) {
    writer.varint(origin);
    saveHistory(history, writer);
  }
}

function savePaid(writer: ByteWriter, [player, atMs]: readonly [number, number]): void {
  writer.varint(player).varint(atMs);
}

function* load(reader: ByteReader): Loading<Chat> {
  const state: Chat = { region: loadHistory(reader), world: new Map(), paidAtMs: new CowMap() };
  const origins = reader.varint();
  for (let i = 0; i < origins; i++) {
    const origin = reader.varint();
    if (state.world.has(origin)) throw new CorruptionError(`region ${origin} is saved twice`);
    state.world.set(origin, loadHistory(reader));
  }
  yield* loadedInSlices(reader, reader.varint(), () => {
    state.paidAtMs.set(reader.varint(), reader.varint());
  });
  return state;
}

function saveHistory(history: History, writer: ByteWriter): void {
  writer.varint(history.length);
  for (const message of history) chatMessage.encode(writer, message);
}

function loadHistory(reader: ByteReader): History {
  const count = reader.varint();
  if (count > CHAT_HISTORY_MAX) throw new CorruptionError(`a channel of ${count} messages is saved`);
  return Array.from({ length: count }, () => chatMessage.decode(reader));
}
