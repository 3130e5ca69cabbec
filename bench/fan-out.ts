// How many players one process can let see each other walk: position fan-out over real sockets.
//
// `main` runs it; the words choose scenarios, each with its own number of players (`towns`) or with a
// given one (`towns:3000`). The server is a process of its own, the players are in this one. A run passes
// when 99 of 100 updates are seen within 100 ms, and 95 of 100 frames that are due come.
// Source of the workload: "position fan-out v1" of docs/benchmarks.md.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSecrets } from '../src/adapters/node/secrets.ts';
import { Generator, type Manner, type Seen } from './fan-out/generator.ts';
import type { ServerOptions, Usage } from './fan-out/server.ts';
import { inSquare, inTowns, type Walk } from './fan-out/walkers.ts';
import { type Row, table } from './spread.ts';

const WARM_UP_MS = 2_500;
const WINDOW_MS = 5_000;
const P99_MS_MAX = 100;
const DELIVERED_MIN = 0.95;
const CURVE = ['500', '1000', '2000', '3000', '4000', '5000'];
/** Idle connections are weighed against each other, so that what a process needs once is in no figure. */
const IDLE_BEFORE = 2_000;
const IDLE_AFTER = 10_000;

interface Scenario {
  readonly players: number;
  readonly tickMs: number;
  readonly sightMetres: number;
  readonly manner: Manner;
  walks(players: number): readonly Walk[];
}

/** So that thirty are in a block of three by three cells of 100 m. */
const public30 = (players: number): readonly Walk[] => inSquare(players, Math.sqrt(3_000 * players));
const scenarios: Readonly<Record<string, Scenario>> = {
  twenty: { players: 1_400, tickMs: 50, sightMetres: 100, manner: 'steady', walks: public30 },
  ten: { players: 2_800, tickMs: 100, sightMetres: 100, manner: 'aligned', walks: public30 },
  'ten-unaligned': { players: 2_800, tickMs: 100, sightMetres: 100, manner: 'steady', walks: public30 },
  towns: { players: 5_000, tickMs: 100, sightMetres: 200, manner: 'reckoned', walks: inTowns },
  square: {
    players: 1_500,
    tickMs: 100,
    sightMetres: 200,
    manner: 'reckoned',
    walks: (players) => inSquare(players, 1_000),
  },
};
const ALL = ['twenty', 'ten', 'ten-unaligned', 'towns', 'square', 'memory'];

export async function benchFanOut(rounds: number, words: readonly string[]): Promise<void> {
  const rows: Row[] = [];
  for (const word of words.length > 0 ? words : ALL) {
    if (word === 'memory') {
      await benchMemory();
      continue;
    }
    const runs = word === 'curve' ? CURVE.map((players) => `towns:${players}`) : [word];
    for (const run of runs) {
      for (let round = 0; round < rounds; round++) {
        const row = await measure(run);
        process.stderr.write(`${JSON.stringify(row)}\n`);
        rows.push(row);
      }
    }
  }
  if (rows.length > 0) process.stdout.write(table(rows, 'one run in each row'));
}

async function measure(word: string): Promise<Row> {
  const [name = '', count = ''] = word.split(':');
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (scenario === undefined) throw new Error(`scenarios are ${ALL.join(', ')} and curve`);
  const players = count === '' ? scenario.players : Number(count);
  const { tickMs, sightMetres, manner } = scenario;
  process.stderr.write(`${name}, ${players} players\n`);
  const server = await Server.start({ kind: 'region', tickMs, sightMetres });
  const { port, secrets } = server;
  const walks = scenario.walks(players);
  const generator = new Generator({ port, secrets, walks, manner, tickMs });
  try {
    await generator.join();
    generator.walk();
    await sleep(WARM_UP_MS);
    const before = await server.usage();
    const ownBefore = process.cpuUsage();
    const machineBefore = machineCpuMs();
    const startMs = performance.now();
    generator.begin();
    await sleep(WINDOW_MS);
    const seen = generator.end();
    const windowMs = performance.now() - startMs;
    const own = process.cpuUsage(ownBefore);
    const after = await server.usage();
    const machineCpu = (machineCpuMs() - machineBefore) / windowMs;
    const ownCpu = (own.user + own.system) / 1_000 / windowMs;
    return rowOf({ word, players, scenario, seen, windowMs, ownCpu, machineCpu, before, after });
  } finally {
    generator.stop();
    await server.stop();
  }
}

interface Run {
  readonly word: string;
  readonly players: number;
  readonly scenario: Scenario;
  readonly seen: Seen;
  readonly windowMs: number;
  readonly ownCpu: number;
  readonly machineCpu: number;
  readonly before: Usage;
  readonly after: Usage;
}

function rowOf(run: Run): Row {
  const { players, seen, scenario, windowMs, before, after } = run;
  const perSecond = (events: number): number => (events / players / windowMs) * 1_000;
  const latencies = [...seen.latenciesMs].sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Infinity;
  const errors = seen.errorsMm;
  const meanMm = errors.reduce((sum, each) => sum + each, 0) / Math.max(1, errors.length);
  const cpu = (after.cpuMs - before.cpuMs) / windowMs;
  const framesPerSecond = perSecond(seen.framesIn);
  // With dead reckoning a tick without news has no frame: only the heartbeat is due.
  const dueHz = scenario.manner === 'reckoned' ? 0 : 1_000 / scenario.tickMs;
  const passes = at(0.99) < P99_MS_MAX && framesPerSecond >= dueHz * DELIVERED_MIN;
  return {
    run: run.word,
    players: String(players),
    'p50 / p99 ms': `${at(0.5).toFixed(0)} / ${at(0.99).toFixed(0)}`,
    'mean error m': (meanMm / 1_000).toFixed(2),
    'in sight': seen.visible.toFixed(0),
    'up/s': perSecond(seen.updatesOut).toFixed(1),
    'down/s': framesPerSecond.toFixed(1),
    'KB/s down': (perSecond(seen.bytesIn) / 1_000).toFixed(1),
    'server CPU': `${(cpu * 100).toFixed(0)} %`,
    'us per player and s': ((cpu * 1e6) / players).toFixed(0),
    'longest turn ms': after.tickMsMax.toFixed(0),
    skipped: String(after.framesSkipped - before.framesSkipped),
    'server MB': (after.residentBytes / 1e6).toFixed(0),
    'players CPU': `${(run.ownCpu * 100).toFixed(0)} %`,
    'others CPU': `${Math.max(0, (run.machineCpu - cpu - run.ownCpu) * 100).toFixed(0)} %`,
    passes: passes ? 'yes' : 'no',
  };
}

/** What all processes of the machine have used: others at work make a run worthless, so it is told. */
function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** What an idle player weighs, beside an idle connection of the WebSocket library alone. */
async function benchMemory(): Promise<void> {
  const rows: Row[] = [];
  for (const kind of ['bare', 'region'] as const) {
    const server = await Server.start({ kind, tickMs: 100, sightMetres: 200 });
    const { port, secrets } = server;
    const walks = inSquare(IDLE_AFTER, 100_000);
    const generator = new Generator({ port, secrets, walks, manner: 'idle', tickMs: 100 });
    const usageWith = async (players: number): Promise<Usage> => {
      if (kind === 'bare') await generator.connect(players);
      else await generator.join(players);
      await sleep(WARM_UP_MS);
      return server.usage(true);
    };
    try {
      const before = await usageWith(IDLE_BEFORE);
      const after = await usageWith(IDLE_AFTER);
      const each = (bytes: number): string => (bytes / (IDLE_AFTER - IDLE_BEFORE) / 1_024).toFixed(1);
      rows.push({
        server: kind === 'bare' ? 'the library alone' : 'gateway and region, entered',
        connections: String(after.connections),
        'KiB resident each': each(after.residentBytes - before.residentBytes),
        'KiB heap each': each(after.heapBytes - before.heapBytes),
        'young generation MB': (after.youngBytes / 1e6).toFixed(0),
      });
    } finally {
      generator.stop();
      await server.stop();
    }
  }
  process.stdout.write(table(rows, 'after a full collection'));
}

class Server {
  readonly port: number;
  readonly secrets: ReturnType<typeof openSecrets>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, key: Uint8Array) {
    this.#child = child;
    this.port = port;
    this.secrets = openSecrets(key);
  }

  static async start(o: Omit<ServerOptions, 'key'>): Promise<Server> {
    const key = randomBytes(32);
    const options: ServerOptions = { ...o, key: key.toString('hex') };
    const child = fork(join(import.meta.dirname, 'fan-out/server.ts'), [JSON.stringify(options)], {
      execArgv: [...process.execArgv, '--expose-gc'],
    });
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new Server(child, message.port, key);
  }

  async usage(collect: boolean = false): Promise<Usage> {
    this.#child.send({ kind: 'usage', collect });
    const [usage] = (await once(this.#child, 'message')) as [Usage];
    return usage;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}
