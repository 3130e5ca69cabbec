// Whether the next node may be started again: the rule of a rolling restart, as docs/operating.md tells it.
//
// `replacing.ts` asks it after each node. A node that is ready may still be doubted by the witnesses or trail
// with its copies: the next restart would then leave a region without anybody to be handed over to.
import type { WorldView } from './view.ts';

/**
 * The node is up and holds what the others hold, and nobody that is up is doubted. `replaced` is left
 * out: it is filled last of all.
 */
export function isSteadyAfter(
  { nodes, groups, regions }: WorldView,
  name: string,
  replaced: string,
): boolean {
  const node = nodes.find((each) => each.name === name);
  if (node?.condition !== 'up' || (node.kind === 'region' && node.standing !== 'trusted')) return false;
  const isDoubted = nodes.some(({ name: other, condition, standing }) => {
    return other !== replaced && condition === 'up' && (standing === 'suspected' || standing === 'failed');
  });
  const isFollowing = groups.every(({ leader, members }) => {
    return leader !== undefined && members.every((each) => each.name !== name || each.lag !== undefined);
  });
  const isHolding = regions.every(({ isSought, copies }) => {
    return copies.every((copy) => copy.name !== name || (copy.isHealthy && !isSought));
  });
  return !isDoubted && isFollowing && isHolding;
}
