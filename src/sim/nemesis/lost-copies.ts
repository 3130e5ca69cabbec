// Copies of regions whose folder is lost, one at a time: what more could lose, no protocol could keep.
//
// The nemesis and a drill take them away.
import type { Cluster } from '../cluster/cluster.ts';
import type { Drive } from '../machine/drive.ts';

/**
 * Takes a copy's folder away, as when its disk is lost; returns what starts the node again. `undefined`
 * where another copy of the region is not whole.
 */
export function loseCopy(cluster: Cluster, region: number, node: number): (() => void) | undefined {
  const drive = spareDrive(cluster, region, node);
  if (drive === undefined) return undefined;
  cluster.kill(node, true);
  drive.wipe();
  cluster.world.regionInvariants.histories.get(region)?.loses(node);
  return () => cluster.start(node);
}

/** One copy of a region may be lost at a time: from the others, if they are whole, it has all of it again. */
export function spareDrive({ regions, world }: Cluster, region: number, node: number): Drive | undefined {
  const history = world.regionInvariants.histories.get(region);
  const drives = [...regions.values()].flatMap((host) => host.drives.get(region) ?? []);
  if (history?.isIntact !== true || drives.some(({ isDamaged }) => isDamaged)) return undefined;
  return regions.get(node)?.drives.get(region);
}
