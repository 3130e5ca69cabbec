// Checkpoints of a region with many entities: how large, how long anybody waits while one is written under
// load, and how soon a node that starts has the state again.
//
// One copy alone, on a real disk, with the driver, journal and checkpoints of a node. The longest pause is
// that of the event loop, beside the longest without a checkpoint in an equally long time before.
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/node/clock.ts';
import { openFolder } from '../src/adapters/node/disk.ts';
import { nodeId } from '../src/base/id.ts';
import type { StateMachine } from '../src/protocols/state-machine.ts';
import { Checkpoints } from '../src/runtime/checkpoints.ts';
import type { CopyStorage } from '../src/runtime/copy-journal.ts';
import { Journal } from '../src/runtime/journal.ts';
import type { Peers } from '../src/runtime/ports.ts';
import { ReplicaSet } from '../src/runtime/replica-set.ts';
import { createGroupMachine } from '../src/world/group-machine.ts';
import { hoard, putCommand } from '../test/support/hoard-feature.ts';
import { spread, table } from './spread.ts';

const ENTITIES = 1_000_000;
const SESSIONS = 20_000;
const TICK_MS = 10;
/** 2,000 commands per second, each changing one of the entities. */
const COMMANDS_PER_TICK = 20;
const LIMITS = {
  checkpointBytesMin: Number.MAX_SAFE_INTEGER,
  checkpointEveryMs: Number.MAX_SAFE_INTEGER,
  trailingEntries: 5_000,
};
const NOBODY: Peers = {
  send: () => undefined,
  flush: () => undefined,
  connected: () => false,
  listen: () => undefined,
  close: () => Promise.resolve(),
};

export async function benchCheckpoints(rounds: number): Promise<void> {
  const seen: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const folder = fs.mkdtempSync(join(os.tmpdir(), 'checkpoints-'));
    seen.push(await measure(folder));
    fs.rmSync(folder, { recursive: true, force: true });
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  const row = (what: string, of: (round: Round) => number): Record<string, string> => {
    return { what, figures: spread(seen.map(of)) };
  };
  const rows = [
    row('size of a checkpoint, MB', ({ bytes }) => bytes / 1e6),
    row('longest pause of the loop while it is written, ms', ({ pauseMs }) => pauseMs),
    row('longest pause in three seconds without one, ms', ({ idlePauseMs }) => idlePauseMs),
    row('from its beginning to durable, ms', ({ durableMs }) => durableMs),
    row('restore and replay at start, ms', ({ restoreMs }) => restoreMs),
  ];
  process.stdout.write(table(rows));
}

interface Round {
  readonly bytes: number;
  readonly pauseMs: number;
  readonly idlePauseMs: number;
  readonly durableMs: number;
  readonly restoreMs: number;
}

async function measure(folder: string): Promise<Round> {
  const set = open(folder, filled());
  set.start();
  await sleep(500);
  const load = loadOn(set);
  await sleep(500);
  load.restart();
  await sleep(3_000);
  const idlePauseMs = load.longestMs();
  load.restart();
  const beganMs = performance.now();
  set.takeCheckpoint();
  while (!hasCheckpoint(folder)) await sleep(5);
  const durableMs = performance.now() - beganMs;
  const pauseMs = load.longestMs();
  load.stop();
  await sleep(200);
  set.stop();
  const [file] = fs.readdirSync(folder).filter((name) => name.startsWith('checkpoint-'));
  const { size: bytes } = fs.statSync(join(folder, file ?? ''));
  const startMs = performance.now();
  open(folder, createGroupMachine([hoard])).stop();
  return { bytes, pauseMs, idlePauseMs, durableMs, restoreMs: performance.now() - startMs };
}

function filled(): StateMachine {
  const machine = createGroupMachine([hoard]);
  for (let i = 0; i < ENTITIES; i++) {
    const command = putCommand({
      key: i,
      value: i * 7,
      session: 1 + (i % SESSIONS),
      number: 1 + Math.floor(i / SESSIONS),
    });
    machine.apply({ index: 1, timeMs: 1_000, command });
  }
  return machine;
}

function open(folder: string, machine: StateMachine): ReplicaSet {
  const disk = openFolder(folder);
  const { journal, recovered } = Journal.open(disk, { segmentBytes: 1024 * 1024 });
  const checkpoints = new Checkpoints(disk, { keep: 10 });
  const storage: CopyStorage = { disk, journal, recovered, checkpoints };
  return new ReplicaSet({
    number: 101,
    name: 'eu',
    self: nodeId(1),
    copies: [nodeId(1)],
    machine,
    storage,
    clock: systemClock,
    peers: NOBODY,
    logger: { log: () => undefined },
    life: 1,
    limits: LIMITS,
    lease: 'always',
    onNotices: () => undefined,
    fail: (cause) => {
      throw cause;
    },
  });
}

/** Commands all the time, and how late the loop was at most since the last restart. */
function loadOn(set: ReplicaSet): { restart(): void; longestMs(): number; stop(): void } {
  let [longest, before, sent] = [0, performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - before - TICK_MS);
    before = now;
    for (let i = 0; i < COMMANDS_PER_TICK; i++) {
      sent += 1;
      const number = 1_000 + Math.floor(sent / SESSIONS);
      const key = (sent * 7919) % ENTITIES;
      const command = putCommand({ key, value: sent, session: 1 + (sent % SESSIONS), number });
      set.propose(command, () => undefined, 'one');
    }
  }, TICK_MS);
  return {
    restart() {
      longest = 0;
      before = performance.now();
    },
    longestMs: () => longest,
    stop: () => clearInterval(timer),
  };
}

function hasCheckpoint(folder: string): boolean {
  return fs.readdirSync(folder).some((name) => /^checkpoint-.*\.bin$/.test(name));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
