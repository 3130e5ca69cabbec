// A topology file of one's own: the world that `bluemarble up --topology` makes, or what it adds to one.
//
// `world-folder.ts` asks. All nodes of `up` are children on this machine, so hosts are loopback addresses. A
// world that exists takes from a file what loses no promise and asks nobody: further gateways, which are
// region nodes in no region's copies, and how groups are read, since all of its nodes begin anew with that.
import { StartError } from '../adapters/node/start-error.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
import type { Feature } from '../world/feature.ts';
import { readWorldTopology } from './topology-file.ts';

const LOOPBACK = /^127\.\d+\.\d+\.\d+$/;

/** A topology and the port that all of its ports count from, as those of the seed's do. */
export interface OwnTopology {
  readonly file: string;
  readonly topology: Topology;
  readonly basePort: number;
}

/**
 * For a world with these features beside the stock ones. Throws `StartError` for a file that describes no
 * world, or one that this machine alone can not run.
 */
export function readOwnTopology(file: string, features: readonly Feature[]): OwnTopology {
  const topology = readWorldTopology(file, features);
  const elsewhere = topology.nodes.find(({ host }) => !LOOPBACK.test(host));
  if (elsewhere !== undefined) {
    throw new StartError(
      `${elsewhere.name} has the host ${elsewhere.host} in ${file}, but \`up\` runs every node on this ` +
        'machine: write 127.0.0.1, or start each node where it belongs with `bluemarble node`.',
    );
  }
  return { file, topology, basePort: basePortOf(topology.nodes) };
}

/** The own topology as that of a new world. Throws `StartError` for one that only a history explains. */
export function asNew({ file, topology }: OwnTopology): Topology {
  const changed = topology.groups.find(
    ({ members, founders = members }) => JSON.stringify(founders) !== JSON.stringify(members),
  );
  if (changed === undefined) return topology;
  throw new StartError(
    `Group ${changed.name} in ${file} has other founders than members: leave "founders" out for a new world.`,
  );
}

/** The own topology as that of a world which exists; throws `StartError` for more than it takes. */
export function asGrown(before: { folder: string; topology: Topology }, own: OwnTopology): Topology {
  const known = own.topology.nodes.filter(({ id }) => before.topology.nodes.some((node) => node.id === id));
  const added = own.topology.nodes.filter((node) => !known.includes(node));
  const by = basePortOf(before.topology.nodes) - basePortOf(known);
  const kept = movedBy({ ...own.topology, nodes: known }, by);
  const isSame = JSON.stringify(unread(kept)) === JSON.stringify(unread(before.topology));
  if (isSame && added.every(({ kind }) => kind === 'region')) return own.topology;
  throw new StartError(
    `The world in ${before.folder} has another topology than ${own.file}, and a world takes nothing from a ` +
      'file but further gateways (nodes of kind region in no region\'s copies), and reads and ' +
      'leaseDriftPerMille of its groups: leave --topology out to ' +
      'go on with the world as it is, or choose another folder with --data.',
  );
}

/** Without how its groups are read. */
function unread(topology: Topology): Topology {
  const groups = topology.groups.map(({ reads: _, leaseDriftPerMille: __, ...group }) => group);
  return { ...topology, groups };
}

/** The topology with all ports so much higher. */
export function movedBy(topology: Topology, by: number): Topology {
  const nodes = topology.nodes.map((node) => ({
    ...node,
    peerPort: node.peerPort + by,
    httpPort: node.httpPort + by,
  }));
  return { ...topology, nodes };
}

/** The lowest port is one above it, as `global-1`'s in the seed's topology. */
function basePortOf(nodes: readonly NodePlan[]): number {
  return Math.min(...nodes.flatMap(({ peerPort, httpPort }) => [peerPort, httpPort])) - 1;
}
