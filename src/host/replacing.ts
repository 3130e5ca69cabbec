// `bluemarble transfer` and `bluemarble replace`: what the supervisor does to groups for an operator.
//
// `operator.ts` calls it. Groups are changed by whoever leads them; this asks and looks until it is so.
// A replaced node gets a new identity, an empty folder and its predecessor's place; the old folder is
// kept beside it. Every other node starts again in order, one after the other, to learn of it; only then
// the groups exchange the old member for the new one. Copies of regions are named by the topology alone:
// placement learns them from the first witness that started again, and their primaries fill them.
import type { NodeId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Operation } from '../services/operation.ts';
import { replaceNode } from '../services/replacement.ts';
import type { NodePlan, Topology } from '../services/topology.ts';
import { placement } from '../world/features/placement.ts';
import type { NodeKeeper } from './node-keeper.ts';
import type { RegionView, WorldView } from './view.ts';
import { pauseUntil } from './waits.ts';

const TRANSFER_MS_MAX = 2_000;
const RESTART_MS_MAX = 20_000;
const CHANGE_MS_MAX = 120_000;

export interface ChangeableWorld {
  readonly clock: Clock;
  topology(): Topology;
  view(): Promise<WorldView>;
  /** The members of a group by its leader's account, voters or not; `undefined` while nobody leads. */
  membersOf(group: string): readonly NodeId[] | undefined;
  keeper(name: string): NodeKeeper | undefined;
  /** Publishes a topology and sets the folder of a retired node aside. */
  adopt(topology: Topology, retired: NodePlan): void;
  event(text: string): void;
}

/** `undefined` when it is done, else a sentence that says why not. */
export async function transferLeadership(
  world: ChangeableWorld,
  group: string,
  name: string,
): Promise<string | undefined> {
  const { groups, nodes } = world.topology();
  const plan = groups.find((each) => each.name === group);
  const target = nodes.find((each) => each.name === name);
  if (plan === undefined) return `There is no group "${group}".`;
  if (target === undefined || !plan.members.includes(target.id)) {
    return `${name} is no member of ${group}: name one that is.`;
  }
  const leader = await leaderOf(world, group);
  if (leader === name) return `${name} leads ${group} already.`;
  if (leader === undefined) return `Nobody leads ${group} at this moment: ask again in a second.`;
  tell(world, leader, { kind: 'transfer', group, nodes: [target.id] });
  const { clock } = world;
  await pauseUntil(clock, TRANSFER_MS_MAX, async () => (await leaderOf(world, group)) === name);
  if ((await leaderOf(world, group)) === name) return undefined;
  return `${name} did not take ${group} over: it is too far behind or does not answer.`;
}

/** Why this node can not be replaced now; `undefined` when it can. */
export async function replacementHindrance(
  world: ChangeableWorld,
  name: string,
): Promise<string | undefined> {
  const plan = world.topology().nodes.find((node) => node.name === name);
  if (plan === undefined) return `There is no node "${name}".`;
  const condition = world.keeper(name)?.facts.condition;
  if (condition !== 'down' && condition !== 'failed') {
    return `${name} is ${condition}: a node is replaced for good, so \`bluemarble kill ${name}\` first.`;
  }
  const view = await world.view();
  for (const group of concerned(world.topology(), plan)) {
    if (view.groups.find((each) => each.group === group)?.leader !== undefined) continue;
    return `Nobody leads ${group}, which must agree to it: bring a majority of its members back.`;
  }
  return view.regions
    .map((region) => copyHindrance(view, region, name))
    .find((sentence) => sentence !== undefined);
}

/** A blank copy is filled by its primary: without one, its region would only get one copy less. */
function copyHindrance(
  { nodes }: WorldView,
  { region, primary, isSought, copies }: RegionView,
  name: string,
): string | undefined {
  if (!copies.some((copy) => copy.name === name)) return undefined;
  if (!isSought && primary !== undefined && primary !== name) return undefined;
  const away = copies
    .map((copy) => copy.name)
    .filter((other) => other !== name && nodes.find((node) => node.name === other)?.condition !== 'up');
  if (away.length === 0) return `${region} is being given another primary: ask again in a second.`;
  return (
    `${region} has no primary, which would fill its new copy: bring ${away.join(' and ')} back. If ` +
    `that can not be, give it to a copy that lives: \`bluemarble promote ${region} NODE --accept-loss\`.`
  );
}

/** Replaces the node; its progress is told as events. Throws nothing: what fails is told too. */
export async function replaceForGood(world: ChangeableWorld, name: string): Promise<void> {
  const before = world.topology();
  const old = before.nodes.find((node) => node.name === name);
  if (old === undefined) return;
  const { topology, id } = replaceNode(before, old.id);
  world.adopt(topology, old);
  await world.keeper(name)?.restart();
  for (const kind of ['global', 'region'] as const) {
    for (const node of topology.nodes) {
      if (node.kind === kind && node.name !== name) await startAgain(world, node.name);
    }
  }
  for (const group of topology.groups) {
    if (group.members.includes(id)) await exchange(world, group.name, group.members);
  }
  for (const region of topology.regions) {
    if (region.copies.includes(id)) await filled(world, region.name, name);
  }
  world.event(`${name} is replaced: its new identity is ${id}, ${old.id} is never used again`);
}

async function startAgain(world: ChangeableWorld, name: string): Promise<void> {
  const keeper = world.keeper(name);
  // One that an operator keeps down reads the new topology whenever it starts.
  if (keeper === undefined || keeper.facts.condition !== 'up') return;
  await keeper.restart();
  await pauseUntil(world.clock, RESTART_MS_MAX, () => keeper.facts.condition === 'up');
}

async function exchange(
  world: ChangeableWorld,
  group: string,
  members: readonly NodeId[],
): Promise<void> {
  // Once a new node was itself replaced, two exchanges would undo each other's steps.
  const isOutdated = (): boolean => {
    const wanted = world.topology().groups.find(({ name }) => name === group)?.members ?? [];
    return !members.every((node) => wanted.includes(node));
  };
  const isDone = await pauseUntil(world.clock, CHANGE_MS_MAX, async () => {
    if (isOutdated()) return true;
    const leader = await leaderOf(world, group);
    if (leader !== undefined) tell(world, leader, { kind: 'reconfigure', group, nodes: members });
    const present = world.membersOf(group) ?? [];
    return present.length === members.length && members.every((node) => present.includes(node));
  });
  if (isOutdated()) return;
  const text = isDone === false ? 'did not exchange its member yet' : 'has exchanged its member';
  world.event(`${group} ${text}`);
}

/** Waits until the primary of the region has brought the new copy level. */
async function filled(world: ChangeableWorld, region: string, name: string): Promise<void> {
  const isDone = await pauseUntil(world.clock, CHANGE_MS_MAX, async () => {
    const placed = (await world.view()).regions.find((each) => each.region === region);
    return placed?.copies.some((copy) => copy.name === name && copy.isHealthy) === true;
  });
  const text = isDone === false ? 'is not filled yet' : 'is filled';
  world.event(`the copy of ${region} at ${name} ${text}`);
}

async function leaderOf(world: ChangeableWorld, group: string): Promise<string | undefined> {
  const { groups } = await world.view();
  return groups.find((each) => each.group === group)?.leader;
}

/** The groups that must decide something: of a region node, the one that appoints primaries. */
function concerned({ groups }: Topology, { id, kind }: NodePlan): readonly string[] {
  return groups
    .filter(({ members, features }) =>
      kind === 'region' ? features.includes(placement.name) : members.includes(id),
    )
    .map(({ name }) => name);
}

function tell(world: ChangeableWorld, node: string, operation: Operation): void {
  world.keeper(node)?.tell(operation);
}
