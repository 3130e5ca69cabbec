// `bluemarble promote`: an operator hands a region's primary over, or accepts a loss to have one at all.
//
// `operator.ts` calls it. Placement decides; this refuses what surely makes no sense, tells a witness, and
// looks until it is so. Without `acceptLoss` nothing that anybody was told can be lost by it.
import { majority } from '../base/quorum.ts';
import type { ChangeableWorld } from './replacing.ts';
import type { RegionView, WorldView } from './view.ts';
import { pauseUntil } from './waits.ts';

const PROMOTE_MS_MAX = 6_000;

export interface Promotion {
  readonly region: string;
  readonly node: string;
  readonly acceptLoss: boolean;
}

/** `undefined` when it is done, else a sentence that says why not. */
export async function promoteCopy(
  world: ChangeableWorld,
  promotion: Promotion,
): Promise<string | undefined> {
  const { region, node, acceptLoss } = promotion;
  const view = await world.view();
  const placed = view.regions.find((each) => each.region === region);
  const target = world.topology().nodes.find(({ name }) => name === node);
  const witness = view.nodes.find(({ kind, condition }) => kind === 'global' && condition === 'up');
  if (placed === undefined) return `There is no region "${region}".`;
  if (target === undefined) return `There is no node "${node}".`;
  const hindrance = hindranceOf(view, placed, promotion);
  if (hindrance !== undefined) return hindrance;
  if (witness === undefined) return 'No global node is up: nobody can appoint anyone.';
  const kind = acceptLoss ? 'force' : 'promote';
  world.keeper(witness.name)?.tell({ kind, group: region, nodes: [target.id] });
  const isPrimary = async (): Promise<boolean> => {
    const now = (await world.view()).regions.find((each) => each.region === region);
    return now?.primary === node && now.epoch > placed.epoch;
  };
  if (await pauseUntil(world.clock, PROMOTE_MS_MAX, isPrimary)) return undefined;
  return `${node} did not become primary of ${region}: it trails too far or does not answer.`;
}

function hindranceOf(
  { nodes }: WorldView,
  { region, primary, copies }: RegionView,
  { node, acceptLoss }: Promotion,
): string | undefined {
  const hasFailed = (name: string): boolean =>
    nodes.some((each) => each.name === name && each.standing === 'failed');
  if (!copies.some(({ name }) => name === node)) {
    return `${node} holds no copy of ${region}: name one of ${copies.map(({ name }) => name).join(', ')}.`;
  }
  if (hasFailed(node)) return `${node} has failed by the word of the witnesses.`;
  if (!acceptLoss) return primary === node ? `${node} is primary of ${region} already.` : undefined;
  // A copy that is blank or being fenced shows as unhealthy: then placement knows better.
  const living = copies.filter(({ name, isHealthy }) => isHealthy && !hasFailed(name)).length;
  if (living < majority(copies.length)) return undefined;
  const lives = `${living} of ${copies.length} copies of ${region} live`;
  return `${lives}, so nothing need be lost: leave --accept-loss out.`;
}
