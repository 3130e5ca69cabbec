// Nodes that end in order, as at a SIGTERM: they hand over what they lead first, and are killed when that
// is done, or when whoever ended them loses patience.
//
// The nemesis ends nodes so, while other faults last.
import type { Cluster } from '../cluster/cluster.ts';
import type { GlobalHost } from '../cluster/global-host.ts';
import type { RegionHost } from '../cluster/region-host.ts';

/** A global node is killed after so long, handed over or not. */
const GLOBAL_US = 450_000;
/** A region node once it has no region any more, and at the latest after so long. */
const REGION_US = 2_500_000;
const LOOK_US = 20_000;

/** Ends the node in order; returns what starts it again. */
export function endInOrder(cluster: Cluster, node: number): () => void {
  const region = cluster.regions.get(node);
  if (region !== undefined) return endRegionNode(cluster, region);
  const { queue } = cluster.world;
  const host = cluster.globals.get(node);
  const end = killing(cluster, host, node);
  host?.life?.take('order', () => void host.turn?.leave());
  queue.after(GLOBAL_US, end);
  return () => queue.after(GLOBAL_US, () => cluster.start(node));
}

function endRegionNode(cluster: Cluster, host: RegionHost): () => void {
  const { node, life } = host;
  const { queue } = cluster.world;
  const end = killing(cluster, host, node);
  const untilUs = queue.nowUs + REGION_US;
  host.leave();
  const look = (): void => {
    if (host.life !== life) return;
    if (!host.isPrimary || queue.nowUs >= untilUs) end();
    else queue.after(LOOK_US, look);
  };
  look();
  return () => {
    end();
    cluster.start(node);
  };
}

/** Kills the process that the node has now, if it is still that one. */
function killing(cluster: Cluster, host: GlobalHost | RegionHost | undefined, node: number): () => void {
  const life = host?.life;
  return () => {
    if (life !== undefined && host?.life === life) cluster.kill(node, false);
  };
}
