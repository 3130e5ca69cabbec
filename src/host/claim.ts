// Taking a world's folder for one run: nobody else runs it meanwhile, and nothing stands in its way.
//
// `up.ts` and the drills of `chaos` claim the folder before they start a node. In order: the control
// socket, what a dead supervisor or a restore that was cut off left behind, the ports, the key, the files
// that nodes read.
// Invariants: nothing is written to a folder that is in use; nothing that is left in the folder blocks the
// next start.
import { wakeProcess } from '../adapters/node/children.ts';
import { serveControl } from '../adapters/node/control.ts';
import { takenPort } from '../adapters/node/free-ports.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { loadOrCreateWorldKey } from '../adapters/node/world-key.ts';
import type { Clock } from '../runtime/ports.ts';
import { settleRestores } from './restoring.ts';
import { pauseUntil } from './waits.ts';
import {
  forgetProcesses,
  KEY_FILE,
  publishWorld,
  rememberedProcesses,
  type World,
} from './world-folder.ts';

/** A node ends within three seconds of its supervisor. */
const LEFTOVERS_MS_MAX = 4_000;

export interface Claim {
  /** Lets the folder go; every node must have ended. */
  release(): Promise<void>;
}

/** `answer` answers operators. Throws `StartError`, with the folder free again, when it can not be run. */
export async function claimWorld(
  world: World,
  clock: Clock,
  answer: (question: unknown) => Promise<unknown>,
): Promise<Claim> {
  const { folder } = world;
  const inUse = `A world already runs in ${folder}: stop it or choose another folder with --data.`;
  const control = await serveControl({ folder, inUse }, answer);
  const release = async (): Promise<void> => {
    forgetProcesses(world);
    await control.close();
  };
  try {
    await waitForLeftovers(world, clock);
    settleRestores(world);
    await checkPorts(world);
    loadOrCreateWorldKey(`${folder}/${KEY_FILE}`);
    publishWorld(world);
  } catch (cause) {
    await release();
    throw cause;
  }
  return { release };
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
