// Where the logs of regions end on disks that a drill took from the world for good.
//
// A primary that comes back owns up to what the others had not got of its log. One that was replaced never
// does: what its disk alone held is lost with it, as is promised of such a disk. The drill has the folder
// still, and says in its place how much that was.
import { lookInto } from '../adapters/node/disk.ts';
import { COPIES_FOLDER } from '../runtime/copy-journal.ts';
import { placesIn, storedCopy } from '../runtime/stored-log.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { Position } from '../wire/placement.ts';

export interface GoneEnd {
  readonly region: string;
  readonly end: Position;
}

/** Of each copy in these folders of nodes that holds anything. */
export function endsIn(
  folders: readonly string[],
  { regions, world }: Pick<Topology, 'regions' | 'world'>,
): readonly GoneEnd[] {
  return folders.flatMap((folder) =>
    regions.flatMap(({ number, name }) => {
      const disk = lookInto(`${folder}/${COPIES_FOLDER}/${name}`);
      const last = placesIn(storedCopy(disk, { number, name, world })).at(-1);
      if (last === undefined || last.index === 0) return [];
      return [{ region: name, end: { epoch: last.term, sequence: last.index } }];
    }),
  );
}
