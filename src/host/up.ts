// `bluemarble up`: a whole world on this machine, from the first process to the last report.
//
// The CLI calls `runUp`. In order: claim the folder, see to what a dead supervisor left, check the
// ports, start the nodes, let the crowd in, watch, and end everything the other way round (`run.ts`).
// Invariants: nothing is written to a folder that is not ours or in use; nothing that is left in the
// folder blocks the next start.
import { wakeProcess } from '../adapters/node/children.ts';
import { serveControl } from '../adapters/node/control.ts';
import { takenPort } from '../adapters/node/free-ports.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { loadOrCreateWorldKey } from '../adapters/node/world-key.ts';
import type { Clock } from '../runtime/ports.ts';
import { Run, type RunDoors, type RunOptions } from './run.ts';
import {
  forgetProcesses,
  KEY_FILE,
  openWorld,
  publishWorld,
  rememberedProcesses,
  type World,
} from './world-folder.ts';
import { pauseUntil } from './waits.ts';

/** A node ends within three seconds of its supervisor. */
const LEFTOVERS_MS_MAX = 4_000;

export interface UpOptions extends RunOptions {
  readonly folder: string;
  /** `undefined`: where the world was, or the default for a new one. */
  readonly basePort: number | undefined;
}

/**
 * Runs a world to its end; the exit code. Throws `StartError` when it can not start: nothing runs
 * then, and a new folder holds nothing that would hinder another try.
 */
export async function runUp(options: UpOptions, doors: RunDoors): Promise<number> {
  const world = openWorld({ ...options, entropy: doors.entropy });
  const run = new Run(world, options, doors);
  const { folder } = world;
  const inUse = `A world already runs in ${folder}: stop it or choose another folder with --data.`;
  const control = await serveControl({ folder, inUse }, (question) => run.answer(question));
  try {
    await waitForLeftovers(world, doors.clock);
    await checkPorts(world);
    loadOrCreateWorldKey(`${folder}/${KEY_FILE}`);
    publishWorld(world);
    return await run.toItsEnd();
  } finally {
    forgetProcesses(world);
    await control.close();
  }
}

/** What a supervisor that was killed left behind ends by itself, once it is not paused. */
async function waitForLeftovers(world: World, clock: Clock): Promise<void> {
  let left = rememberedProcesses(world);
  await pauseUntil(clock, LEFTOVERS_MS_MAX, () => {
    left = left.filter(wakeProcess);
    return left.length === 0;
  });
}

async function checkPorts({ topology, basePort }: World): Promise<void> {
  for (const { host, peerPort, httpPort } of topology.nodes) {
    const taken = await takenPort(host, [peerPort, httpPort]);
    if (taken === undefined) continue;
    throw new StartError(
      `Port ${taken} is in use: stop what listens there, or move the world with ` +
        `--port ${basePort + 1_000}.`,
    );
  }
}
