// The state of a region with many entities: how long anybody waits while it is saved under load, or sent to
// another copy and taken over there, and how soon a node that starts has it again.
//
// One copy alone, then two, on a real disk, with the driver, journal and checkpoints of a node. The longest
// pause is that of the event loop, beside the longest without a checkpoint in an equally long time before.
// Where there are two copies they share the loop: a pause may be the sender's or the receiver's.
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/adapters/node/clock.ts';
import { openFolder } from '../src/adapters/node/disk.ts';
import { type NodeId, nodeId } from '../src/base/id.ts';
import type { StateMachine } from '../src/protocols/state-machine.ts';
import { Checkpoints } from '../src/runtime/checkpoints.ts';
import type { CopyStorage } from '../src/runtime/copy-journal.ts';
import type { CopyLimits } from '../src/runtime/copy-machine.ts';
import { PIECE_MS } from '../src/runtime/in-pieces.ts';
import { Journal } from '../src/runtime/journal.ts';
import type { Peers, PeerListener } from '../src/runtime/ports.ts';
import { ReplicaSet } from '../src/runtime/replica-set.ts';
import { decodePeerMessage } from '../src/wire/peer.ts';
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
  pieceMs: PIECE_MS,
};
/** So that the log begins behind the newest checkpoint, and who lacks more is sent the state. */
const NOTHING_BEHIND = { ...LIMITS, trailingEntries: 0 };
const [FIRST, SECOND] = [nodeId(1), nodeId(2)];

export async function benchCheckpoints(rounds: number): Promise<void> {
  const seen: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const folder = fs.mkdtempSync(join(os.tmpdir(), 'checkpoints-'));
    seen.push({ ...(await measureOne(join(folder, 'one'))), ...(await measureTwo(join(folder, 'two'))) });
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
    row('longest pause while a state is sent and taken over, ms', ({ movePauseMs }) => movePauseMs),
    row('from its wish to level with its sender, ms', ({ moveMs }) => moveMs),
  ];
  process.stdout.write(table(rows));
}

interface One {
  readonly bytes: number;
  readonly pauseMs: number;
  readonly idlePauseMs: number;
  readonly durableMs: number;
  readonly restoreMs: number;
}

interface Two {
  readonly movePauseMs: number;
  readonly moveMs: number;
}

type Round = One & Two;

async function measureOne(folder: string): Promise<One> {
  const links = new Links();
  const alone = { self: FIRST, copies: [FIRST], limits: LIMITS, links };
  const set = open(folder, filled(), alone);
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
  open(folder, createGroupMachine([hoard]), alone).stop();
  return { bytes, pauseMs, idlePauseMs, durableMs, restoreMs: performance.now() - startMs };
}

/** The second copy is there when the log begins, and comes back with an empty disk when it has gone on. */
async function measureTwo(folder: string): Promise<Two> {
  const links = new Links();
  const both = { copies: [FIRST, SECOND], limits: NOTHING_BEHIND, links };
  const sender = open(join(folder, 'first'), filled(), { ...both, self: FIRST });
  const empty = (name: string): ReplicaSet =>
    open(join(folder, name), createGroupMachine([hoard]), { ...both, self: SECOND });
  const before = empty('second');
  sender.start();
  before.start();
  while (sender.status().role !== 'primary') await sleep(10);
  before.stop();
  links.listeners.delete(SECOND);
  const load = loadOn(sender);
  await sleep(500);
  sender.takeCheckpoint();
  while (!hasCheckpoint(join(folder, 'first'))) await sleep(10);
  await sleep(500);
  const receiver = empty('third');
  load.restart();
  const beganMs = performance.now();
  receiver.start();
  const isLevel = (): boolean => {
    const { role, applied } = receiver.status();
    return role === 'replica' && applied > 0 && sender.status().applied - applied < 100;
  };
  while (!isLevel()) await sleep(5);
  const two = { moveMs: performance.now() - beganMs, movePauseMs: load.longestMs() };
  load.stop();
  await sleep(200);
  sender.stop();
  receiver.stop();
  return two;
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

interface Opened {
  readonly self: NodeId;
  readonly copies: readonly NodeId[];
  readonly limits: CopyLimits;
  readonly links: Links;
}

function open(folder: string, machine: StateMachine, o: Opened): ReplicaSet {
  fs.mkdirSync(folder, { recursive: true });
  const disk = openFolder(folder);
  const { journal, recovered } = Journal.open(disk, { segmentBytes: 1024 * 1024 });
  const checkpoints = new Checkpoints(disk, { keep: 10 });
  const storage: CopyStorage = { disk, journal, recovered, checkpoints };
  const set = new ReplicaSet({
    number: 101,
    name: 'eu',
    self: o.self,
    copies: o.copies,
    machine,
    storage,
    clock: systemClock,
    peers: o.links.of(o.self),
    logger: { log: () => undefined },
    life: 1,
    limits: o.limits,
    lease: 'always',
    onNotices: () => undefined,
    fail: (cause) => {
      throw cause;
    },
  });
  o.links.listeners.set(o.self, (from, frame) => {
    const message = decodePeerMessage(frame);
    if (message.kind === 'region') set.receive(from, message.body);
  });
  return set;
}

/** Between copies of one process: what is sent arrives in a later turn of the loop. */
class Links {
  readonly listeners = new Map<NodeId, PeerListener['received']>();

  of(self: NodeId): Peers {
    return {
      send: (to, frame) => {
        setImmediate(() => this.listeners.get(to)?.(self, frame));
      },
      flush: () => undefined,
      connected: () => false,
      listen: () => undefined,
      close: () => Promise.resolve(),
    };
  }
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
