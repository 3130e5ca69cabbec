// How often witnesses doubt a node that lives, in a world of real processes under load.
//
// Nobody is killed or stopped: whatever a witness says but `trusted`, once the world has settled, is an error
// of its own or of a machine that gave a process no time. `detection.ts` has the same in virtual time, with
// weather that can be chosen. The players of the crowd are the load, with what else the machine does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askControl } from '../src/adapters/node/control.ts';
import { seedTopology } from '../src/services/topology/topology.ts';
import { spread, table } from './spread.ts';

const BASE_PORT = 17_900;
const PLAYERS = 200;
/** A node that was starting when a witness first looked is trusted after five calm seconds. */
const SETTLE_MS = 15_000;
const LOOK_EVERY_MS = 1_000;

/** Counts for so many minutes. */
export async function benchSuspicions(minutes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-bench-'));
  const data = join(folder, 'world');
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  const args = ['up', '--players', String(PLAYERS), '--port', String(BASE_PORT), '--data', data];
  const supervisor = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: 'ignore' });
  try {
    while ((await askControl(data, { kind: 'status' })).kind !== 'answered') await sleep(LOOK_EVERY_MS);
    await sleep(SETTLE_MS);
    const loads: number[] = [];
    const fromMs = Date.now();
    while (Date.now() < fromMs + minutes * 60_000) {
      await sleep(LOOK_EVERY_MS);
      loads.push(loadavg()[0] ?? Number.NaN);
    }
    const { nodes } = seedTopology({ world: 'any' });
    const witnesses = nodes.filter(({ kind }) => kind === 'global');
    const words = witnesses.flatMap(({ name }) => wordsIn(join(data, name, 'log.jsonl'), fromMs));
    const perHour = (word: string): string => {
      const count = words.filter((each) => each === word).length;
      return `${count} (${((count * 60) / minutes).toFixed(0)} an hour)`;
    };
    process.stdout.write(
      table([
        {
          minutes: String(minutes),
          'witnesses, nodes': `${witnesses.length}, ${nodes.length - witnesses.length}`,
          'load average': spread(loads),
          'said suspected': perHour('suspected'),
          'said failed': perHour('failed'),
        },
      ]),
    );
  } finally {
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the witness newly said of any node since then, a word for each time. */
function wordsIn(log: string, sinceMs: number): readonly string[] {
  const before = new Map<string, string>();
  const said: string[] = [];
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    const { event, time, facts } = JSON.parse(line) as Line;
    if (event !== 'witness-states') continue;
    for (const opinion of facts.opinions) {
      const [node = '', word = ''] = opinion.split(' ');
      const former = before.get(node);
      before.set(node, word);
      // Who was called failed is suspected on the way back: that is no new error.
      const isNew = word !== former && former !== 'failed';
      if (isNew && Date.parse(time) >= sinceMs) said.push(word);
    }
  }
  return said;
}

interface Line {
  readonly event: string;
  readonly time: string;
  readonly facts: { readonly opinions: readonly string[] };
}
