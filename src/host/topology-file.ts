// Topology files: read for a node or for a world, and written so that a person can edit them.
//
// `cli/node` reads the one that it is given, `own-topology` one for `bluemarble up --topology`, and
// `bluemarble topology` prints the seed's to start from.
import { StartError } from '../adapters/node/start-error.ts';
import { readTopologyFile } from '../adapters/node/topology-file.ts';
import { InvalidInputError } from '../base/errors.ts';
import { withOwnFeatures } from '../services/topology/own-features.ts';
import { soundTopology } from '../services/topology/topology-rules.ts';
import { parseTopology, type Topology } from '../services/topology/topology.ts';
import { stockFeatures } from '../world/catalogue.ts';
import type { Feature } from '../world/feature.ts';
import { refuseLost } from './world-features.ts';
import type { WorldFile } from './world-file.ts';

/**
 * As it stands there, for a node of a world that has the features of `own` beside the stock ones. Throws
 * `StartError` for a file that is not there, is no JSON, or describes no such world that can be run.
 */
export function readTopology(file: string, own: WorldFile | undefined): Topology {
  return read(file, (json) => {
    refuseLost({ folder: file, topology: parseTopology(json) }, own);
    return soundTopology(json, [...stockFeatures, ...(own?.features ?? [])]);
  });
}

/** As `readTopology`, for a whole world: features that the file does not name are put in their places. */
export function readWorldTopology(file: string, own: readonly Feature[]): Topology {
  return read(file, (json) => {
    const topology = withOwnFeatures(parseTopology(json), own);
    return soundTopology(topology, [...stockFeatures, ...own]);
  });
}

function read(file: string, judge: (json: unknown) => Topology): Topology {
  const json = readTopologyFile(file);
  try {
    return judge(json);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} describes no world that can be run: ${cause.message}`, { cause });
  }
}

/**
 * With these features in their places, as JSON with a line for each node, group and region; what only a
 * history of the world fills is left out.
 */
export function printTopology(topology: Topology, own: readonly Feature[] = []): string {
  const { world, nodes, groups, regions } = withOwnFeatures(topology, own);
  const plans = {
    nodes,
    groups: groups.map(({ founders: _, ...group }) => group),
    regions,
  };
  const lists = Object.entries(plans).map(([name, items]) => {
    const lines = items.map((item) => `    ${JSON.stringify(item)}`);
    return `  "${name}": [\n${lines.join(',\n')}\n  ]`;
  });
  return `{\n  "world": ${JSON.stringify(world)},\n${lists.join(',\n')}\n}\n`;
}
