// How long players notice that the primary of their region is gone, and whether anything acknowledged is.
//
// A world of real processes; players stand in `eu` and are connected to another node's gateway. Some chat,
// one walks and another one watches him. The gap is what they see: the longest time without an answer, and
// without a frame, that ended after the event. Causes: `kill` (SIGKILL), `stop` (SIGSTOP). What a majority
// acknowledged within the last second before the event is looked for in the history afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askControl } from '../src/adapters/node/control.ts';
import { type Client, connect } from '../src/client/index.ts';
import type { Answer } from '../src/host/operator.ts';
import type { RegionView, WorldView } from '../src/host/view.ts';
import { seedTopology } from '../src/services/topology.ts';
import { type Row, table, tail } from './spread.ts';

const BASE_PORT = 17_800;
const REGION = 'eu';
/** It holds no copy of the region, so that it lives through all that happens to it. */
const GATEWAY = 'na-west';
const CHATTERS = 8;
const BETWEEN_MS = 2_000;
const RECENT_MS = 1_000;
const STEP_MS = 50;
const PARIS = { lat: 488_566_000, lon: 23_522_000 };
const WATCHED_MS: Readonly<Record<string, number>> = { kill: 3_000, stop: 10_000 };

interface Seen {
  readonly answers: number[];
  readonly frames: number[];
  readonly acknowledged: { readonly text: string; readonly atMs: number }[];
  isOver: boolean;
}

/** So many events of each cause that is named, or of both. */
export async function benchPromotion(events: number, names: readonly string[]): Promise<void> {
  const rows: Row[] = [];
  for (const cause of ['kill', 'stop'] as const) {
    if (names.length === 0 || names.includes(cause)) rows.push(await measure(cause, events));
  }
  process.stdout.write(table(rows));
}

async function measure(cause: 'kill' | 'stop', events: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-bench-'));
  const data = join(folder, 'world');
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  const words = ['up', '--port', String(BASE_PORT), '--data', data];
  const world = spawn(process.execPath, [...process.execArgv, main, ...words], { stdio: 'ignore' });
  const clients: Client[] = [];
  try {
    await until(data, ({ regions }) => regions.every(isSettled));
    process.stderr.write(`${cause}: the world is ready\n`);
    const seen: Seen = { answers: [], frames: [], acknowledged: [], isOver: false };
    const { ended } = await play(clients, seen);
    process.stderr.write(`${cause}: the players are in it\n`);
    const [chat, motion]: [number[], number[]] = [[], []];
    let missing = 0;
    for (let event = 1; event <= events; event++) {
      await sleep(BETWEEN_MS);
      for (const times of [seen.answers, seen.frames]) times.splice(0, Math.max(0, times.length - 1));
      const primary = await primaryOf(data);
      const beganMs = performance.now();
      process.kill(primary.pid, cause === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      await sleep(WATCHED_MS[cause] ?? 0);
      chat.push(gapAround(seen.answers, beganMs));
      motion.push(gapAround(seen.frames, beganMs));
      missing += await lostAmong(clients[0], seen, beganMs);
      if (cause === 'stop') process.kill(primary.pid, 'SIGCONT');
      const gaps = `chat ${chat.at(-1)?.toFixed(0)} ms, motion ${motion.at(-1)?.toFixed(0)} ms`;
      process.stderr.write(`${cause} ${event} of ${events}: ${primary.name}, ${gaps}\n`);
      await until(data, ({ regions, nodes }) => {
        return regions.every(isSettled) && nodes.every(({ condition }) => condition === 'up');
      });
    }
    seen.isOver = true;
    await ended;
    const lost = (await viewOf(data))?.regions.find(({ region }) => region === REGION)?.lost ?? 0;
    return {
      cause,
      events: String(events),
      'chat: gap ms, min / median / p99 / max': tail(chat),
      'motion: gap ms, min / median / p99 / max': tail(motion),
      'acknowledged and missing': String(missing),
      'entries set aside': String(lost),
    };
  } finally {
    for (const client of clients) client.close();
    world.kill('SIGTERM');
    await once(world, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
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

async function chat(client: Client, place: number, seen: Seen): Promise<void> {
  for (let number = 1; !seen.isOver; number++) {
    const text = `${place} says ${number}`;
    const outcome = await client.call('chat.say', { channel: 'region', text });
    const isDone = outcome.kind === 'done';
    // Who speaks too fast is told so by the primary: an answer like any other.
    const isTooFast = outcome.kind === 'rejected' && outcome.reason === 'too-fast';
    if (isDone || isTooFast) seen.answers.push(performance.now());
    if (isDone) seen.acknowledged.push({ text, atMs: performance.now() });
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

/** The longest time without one that ended after the event; all of the rest if none came. */
function gapAround(times: readonly number[], beganMs: number): number {
  const ends = [...times, performance.now()];
  let longest = 0;
  for (let i = 1; i < ends.length; i++) {
    const [from = 0, to = 0] = [ends[i - 1], ends[i]];
    if (to >= beganMs) longest = Math.max(longest, to - from);
  }
  return longest;
}

function isSettled({ isSought, primary, copies }: RegionView): boolean {
  return !isSought && primary !== undefined && copies.every(({ isHealthy }) => isHealthy);
}

async function primaryOf(data: string): Promise<{ readonly name: string; readonly pid: number }> {
  const view = await until(data, ({ regions }) => regions.every(isSettled));
  const name = view.regions.find(({ region }) => region === REGION)?.primary;
  const pid = view.nodes.find((node) => node.name === name)?.pid;
  if (name === undefined || pid === undefined) throw new Error(`${REGION} has no primary that runs`);
  return { name, pid };
}

async function viewOf(data: string): Promise<WorldView | undefined> {
  const reply = await askControl(data, { kind: 'status' });
  if (reply.kind !== 'answered') return undefined;
  const answer = reply.answer as Answer;
  return answer.kind === 'status' ? answer.view : undefined;
}

async function until(data: string, wanted: (view: WorldView) => boolean): Promise<WorldView> {
  for (;;) {
    const view = await viewOf(data);
    if (view !== undefined && wanted(view)) return view;
    await sleep(200);
  }
}
