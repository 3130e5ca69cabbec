// How long a world takes from the command to all nine nodes ready, and what an idle node weighs.
//
// Each round starts a new world in a folder of its own, lets it idle, asks every node for its resident
// memory, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../src/host/report.ts';
import { seedTopology } from '../src/services/topology/topology.ts';
import type { NodeStatus } from '../src/wire/status.ts';
import { spread, table } from './spread.ts';

const BASE_PORT = 17_600;
const IDLE_MS = 8_000;
const RUN = '10s';

interface Round {
  readonly startMs: number;
  readonly statuses: readonly NodeStatus[];
}

export async function benchStart(rounds: number): Promise<void> {
  const all: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    all.push(await startOnce());
    process.stderr.write(`start ${round} of ${rounds}: ${all.at(-1)?.startMs} ms\n`);
  }
  const megabytes = (kind: NodeStatus['kind']): number[] =>
    all.flatMap(({ statuses }) =>
      statuses.filter((status) => status.kind === kind).map((status) => status.residentBytes / 1e6),
    );
  const rows = [
    { what: 'start to ready, nine nodes, ms', figures: spread(all.map(({ startMs }) => startMs)) },
    { what: 'resident MB of an idle global node', figures: spread(megabytes('global')) },
    { what: 'resident MB of an idle region node', figures: spread(megabytes('region')) },
  ];
  process.stdout.write(table(rows));
}

async function startOnce(): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-bench-'));
  try {
    const main = join(import.meta.dirname, '../src/cli/main.ts');
    const words = ['up', '--for', RUN, '--json', '--port', String(BASE_PORT)];
    const data = ['--data', join(folder, 'world')];
    const child = spawn(process.execPath, [...process.execArgv, main, ...words, ...data], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const output = text(child.stdout);
    await sleep(IDLE_MS);
    const statuses = await Promise.all(
      seedTopology({ world: 'any', basePort: BASE_PORT }).nodes.map(async ({ host, httpPort }) => {
        const response = await fetch(`http://${host}:${httpPort}/v1/status`);
        return (await response.json()) as NodeStatus;
      }),
    );
    await once(child, 'exit');
    const report = JSON.parse((await output).trimEnd().split('\n').at(-1) ?? '') as Report;
    return { startMs: report.startMs, statuses };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
