// How long players notice the death of the economy's leader: SIGKILL under load, again and again.
//
// The gap is what a client sees: from the last answer before the kill to the first one after it. The
// killed node is started again and has caught up before the next kill.
import { setTimeout as sleep } from 'node:timers/promises';
import { GlobalNodes } from './global-nodes.ts';
import { spread, table } from './spread.ts';
import { Traders } from './traders.ts';

const PLAYERS = 1_000;
const WRITERS = 16;
const PAUSE_MS = 10;
const BETWEEN_MS = 1_500;

export async function benchFailover(kills: number): Promise<void> {
  const world = await GlobalNodes.start();
  try {
    const traders = new Traders(world, PLAYERS);
    await traders.open();
    const answers: number[] = [];
    const load = { going: true, asked: 0 };
    const writers = Array.from({ length: WRITERS }, async () => {
      const trader = traders.trader();
      while (load.going) {
        load.asked += 1;
        if ((await traders.trade(trader, 'uniform')) === 'answered') answers.push(performance.now());
        await sleep(PAUSE_MS);
      }
    });
    const gaps: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(BETWEEN_MS);
      const leader = await world.leaderOf('economy');
      world.kill(leader);
      const killedMs = performance.now();
      await sleep(BETWEEN_MS);
      gaps.push(gapAround(answers, killedMs));
      process.stderr.write(`kill ${kill} of ${kills}: ${leader}, ${gaps.at(-1)?.toFixed(0)} ms\n`);
      world.spawn(leader);
      await world.ready();
    }
    load.going = false;
    await Promise.all(writers);
    const row = { what: `${kills} kills`, 'gap ms': spread(gaps), answered: `${answers.length}` };
    process.stdout.write(table([{ ...row, asked: `${load.asked}` }]));
  } finally {
    await world.stop();
  }
}

/** The longest time without an answer that began at most 50 ms before the kill or after it. */
function gapAround(answers: readonly number[], killedMs: number): number {
  let longest = 0;
  for (let i = 1; i < answers.length; i++) {
    const from = answers[i - 1] ?? 0;
    const to = answers[i] ?? 0;
    if (to < killedMs || from > killedMs + BETWEEN_MS) continue;
    longest = Math.max(longest, to - from);
  }
  return longest;
}
