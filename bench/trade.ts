// Trades per second and their latency: five replicas, every commit on a majority of real disks.
import { GlobalNodes } from './global-nodes.ts';
import { table, type Row, spread } from './spread.ts';
import { type Draw, Traders } from './traders.ts';

const PLAYERS = 100_000;
const WARM_UP_MS = 400;
const WINDOW_MS = 2_000;

export async function benchTrade(rounds: number): Promise<void> {
  const world = await GlobalNodes.start();
  try {
    const traders = new Traders(world, PLAYERS);
    process.stderr.write(`opening the holdings of ${PLAYERS} players\n`);
    await traders.open();
    const rows: Row[] = [];
    for (const [clients, draw] of [
      [1, 'uniform'],
      [16, 'uniform'],
      [64, 'uniform'],
      [64, 'hot'],
      [512, 'uniform'],
    ] as const) {
      const runs: Window[] = [];
      for (let round = 0; round < rounds; round++) {
        process.stderr.write(`${clients} clients, ${draw}, round ${round + 1} of ${rounds}\n`);
        runs.push(await window(traders, clients, draw));
      }
      rows.push({
        what: `${clients} clients, ${draw}`,
        'applied/s': spread(runs.map((run) => run.perSecond)),
        'p50 ms': spread(runs.map((run) => run.p50)),
        'p99 ms': spread(runs.map((run) => run.p99)),
        'not done': spread(runs.map((run) => run.notDone)),
      });
    }
    process.stdout.write(table(rows));
    const sizes = (await world.group('economy')).map(({ rss }) => Math.round(rss / 1e6));
    process.stdout.write(`resident MB with ${PLAYERS} players: ${sizes.join(' ')}\n`);
  } finally {
    await world.stop();
  }
}

interface Window {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly notDone: number;
}

async function window(traders: Traders, clients: number, draw: Draw): Promise<Window> {
  const beginMs = performance.now() + WARM_UP_MS;
  const endMs = beginMs + WINDOW_MS;
  const latencies: number[] = [];
  let notDone = 0;
  const client = async (): Promise<void> => {
    const trader = traders.trader();
    for (;;) {
      const askedMs = performance.now();
      if (askedMs >= endMs) return;
      const kind = await traders.trade(trader, draw);
      const nowMs = performance.now();
      if (nowMs < beginMs || nowMs >= endMs) continue;
      if (kind === 'answered') latencies.push(nowMs - askedMs);
      else notDone += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const perSecond = latencies.length / (WINDOW_MS / 1000);
  return { perSecond, p50: at(0.5), p99: at(0.99), notDone };
}
