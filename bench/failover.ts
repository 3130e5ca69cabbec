// How long players notice that the economy's leader is gone, by cause, again and again under load.
//
// The gap is what a client sees: the longest time without an answer that began around the event. Whatever was
// done is undone, and the node has caught up, before the next event. Causes: `kill` (SIGKILL), `stop`
// (SIGSTOP), `one-way` (nobody hears the leader, it hears all), `cut` (no frame either way, connections
// stand), `disk` (a sync of the leader's journal takes 1.5 s; needs a C compiler).
import { setTimeout as sleep } from 'node:timers/promises';
import { between, type DirectedFault, HEALTHY, oneWay } from '../src/host/network.ts';
import { GlobalNodes } from './global-nodes.ts';
import { type Row, table, tail } from './spread.ts';
import { Traders } from './traders.ts';

const PLAYERS = 1_000;
const WRITERS = 16;
const PAUSE_MS = 10;
const BETWEEN_MS = 1_200;
const STALL_MS = 1_500;
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

/** So many events of each cause that is named, or of all. */
export async function benchFailover(events: number, names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !CAUSES.some((cause) => cause.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no cause "${unknown}": name ${CAUSES.map(({ name }) => name).join(', ')}`);
  }
  const rows: Row[] = [];
  for (const cause of CAUSES) {
    if (names.length > 0 && !names.includes(cause.name)) continue;
    rows.push(await measure(cause, events));
  }
  process.stdout.write(table(rows));
}

async function measure(cause: Cause, events: number): Promise<Row> {
  const world = await GlobalNodes.start({ withShims: cause.name === 'disk' });
  try {
    const absent = world.shims?.absent;
    if (absent !== undefined) return { cause: cause.name, 'gap ms, min / median / p99 / max': absent };
    const traders = new Traders(world, PLAYERS);
    await traders.open();
    const load = { going: true, answers: new Array<number>() };
    const writers = Array.from({ length: WRITERS }, () => write(traders, load));
    const gaps: number[] = [];
    for (let event = 1; event <= events; event++) {
      await sleep(BETWEEN_MS);
      // What was answered long ago is no part of any later gap.
      load.answers.splice(0, Math.max(0, load.answers.length - WRITERS));
      const leader = await world.leaderOf('economy');
      const beganMs = performance.now();
      cause.begin(world, leader);
      await sleep(BETWEEN_MS);
      gaps.push(gapAround(load.answers, beganMs));
      process.stderr.write(`${cause.name} ${event} of ${events}: ${leader}, ${gaps.at(-1)?.toFixed(0)} ms\n`);
      cause.end(world, leader);
      await world.ready();
    }
    load.going = false;
    await Promise.all(writers);
    return { cause: cause.name, events: String(events), 'gap ms, min / median / p99 / max': tail(gaps) };
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

/** The longest time without an answer that ended after the event; all of the rest if none came. */
function gapAround(answers: readonly number[], beganMs: number): number {
  const endMs = performance.now();
  let longest = 0;
  for (let i = 0; i < answers.length; i++) {
    const from = answers[i] ?? 0;
    const to = answers[i + 1] ?? endMs;
    if (to >= beganMs) longest = Math.max(longest, to - from);
  }
  return longest;
}
