// A stretch of ports for a whole world that nobody uses at the moment.
import { takenPort } from '../../src/adapters/node/free-ports.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';

const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES_MAX = 50;

/** For `--port`: below the ports that the system hands out by itself, so that they stay free. */
export async function freeBasePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const basePort = LOWEST + 100 * Math.floor((Math.random() * (HIGHEST - LOWEST)) / 100);
    const { nodes } = seedTopology({ world: 'free', basePort });
    const ports = nodes.flatMap(({ httpPort, peerPort }) => [httpPort, peerPort]);
    if ((await takenPort('127.0.0.1', ports)) === undefined) return basePort;
  }
  throw new Error('no free ports');
}
