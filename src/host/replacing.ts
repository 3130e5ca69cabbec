// `bluemarble transfer` and `bluemarble replace`: what the supervisor does to groups for an operator.
//
// `operator.ts` calls it. Groups are changed by whoever leads them; this asks and looks until it is so.
// A replaced node gets a new identity, an empty folder and its predecessor's place; the old folder is
// kept beside it. Every other node starts again in order, to learn of it, each when the one before is trusted
// again and holds what it did. Only then the groups exchange the old member for the new one. Copies of
// regions are named by the topology alone: placement learns them from the first witness that started again,
// and their primaries fill them.
// A world that ends is not waited for: what is left to do then is done at its next start.
// Invariant: one replacement is in hand at a time. Two would have two nodes away at once besides the dead
// ones, and each would exchange members by a topology that the other has changed.
import { invariant } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Operation } from '../services/calls/operation.ts';
import { replaceNode } from '../services/topology/replacement.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
import { placement } from '../world/features/placement.ts';
import type { NodeKeeper } from './node-keeper.ts';
import { isSteadyAfter } from './steadiness.ts';
import type { NodeCondition, RegionView, WorldView } from './view.ts';
import { pauseUntil } from './waits.ts';

const TRANSFER_MS_MAX = 2_000;
/** A node is ready within seconds, and doubted for some five; a copy may be slow to become level. */
const RESTART_MS_MAX = 20_000;
const CHANGE_MS_MAX = 120_000;
const LEADERS_MS_MAX = 20_000;
/** Longer than the restarts and exchanges of one replacement take where none of them succeeds. */
const REPLACEMENT_MS_MAX = 3_600_000;
/** A group whose majority is up has a leader within a fraction of it. */
const ELECTION_MS_MAX = 3_000;

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
  /** One for as long as the world runs. */
  readonly inHand: InHand;
  /** Its nodes are being ended: no change is begun or waited for any more. */
  isEnding(): boolean;
}

/** What is being done to the members of the world's groups: one thing at a time. */
export class InHand {
  #work: string | undefined;

  /** The clause that says what is in hand. */
  get work(): string | undefined {
    return this.#work;
  }

  /** Takes work in hand; false, and nothing changes, while other work is. */
  take(work: string): boolean {
    if (this.#work !== undefined) return false;
    this.#work = work;
    return true;
  }

  release(): void {
    this.#work = undefined;
  }
}

/** For a group and a node that are there: `undefined` when it is done, else a sentence that says why not. */
export async function transferLeadership(
  world: ChangeableWorld,
  group: string,
  name: string,
): Promise<string | undefined> {
  const { groups, nodes } = world.topology();
  const plan = groups.find((each) => each.name === group);
  const target = nodes.find((each) => each.name === name);
  invariant(plan !== undefined && target !== undefined, 'the group and the node are there');
  if (!plan.members.includes(target.id)) {
    const members = nodes.filter(({ id }) => plan.members.includes(id)).map((node) => node.name);
    return `${name} is no member of ${group}: name one of ${members.join(', ')}.`;
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

/** Begins to replace the node; a sentence when something is in the way, and nothing is begun then. */
export async function beginReplacement(
  world: ChangeableWorld,
  name: string,
): Promise<string | undefined> {
  const { inHand } = world;
  // Taken before the first look: two who ask at the same moment would both find nothing in the way.
  if (!inHand.take(`${name} is being replaced`)) {
    return `${inHand.work ?? 'Another node is being replaced'}: ask again when that is done.`;
  }
  let hindrance: string | undefined;
  try {
    hindrance = await replacementHindrance(world, name);
  } catch (cause) {
    inHand.release();
    throw cause;
  }
  if (hindrance === undefined) void seeThrough(world, name);
  else inHand.release();
  return hindrance;
}

async function seeThrough(world: ChangeableWorld, name: string): Promise<void> {
  try {
    await replaceForGood(world, name);
  } catch (cause) {
    world.event(`${name} is not replaced: ${cause instanceof Error ? cause.message : String(cause)}`);
  } finally {
    world.inHand.release();
  }
}

/** Why this node, which is there, can not be replaced now; `undefined` when it can. */
export async function replacementHindrance(
  world: ChangeableWorld,
  name: string,
): Promise<string | undefined> {
  const plan = world.topology().nodes.find((node) => node.name === name);
  invariant(plan !== undefined, 'the node is there');
  const condition = world.keeper(name)?.facts.condition;
  if (condition !== 'down' && condition !== 'failed') {
    return `${name} is ${condition}: a node is replaced for good, so \`bluemarble kill ${name}\` first.`;
  }
  for (const group of concerned(world.topology(), plan)) {
    // Where the node that died led, its successor is elected at this moment.
    const isLed = async (): Promise<boolean> => (await leaderOf(world, group)) !== undefined;
    if (await pauseIn(world, ELECTION_MS_MAX, isLed)) continue;
    return `Nobody leads ${group}, which must agree to it: bring a majority of its members back.`;
  }
  const view = await world.view();
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
  const conditionOf = (other: string): NodeCondition | undefined =>
    nodes.find((node) => node.name === other)?.condition;
  const others = copies.map((copy) => copy.name).filter((other) => other !== name);
  const away = others.filter((other) => conditionOf(other) !== 'up');
  const isComing = others.some((other) => conditionOf(other) === 'starting');
  if (away.length === 0 || isComing) {
    return `${region} is being given another primary: ask again in a few seconds.`;
  }
  return (
    `${region} has no primary, which would fill its new copy: bring ${away.join(' and ')} back. If ` +
    `that can not be, \`bluemarble promote ${region} NODE\` tells what it costs to go on without.`
  );
}

/** Replaces the node; its progress, and what is not done in time, is told as events. */
export async function replaceForGood(world: ChangeableWorld, name: string): Promise<void> {
  const before = world.topology();
  const old = before.nodes.find((node) => node.name === name);
  if (old === undefined) return;
  const { topology, id } = replaceNode(before, old.id);
  world.adopt(topology, old);
  await world.keeper(name)?.restart();
  for (const kind of ['global', 'region'] as const) {
    for (const node of topology.nodes) {
      if (node.kind === kind && node.name !== name) await startAgain(world, node.name, name);
    }
  }
  for (const group of topology.groups) {
    if (group.members.includes(id)) await exchange(world, group.name, group.members);
  }
  for (const region of topology.regions) {
    if (region.copies.includes(id)) await filled(world, region.name, name);
  }
  if (world.isEnding()) return;
  world.event(`${name} is replaced: its new identity is ${id}, ${old.id} is never used again`);
}

/** What the end of the world cut short when it ran last: groups that have a member too many, or too few. */
export async function finishReplacements(world: ChangeableWorld): Promise<void> {
  for (const { name } of world.topology().groups) {
    await pauseIn(world, LEADERS_MS_MAX, async () => (await leaderOf(world, name)) !== undefined);
    const isLeft = (): boolean =>
      world.membersOf(name) !== undefined && !consistsOf(world, name, membersIn(world, name));
    if (!isLeft()) continue;
    const { inHand } = world;
    const take = (): boolean => inHand.take(`${name} is exchanging a member`);
    if (!(await pauseIn(world, REPLACEMENT_MS_MAX, take))) return;
    try {
      // An operator's replacement that was in hand may have done it.
      if (isLeft()) await exchange(world, name, membersIn(world, name));
    } finally {
      inHand.release();
    }
  }
}

async function startAgain(world: ChangeableWorld, name: string, replaced: string): Promise<void> {
  const keeper = world.keeper(name);
  // One that an operator keeps down reads the new topology whenever it starts.
  if (keeper === undefined || keeper.facts.condition !== 'up' || world.isEnding()) return;
  await keeper.restart();
  const isSteady = await pauseIn(world, RESTART_MS_MAX, async () => {
    return isSteadyAfter(await world.view(), name, replaced);
  });
  if (isSteady || world.isEnding()) return;
  const seconds = RESTART_MS_MAX / 1_000;
  world.event(`${name} is not whole again after ${seconds} s: the next node starts again all the same`);
}

async function exchange(
  world: ChangeableWorld,
  group: string,
  members: readonly NodeId[],
): Promise<void> {
  // Once a new node was itself replaced, two exchanges would undo each other's steps.
  const isOutdated = (): boolean => {
    const wanted = membersIn(world, group);
    return !members.every((node) => wanted.includes(node));
  };
  const isDone = await pauseIn(world, CHANGE_MS_MAX, async () => {
    if (isOutdated()) return true;
    const leader = await leaderOf(world, group);
    if (leader !== undefined) tell(world, leader, { kind: 'reconfigure', group, nodes: members });
    return consistsOf(world, group, members);
  });
  if (isOutdated() || world.isEnding()) return;
  const text = isDone === false ? 'did not exchange its member yet' : 'has exchanged its member';
  world.event(`${group} ${text}`);
}

/** Waits until the primary of the region has brought the new copy level. */
async function filled(world: ChangeableWorld, region: string, name: string): Promise<void> {
  const isDone = await pauseIn(world, CHANGE_MS_MAX, async () => {
    const placed = (await world.view()).regions.find((each) => each.region === region);
    return placed?.copies.some((copy) => copy.name === name && copy.isHealthy) === true;
  });
  if (world.isEnding()) return;
  const text = isDone === false ? 'is not filled yet' : 'is filled';
  world.event(`the copy of ${region} at ${name} ${text}`);
}

/** By the topology of this moment. */
function membersIn(world: ChangeableWorld, group: string): readonly NodeId[] {
  return world.topology().groups.find(({ name }) => name === group)?.members ?? [];
}

function consistsOf(world: ChangeableWorld, group: string, members: readonly NodeId[]): boolean {
  const present = world.membersOf(group) ?? [];
  return present.length === members.length && members.every((node) => present.includes(node));
}

/** Looks until `holds`, for so long at most, or until the world ends; whether it did. */
async function pauseIn(
  world: ChangeableWorld,
  durationMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  let isHeld = false;
  await pauseUntil(world.clock, durationMs, async () => {
    isHeld = !world.isEnding() && (await holds());
    return isHeld || world.isEnding();
  });
  return isHeld;
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
