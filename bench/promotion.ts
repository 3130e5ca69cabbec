// How long players notice that the primary of their region is gone, and whether anything acknowledged is.
//
// A world of real processes; players stand in `eu` and are connected to another node's gateway. Some chat,
// one walks and another one watches him. The gap is what they see: the longest time without an answer, and
// without a frame, that ended after the event. The cause is undone when both flow again, and the next event
// comes when every node is up and trusted, every copy is level, and a random pause has passed. Causes: `kill`
// (SIGKILL), `stop` (SIGSTOP), `cut` (no frame passes to or from the primary, connections stand), `move` (it
// hands its region over in order, as it does for an operator and when a region goes home). What a majority
// acknowledged within the last second before the event is looked for in the history afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askControl } from '../src/adapters/node/control.ts';
import { type Client, connect } from '../src/client/index.ts';
import { HEALTHY } from '../src/host/network.ts';
import type { Answer, Question } from '../src/host/operator.ts';
import type { NodeView, RegionView, WorldView } from '../src/host/view.ts';
import { seedTopology } from '../src/services/topology/topology.ts';
import { SAY_PACE } from '../src/world/features/chat.ts';
import { type Flow, flowing, gapAround, Kept, readWords } from './gaps.ts';
import { type Row, table, tail } from './spread.ts';

const BASE_PORT = 17_800;
const REGION = 'eu';
/** It holds no copy of the region, so that it lives through all that happens to it. */
const GATEWAY = 'na-west';
/** To and fro between them when it is moved. */
const HEIRS = ['eu', 'asia'];
const CHATTERS = 8;
const RECENT_MS = 1_000;
const STEP_MS = 50;
/** Two motion frames at a time may be late, on a machine that is busy with a start. */
const FLOW: Flow = { forMs: 1_000, gapMs: 250 };
const EVENT_MS_MAX = 15_000;
/** Before each event, drawn at random so that no timer is met in step. */
const SETTLE_MS_MIN = 300;
const SETTLE_MS_MAX = 1_300;
const PARIS = { lat: 488_566_000, lon: 23_522_000 };
const CUT = { ...HEALTHY, cut: 'silent' } as const;

interface World {
  ask(question: Question): Promise<Answer | undefined>;
}

interface Cause {
  readonly name: string;
  begin(world: World, primary: NodeView): unknown;
  end(world: World, primary: NodeView): unknown;
}

const CAUSES: readonly Cause[] = [
  {
    name: 'kill',
    begin: (_, primary) => signal(primary, 'SIGKILL'),
    // The supervisor starts it again.
    end: () => {},
  },
  {
    name: 'stop',
    begin: (_, primary) => signal(primary, 'SIGSTOP'),
    end: (_, primary) => signal(primary, 'SIGCONT'),
  },
  {
    name: 'cut',
    begin: (world, { name }) => world.ask({ kind: 'partition', sides: `${name} / rest`, fault: CUT }),
    end: (world) => world.ask({ kind: 'heal' }),
  },
  {
    name: 'move',
    begin: (world, { name }) => {
      const node = HEIRS.find((heir) => heir !== name) ?? name;
      return world.ask({ kind: 'promote', region: REGION, node, acceptLoss: false });
    },
    end: () => {},
  },
];

interface Seen {
  readonly answers: number[];
  readonly frames: number[];
  readonly acknowledged: { readonly text: string; readonly atMs: number }[];
  isOver: boolean;
}

/**
 * So many events of each cause that is named, or of all. A word with a dot in it is a file that keeps what
 * was seen: the table then also counts the events that it held before.
 */
export async function benchPromotion(events: number, words: readonly string[]): Promise<void> {
  const { chosen, file } = readWords(words, CAUSES);
  const rows: Row[] = [];
  for (const cause of chosen) {
    const kept = new Kept(file, cause.name);
    await measure(cause, events, kept);
    const all = kept.all();
    const column = (place: number): number[] => all.map((figures) => figures[place] ?? Number.NaN);
    const sum = (figures: readonly number[]): string => String(figures.reduce((a, b) => a + b, 0));
    rows.push({
      cause: cause.name,
      events: String(all.length),
      'chat: gap ms, min / median / p99 / max': tail(column(0)),
      'motion: gap ms, min / median / p99 / max': tail(column(1)),
      'acknowledged and missing': sum(column(2)),
      'entries lost': sum(column(3)),
    });
  }
  process.stdout.write(table(rows));
}

/** Keeps of each event: the gaps of chat and motion in ms, messages missing, entries that it cost. */
async function measure(cause: Cause, events: number, kept: Kept): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-bench-'));
  const data = join(folder, 'world');
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  const args = ['up', '--port', String(BASE_PORT), '--data', data];
  const supervisor = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: 'ignore' });
  const world: World = {
    ask: async (question) => {
      const reply = await askControl(data, question);
      return reply.kind === 'answered' ? (reply.answer as Answer) : undefined;
    },
  };
  const clients: Client[] = [];
  try {
    await whole(world);
    const seen: Seen = { answers: [], frames: [], acknowledged: [], isOver: false };
    const { ended } = await play(clients, seen);
    process.stderr.write(`${cause.name}: the players are in the world\n`);
    for (let event = 1; event <= events; event++) {
      const figures = await strike(world, cause, { seen, client: clients[0] });
      kept.add(figures);
      const [chat, motion] = figures.map((figure) => figure.toFixed(0));
      process.stderr.write(`${cause.name} ${event} of ${events}: chat ${chat} ms, motion ${motion} ms\n`);
    }
    seen.isOver = true;
    await ended;
  } finally {
    for (const client of clients) client.close();
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function strike(
  world: World,
  cause: Cause,
  { seen, client }: { readonly seen: Seen; readonly client: Client | undefined },
): Promise<readonly number[]> {
  const { answers, frames } = seen;
  const before = await whole(world);
  await sleep(SETTLE_MS_MIN + Math.random() * (SETTLE_MS_MAX - SETTLE_MS_MIN));
  // What came long ago is no part of any later gap.
  for (const times of [answers, frames]) times.splice(0, Math.max(0, times.length - 1));
  const primary = primaryIn(before);
  const beganMs = performance.now();
  await cause.begin(world, primary);
  await flowing([answers, frames], { beganMs, flow: FLOW, msMax: EVENT_MS_MAX });
  const gaps = [answers, frames].map((times) => gapAround(times, beganMs));
  const missing = await lostAmong(client, seen, beganMs);
  await cause.end(world, primary);
  const after = await whole(world);
  // Only of the latest appointments is it remembered what they cost.
  const cost = Math.max(0, regionIn(after).lost - regionIn(before).lost);
  return [...gaps, missing, cost];
}

/** Players come and begin; resolves when they have, and `ended` when they were told to stop. */
async function play(clients: Client[], seen: Seen): Promise<{ readonly ended: Promise<unknown> }> {
  const port = seedTopology({ world: 'any', basePort: BASE_PORT }).nodes.find(
    ({ name }) => name === GATEWAY,
  )?.httpPort;
  for (let place = 0; place < CHATTERS + 1; place++) {
    const client = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
    clients.push(client);
    const who = { name: `player-${place}`, password: 'long enough' };
    const outcome = await client.register(who);
    if (outcome.kind !== 'done') throw new Error(`no account: ${JSON.stringify(outcome)}`);
    const at = { lat: PARIS.lat + place * 300, lon: PARIS.lon };
    const entered = await client.enter(at);
    if (entered.kind !== 'done') throw new Error(`not in the world: ${JSON.stringify(entered)}`);
  }
  const [watcher, ...others] = clients;
  watcher?.onMotion(({ kind }) => {
    if (kind !== 'out') seen.frames.push(performance.now());
  });
  const chats = others.map((client, place) => chat(client, place, seen));
  return { ended: Promise.all([walk(others.at(-1), seen), ...chats]) };
}

/** Talks once a second; in between he gathers, which the primary may well refuse: an answer all the same. */
async function chat(client: Client, place: number, seen: Seen): Promise<void> {
  let talksAtMs = 0;
  for (let number = 1; !seen.isOver; number++) {
    const text = `${place} says ${number}`;
    const talks = performance.now() >= talksAtMs;
    if (talks) talksAtMs = performance.now() + SAY_PACE.everyMs;
    const outcome = talks
      ? await client.call('chat.say', { channel: 'region', text })
      : await client.call('crafting.gather', { material: 'wood' }, { ack: 'quorum' });
    if (outcome.kind === 'done' || outcome.kind === 'rejected') seen.answers.push(performance.now());
    if (talks && outcome.kind === 'done') seen.acknowledged.push({ text, atMs: performance.now() });
    await sleep(STEP_MS);
  }
}

/** Back and forth, so that no prediction holds for long and every tick has something to tell. */
async function walk(client: Client | undefined, seen: Seen): Promise<void> {
  for (let step = 0; !seen.isOver; step++) {
    const metres = Math.abs((step % 8) - 4);
    client?.moveTo({ lat: PARIS.lat + 3_000 + metres * 20, lon: PARIS.lon });
    await sleep(STEP_MS);
  }
}

/** How many of the messages that were acknowledged just before the event are not in the history. */
async function lostAmong(client: Client | undefined, seen: Seen, beganMs: number): Promise<number> {
  const recent = seen.acknowledged.filter(({ atMs }) => atMs > beganMs - RECENT_MS && atMs < beganMs);
  seen.acknowledged.length = 0;
  const outcome = await client?.call('chat.history', { channel: 'region' });
  if (outcome?.kind !== 'done') return Number.NaN;
  const texts = new Set(outcome.value.map(({ text }) => text));
  return recent.filter(({ text }) => !texts.has(text)).length;
}

function signal({ pid, name }: NodeView, word: NodeJS.Signals): void {
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, word);
}

/** Looks until every node is up and trusted, and every copy of every region is level. */
async function whole(world: World): Promise<WorldView> {
  for (;;) {
    const answer = await world.ask({ kind: 'status' });
    if (answer?.kind === 'status' && isWhole(answer.view)) return answer.view;
    await sleep(200);
  }
}

function isWhole({ regions, nodes }: WorldView): boolean {
  const isLevel = ({ isSought, copies }: RegionView): boolean =>
    !isSought && copies.every(({ isHealthy }) => isHealthy);
  const isSound = ({ kind, condition, standing }: NodeView): boolean =>
    condition === 'up' && (kind === 'global' || standing === 'trusted');
  return regions.every(isLevel) && nodes.every(isSound);
}

function regionIn({ regions }: WorldView): RegionView {
  const found = regions.find(({ region }) => region === REGION);
  if (found === undefined) throw new Error(`there is no region ${REGION}`);
  return found;
}

function primaryIn(view: WorldView): NodeView {
  const { primary } = regionIn(view);
  const found = view.nodes.find(({ name }) => name === primary);
  if (found === undefined) throw new Error(`${REGION} has no primary`);
  return found;
}
