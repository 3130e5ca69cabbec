// The doors of a simulated process, for the shipped parts of a node: those it needs, and the others locked.
//
// The hosts open them. What is locked here does not belong to a simulated node; whoever knocks is a fault.
import { InvariantError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Peers } from '../../runtime/ports.ts';
import type { NodeDoors, NodeSetting } from '../../services/node-role.ts';
import type { VirtualProcess } from '../machine/process.ts';
import type { World } from './setting.ts';

const BYTES_MAX = 256;

export function settingOf(
  world: World,
  life: VirtualProcess,
  o: {
    readonly peers: Peers;
    readonly random: Random;
    readonly openCopy?: NodeDoors['openCopy'];
    readonly setCopyAside?: NodeDoors['setCopyAside'];
  },
): NodeSetting {
  const { topology, features } = world;
  const { peers, random, openCopy = locked, setCopyAside = locked } = o;
  const doors: NodeDoors = {
    clock: life.clock,
    entropy: { bytes: (count) => Uint8Array.from({ length: count }, () => random.integer(0, BYTES_MAX - 1)) },
    logger: { log: () => {} },
    peers,
    get incarnations() {
      return locked();
    },
    get secrets() {
      return locked();
    },
    machine: { pid: 1, residentBytes: () => 0 },
    openStorage: locked,
    openCopy,
    setCopyAside,
    loadLand: locked,
    fail: (cause) => life.end(cause),
  };
  return { topology, features, node: life.node, doors };
}

function locked(): never {
  throw new InvariantError('a simulated node has no such door');
}
