// Elections that nobody forced: how often leadership moves by itself while traders load all five nodes.
//
// Every writer asks again as soon as he is answered. A term that grew is an election; zero is what is wanted.
// When there was one, what the nodes logged tells who stood still then, and for how long.
import { setTimeout as sleep } from 'node:timers/promises';
import { GlobalNodes, type LogLine } from './global-nodes.ts';
import { table } from './spread.ts';
import { Traders } from './traders.ts';

const PLAYERS = 10_000;
const WRITERS = 64;
const LOOK_EVERY_MS = 1_000;
/** Whoever stood still in the time before an election is told with it. */
const BEFORE_MS = 2_000;

export async function benchElections(minutes: number): Promise<void> {
  const world = await GlobalNodes.start();
  try {
    const traders = new Traders(world, PLAYERS);
    await traders.open();
    const groups = world.topology.groups.map(({ name }) => name);
    const before = await terms(world, groups);
    const beganAtMs = Date.now();
    const load = { going: true, answered: 0 };
    const writers = Array.from({ length: WRITERS }, async () => {
      const trader = traders.trader();
      while (load.going) {
        if ((await traders.trade(trader, 'uniform')) === 'answered') load.answered += 1;
      }
    });
    const beganMs = performance.now();
    while (performance.now() - beganMs < minutes * 60_000) await sleep(LOOK_EVERY_MS);
    load.going = false;
    await Promise.all(writers);
    const after = await terms(world, groups);
    const elections = groups.map((group) => (after.get(group) ?? 0) - (before.get(group) ?? 0));
    const row = Object.fromEntries(groups.map((group, place) => [group, `${elections[place]}`]));
    const perSecond = (load.answered * 1_000) / (performance.now() - beganMs);
    process.stdout.write(
      table([{ minutes: `${minutes}`, ...row, 'trades/s': perSecond.toFixed(0) }]),
    );
    process.stdout.write(circumstances(world.logged(beganAtMs), beganAtMs));
  } finally {
    await world.stop();
  }
}

/** A line for each election, and one for each time at which a node stood still shortly before one. */
function circumstances(lines: readonly LogLine[], beganAtMs: number): string {
  const elections = lines.filter(({ event }) => event === 'elected').map(({ atMs }) => atMs);
  const told = lines.filter(({ event, atMs }) => {
    const isNear = elections.some((ms) => atMs > ms - BEFORE_MS && atMs <= ms);
    return event === 'elected' || (event === 'stood-still' && isNear);
  });
  return told
    .map(({ atMs, node, event, facts }) => {
      return `${((atMs - beganAtMs) / 1_000).toFixed(3)} s  ${node}  ${event} ${JSON.stringify(facts)}\n`;
    })
    .join('');
}

async function terms(world: GlobalNodes, groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const all = await Promise.all(groups.map((group) => world.group(group)));
  const highest = (place: number): number => Math.max(0, ...(all[place] ?? []).map(({ term }) => term));
  return new Map(groups.map((group, place) => [group, highest(place)]));
}
