// `bluemarble maelstrom`: one node of a Maelstrom run, over stdin and stdout, on the machine's doors.
//
// Maelstrom starts it, or whoever speaks its protocol; docs/maelstrom.md says how. Standard output
// carries messages only, standard error the log. It ends in order when its input does, on SIGTERM and
// on SIGINT.
import { join } from 'node:path';

import { MaelstromDoor } from '../adapters/maelstrom/door.ts';
import { openTemporaryFolder } from '../adapters/maelstrom/temporary-folder.ts';
import { systemClock } from '../adapters/node/clock.ts';
import { claimDataFolder } from '../adapters/node/data-folder.ts';
import { openDisk } from '../adapters/node/disk.ts';
import { systemEntropy } from '../adapters/node/entropy.ts';
import { openLogger } from '../adapters/node/log.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { CorruptionError, ForeignDataError } from '../base/errors.ts';
import { Checkpoints } from '../runtime/checkpoints.ts';
import { Journal } from '../runtime/journal.ts';
import { MaelstromNode } from '../services/maelstrom/maelstrom-node.ts';
import type { Members } from '../services/maelstrom/workload.ts';
import { workloads } from '../services/maelstrom/workloads.ts';
import type { Storage } from '../services/node-role.ts';

/** Runs are short: a start then writes little. */
const SEGMENT_BYTES: number = 1_024 * 1_024;
/** In order, within so long, or not at all. */
const STOP_MS_MAX = 3_000;
const EXIT_STOPPED = 0;
const EXIT_STOP_TOOK_TOO_LONG = 1;
const EXIT_CANNOT_START = 2;
/** `EX_SOFTWARE` of sysexits: our own promise broke. */
const EXIT_BROKEN = 70;

export interface MaelstromOptions {
  readonly workload: string;
  /** Holds a folder for each node; without it a node forgets everything when it ends. */
  readonly data?: string;
}

/** Runs until the harness goes; ends the process itself. Throws `StartError` for an unknown workload. */
export function runMaelstrom({ workload, data }: MaelstromOptions): void {
  const open = workloads.get(workload);
  if (open === undefined) {
    const known = [...workloads.keys()].join(', ');
    throw new StartError(`There is no workload "${workload}": name one of ${known}.`);
  }
  const logger = openLogger({ name: `maelstrom ${workload}` });
  process.on('uncaughtException', endBroken);
  process.on('unhandledRejection', endBroken);
  const node = new MaelstromNode(open, {
    clock: systemClock,
    entropy: systemEntropy,
    logger,
    named: (name) => door.hearOnlyFor(name),
    openPeers: ({ self, names }) => door.openPeers(self, names),
    openStorage: (members) => openStorage(workload, data ?? openTemporaryFolder(), members),
    fail: endBroken,
  });
  const end = endOnce(node);
  const door = new MaelstromDoor({
    input: process.stdin,
    output: process.stdout,
    clock: systemClock,
    logger,
    asked: (request, answer) => node.asked(request, answer),
    closed: end,
  });
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** The folder says whose it is, so that no node ever starts with another's memory. */
function openStorage(workload: string, data: string, { self, names }: Members): Storage {
  const folder = join(data, names.get(self) ?? '');
  const world = `maelstrom ${workload} ${[...names.values()].join(' ')}`;
  const claim = claimDataFolder({ folder, world, node: self });
  process.on('exit', () => claim.release());
  const disk = openDisk(folder);
  const { journal, recovered } = Journal.open(disk, { segmentBytes: SEGMENT_BYTES });
  return { journal, recovered, checkpoints: new Checkpoints(disk) };
}

function endOnce(node: MaelstromNode): () => void {
  let isEnding = false;
  return () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(EXIT_STOP_TOOK_TOO_LONG), STOP_MS_MAX);
    node.stop().then(() => process.exit(EXIT_STOPPED), endBroken);
  };
}

function endBroken(cause: unknown): never {
  const isStart =
    cause instanceof StartError || cause instanceof CorruptionError || cause instanceof ForeignDataError;
  const stack = cause instanceof Error ? String(cause.stack) : String(cause);
  process.stderr.write(`${isStart ? cause.message : stack}\n`);
  process.exit(isStart ? EXIT_CANNOT_START : EXIT_BROKEN);
}
