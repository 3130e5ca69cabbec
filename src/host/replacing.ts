// `bluemarble transfer` and `bluemarble replace`: what the supervisor does to groups for an operator.
//
// `operator.ts` calls it. Groups are changed by whoever leads them; this asks and looks until it is so.
// A replaced node gets a new identity, an empty folder and its predecessor's place; the old folder is
// kept beside it. Every other node starts again in order, one after the other, to learn of it; only then
// the groups exchange the old member for the new one.
import type { NodeId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Operation } from '../services/operation.ts';
import { replaceNode } from '../services/replacement.ts';
import type { NodePlan, Topology } from '../services/topology.ts';
import type { NodeKeeper } from './node-keeper.ts';
import type { WorldView } from './view.ts';
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
  if (plan.kind === 'region') return `${name} keeps nothing that could be lost: restart it instead.`;
  const condition = world.keeper(name)?.facts.condition;
  if (condition !== 'down' && condition !== 'failed') {
    return `${name} is ${condition}: a node is replaced for good, so \`bluemarble kill ${name}\` first.`;
  }
  for (const group of groupsOf(world.topology(), plan.id)) {
    if ((await leaderOf(world, group)) !== undefined) continue;
    return `Nobody leads ${group}, which must agree to it: bring a majority of its members back.`;
  }
  return undefined;
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

async function leaderOf(world: ChangeableWorld, group: string): Promise<string | undefined> {
  const { groups } = await world.view();
  return groups.find((each) => each.group === group)?.leader;
}

function groupsOf({ groups }: Topology, id: NodeId): readonly string[] {
  return groups.filter(({ members }) => members.includes(id)).map(({ name }) => name);
}

function tell(world: ChangeableWorld, node: string, operation: Operation): void {
  world.keeper(node)?.tell(operation);
}
