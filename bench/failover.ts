// How long players notice that the economy's leader is gone, by cause, again and again under load.
//
// The gap is what a client sees: the longest time without any answer that began around the event. The
// cause is undone when answers flow again, and the next event comes when every node is ready again, every
// copy is near the leader's last entry, and a random pause has passed. Causes: `kill` (SIGKILL), `stop`
// (SIGSTOP), `one-way` (nobody hears the leader, it hears all), `cut` (no frame either way, connections
// stand), `disk` (syncs of the leader's journal hang for longer than any timer; needs a C compiler).
import { setTimeout as sleep } from 'node:timers/promises';
import { between, type DirectedFault, HEALTHY, oneWay } from '../src/host/network.ts';
import { type Flow, flowing, gapAround, Kept, readWords } from './gaps.ts';
import { GlobalNodes } from './global-nodes.ts';
import { type Row, table, tail } from './spread.ts';
import { Traders } from './traders.ts';

const PLAYERS = 1_000;
const WRITERS = 16;
const PAUSE_MS = 10;
const FLOW: Flow = { forMs: 150, gapMs: 50 };
const EVENT_MS_MAX = 10_000;
/** Before each event, drawn at random so that no timer is met in step. */
const SETTLE_MS_MIN = 100;
const SETTLE_MS_MAX = 200;
/** The opening of the players' holdings has made the group patient. */
const WARM_MS = 2_000;
const STALL_MS = 600;
const CUT = { ...HEALTHY, cut: 'silent' } as const;

interface Cause {
  readonly name: string;
  begin(world: GlobalNodes, leader: string): void;
  end(world: GlobalNodes, leader: string): void;
}

const CAUSES: readonly Cause[] = [
  {
    name: 'kill',
    begin: (world, leader) => world.kill(leader),
    end: (world, leader) => world.spawn(leader),
  },
  {
    name: 'stop',
    begin: (world, leader) => world.signal(leader, 'SIGSTOP'),
    end: (world, leader) => world.signal(leader, 'SIGCONT'),
  },
  {
    name: 'one-way',
    begin: (world, leader) => lay(world, oneWay([leader], others(world, leader), CUT)),
    end: (world) => void world.network.heal(),
  },
  {
    name: 'cut',
    begin: (world, leader) => lay(world, between([[leader], others(world, leader)], CUT)),
    end: (world) => void world.network.heal(),
  },
  {
    name: 'disk',
    begin: (world, leader) => world.shims?.setDisk(leader, `slow journal ${STALL_MS}\n`),
    end: (world, leader) => world.shims?.setDisk(leader, ''),
  },
];

/**
 * So many events of each cause that is named, or of all. A word with a dot in it is a file that keeps the
 * gaps: the table then also counts those that it held before.
 */
export async function benchFailover(events: number, words: readonly string[]): Promise<void> {
  const { chosen, file } = readWords(words, CAUSES);
  const rows: Row[] = [];
  for (const cause of chosen) {
    const kept = new Kept(file, cause.name);
    const absent = await measure(cause, events, kept);
    const gaps = kept.all().flat();
    rows.push({
      cause: cause.name,
      events: String(gaps.length),
      'gap ms, min / median / p99 / max': absent ?? tail(gaps),
    });
  }
  process.stdout.write(table(rows));
}

/** Keeps the gap of each event in ms; answers why, where the cause can not be had here. */
async function measure(cause: Cause, events: number, kept: Kept): Promise<string | undefined> {
  const world = await GlobalNodes.start({ withShims: cause.name === 'disk' });
  try {
    const absent = world.shims?.absent;
    if (absent !== undefined) return absent;
    const traders = new Traders(world, PLAYERS);
    await traders.open();
    const load = { going: true, answers: new Array<number>() };
    const writers = Array.from({ length: WRITERS }, () => write(traders, load));
    await sleep(WARM_MS);
    for (let event = 1; event <= events; event++) {
      const leader = await world.whole('economy');
      await sleep(SETTLE_MS_MIN + Math.random() * (SETTLE_MS_MAX - SETTLE_MS_MIN));
      // What was answered long ago is no part of any later gap.
      load.answers.splice(0, Math.max(0, load.answers.length - WRITERS));
      const beganMs = performance.now();
      cause.begin(world, leader);
      await flowing([load.answers], { beganMs, flow: FLOW, msMax: EVENT_MS_MAX });
      const gapMs = gapAround(load.answers, beganMs);
      kept.add([gapMs]);
      process.stderr.write(`${cause.name} ${event} of ${events}: ${leader}, ${gapMs.toFixed(0)} ms\n`);
      cause.end(world, leader);
    }
    load.going = false;
    await Promise.all(writers);
    return undefined;
  } finally {
    await world.stop();
  }
}

async function write(
  traders: Traders,
  load: { readonly going: boolean; readonly answers: number[] },
): Promise<void> {
  const trader = traders.trader();
  while (load.going) {
    if ((await traders.trade(trader, 'uniform')) === 'answered') load.answers.push(performance.now());
    await sleep(PAUSE_MS);
  }
}

/** Every node but one, and ourselves, who stand where the gateway `asia` does. */
function others(world: GlobalNodes, leader: string): readonly string[] {
  return world.topology.nodes.map(({ name }) => name).filter((name) => name !== leader);
}

function lay(world: GlobalNodes, links: readonly DirectedFault[]): void {
  world.network.lay('cut', links);
}
