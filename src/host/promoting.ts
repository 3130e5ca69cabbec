// `bluemarble promote`: an operator hands a region's primary over, or accepts a loss to have one at all.
//
// `operator.ts` calls it. Placement decides; this refuses what surely makes no sense, tells a witness, and
// looks until it is so. Without `acceptLoss` nothing that anybody was told can be lost by it.
import { invariant } from '../base/errors.ts';
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

/** What was done, or a sentence that says why it was not. */
export interface Promoted {
  readonly done: boolean;
  readonly text: string;
}

/** The names are those of a region and a node of the world. */
export async function promoteCopy(world: ChangeableWorld, promotion: Promotion): Promise<Promoted> {
  const { region, node, acceptLoss } = promotion;
  const view = await world.view();
  const placed = view.regions.find((each) => each.region === region);
  const target = world.topology().nodes.find(({ name }) => name === node);
  const witness = view.nodes.find(({ kind, condition }) => kind === 'global' && condition === 'up');
  invariant(placed !== undefined && target !== undefined, 'the region and the node are there');
  const hindrance = hindranceOf(view, placed, promotion);
  if (hindrance !== undefined) return refused(hindrance);
  if (witness === undefined) return refused('No global node is up: nobody can appoint anyone.');
  const kind = acceptLoss ? 'force' : 'promote';
  world.keeper(witness.name)?.tell({ kind, group: region, nodes: [target.id] });
  const isPrimary = async (): Promise<boolean> => {
    const now = (await world.view()).regions.find((each) => each.region === region);
    return now?.primary === node && now.epoch > placed.epoch;
  };
  if (await pauseUntil(world.clock, PROMOTE_MS_MAX, isPrimary)) {
    const loss = acceptLoss ? `; ${lossOf(placed, node)}` : '';
    return { done: true, text: `${node} is primary of ${region}${loss}` };
  }
  return refused(`${node} did not become primary of ${region}: it trails too far or does not answer.`);
}

function hindranceOf(
  { nodes }: WorldView,
  placed: RegionView,
  { region, node, acceptLoss }: Promotion,
): string | undefined {
  const { copies, primary, isSought } = placed;
  const hasFailed = (name: string): boolean =>
    nodes.some((each) => each.name === name && each.standing === 'failed');
  if (!copies.some(({ name }) => name === node)) {
    return `${node} holds no copy of ${region}: name one of ${copies.map(({ name }) => name).join(', ')}.`;
  }
  if (hasFailed(node)) return `${node} has failed by the word of the witnesses.`;
  if (primary === node && !isSought) return `${node} is primary of ${region} already.`;
  const living = copies.filter(({ name, last }) => last !== undefined && !hasFailed(name)).length;
  const isMajority = living >= majority(copies.length);
  if (isMajority && acceptLoss) {
    const lives = `${living} of ${copies.length} copies of ${region} live`;
    return `${lives}, so nothing need be lost: leave --accept-loss out.`;
  }
  if (isMajority && isSought) return `A primary of ${region} is being sought: ask again in a second.`;
  if (isMajority || acceptLoss) return undefined;
  return (
    `Only ${living} of ${copies.length} copies of ${region} is left, too few to agree. If ${node} goes on ` +
    `alone, ${lossOf(placed, node)}. Bring another copy back; if none ever comes, add --accept-loss.`
  );
}

/** What is known to be lost if the copy goes on alone; who is gone may have had more than was heard of. */
function lossOf({ region, copies, heard }: RegionView, node: string): string {
  const last = copies.find(({ name }) => name === node)?.last;
  if (last === undefined) return `all of ${region} is lost: this copy is blank, or does not answer`;
  const end = `its log ends at entry ${last}`;
  if (heard <= last) return `${end}: nothing after that was heard of, and what there was is lost`;
  return `${end}: entries ${last + 1} to ${heard} are lost, and what there was after them`;
}

function refused(text: string): Promoted {
  return { done: false, text };
}
