// Topology files: read for a node or for a world, and written so that a person can edit them.
//
// `cli/node` reads the one that it is given, `own-topology` one for `bluemarble up --topology`, and
// `bluemarble topology` prints the seed's to start from.
import { StartError } from '../adapters/node/start-error.ts';
import { readTopologyFile } from '../adapters/node/topology-file.ts';
import { InvalidInputError } from '../base/errors.ts';
import { soundTopology } from '../services/topology/topology-rules.ts';
import type { Topology } from '../services/topology/topology.ts';
import { stockFeatures } from '../world/catalogue.ts';

/** Throws `StartError` for a file that is not there, is no JSON, or describes no world that can be run. */
export function readTopology(file: string): Topology {
  const json = readTopologyFile(file);
  try {
    return soundTopology(json, stockFeatures);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} describes no world that can be run: ${cause.message}`, { cause });
  }
}

/** JSON with a line for each node, group and region; what only a history of the world fills is left out. */
export function printTopology({ world, nodes, groups, regions }: Topology): string {
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
