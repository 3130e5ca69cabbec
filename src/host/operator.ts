// What an operator may ask of a running world, and how it is answered.
//
// `up.ts` answers the control socket with it, the CLI's commands ask. Questions come from outside: a
// malformed one gets a sentence, never an exception.
import { InvalidInputError } from '../base/errors.ts';
import type { Clock } from '../runtime/ports.ts';
import { type LinkFault, linkFault } from '../wire/link-faults.ts';
import { saveCopies } from './checkpointing.ts';
import { FAULTS_MAX, type Network } from './network.ts';
import type { NodeKeeper } from './node-keeper.ts';
import { parsePartition } from './partition.ts';
import { promoteCopy, type Promotion } from './promoting.ts';
import { beginReplacement, type ChangeableWorld, transferLeadership } from './replacing.ts';
import { selectNodes, SELECTORS_MAX } from './selectors.ts';
import { type Named, notThere, unknownName } from './unknown-name.ts';
import type { WorldView } from './view.ts';

export const NODE_ACTIONS = ['kill', 'pause', 'resume', 'restart'] as const;
export type NodeAction = (typeof NODE_ACTIONS)[number];

export type Question =
  | { readonly kind: 'status' }
  | { readonly kind: NodeAction; readonly nodes: readonly string[] }
  /** `sides` as `partition.ts` reads them. */
  | { readonly kind: 'partition'; readonly sides: string; readonly fault: LinkFault }
  | { readonly kind: 'heal' }
  /** Of all regions, unless one is named. */
  | { readonly kind: 'checkpoint'; readonly region?: string }
  | { readonly kind: 'transfer'; readonly group: string; readonly node: string }
  | ({ readonly kind: 'promote' } & Promotion)
  | { readonly kind: 'replace'; readonly node: string };

export type Answer =
  | { readonly kind: 'status'; readonly view: WorldView }
  /** What was done, in the order of the nodes. */
  | { readonly kind: 'acted'; readonly deeds: readonly Deed[] }
  /** What was done to the links, and the faults that lie on them now. */
  | { readonly kind: 'network'; readonly text: string; readonly faults: readonly string[] }
  /** `isUsage`: the question itself is wrong; else the world is in no state for it, now or ever. */
  | { readonly kind: 'refused'; readonly sentence: string; readonly isUsage?: boolean };

export interface Deed {
  readonly node: string;
  /** False when the node was not in a state in which that can be done. */
  readonly done: boolean;
  readonly text: string;
}

export interface Operated {
  readonly clock: Clock;
  /** A fresh look: an operator acts on what is now, not on what was a second ago. */
  view(): Promise<WorldView>;
  keeper(name: string): NodeKeeper | undefined;
  readonly network: Network;
  /** Absent where members stay as they are, as in a drill. */
  readonly changeable?: ChangeableWorld;
}

export async function answerOperator(world: Operated, question: unknown): Promise<Answer> {
  if (typeof question !== 'object' || question === null || !('kind' in question)) {
    return { kind: 'refused', sentence: 'The question is not one that this version knows.' };
  }
  if (question.kind === 'status') return { kind: 'status', view: await world.view() };
  if (question.kind === 'heal') return heal(world.network);
  if (question.kind === 'partition') return partition(world, question);
  if (question.kind === 'checkpoint') return checkpoint(world, question);
  if (question.kind === 'transfer' || question.kind === 'replace' || question.kind === 'promote') {
    if (world.changeable === undefined) {
      return { kind: 'refused', sentence: 'The members of this world stay as they are.' };
    }
    const change = { transfer, replace, promote }[question.kind];
    return change(world.changeable, question);
  }
  const action = NODE_ACTIONS.find((each) => each === question.kind);
  const selectors = 'nodes' in question ? question.nodes : undefined;
  if (action === undefined || !isSelectors(selectors)) {
    return { kind: 'refused', sentence: 'The question is not one that this version knows.' };
  }
  const selection = selectNodes(await world.view(), selectors);
  if (selection.kind !== 'nodes') return refusedFor(selection);
  const keepers = selection.names.flatMap((name) => world.keeper(name) ?? []);
  const deeds = await Promise.all(keepers.map((keeper) => act(keeper, action)));
  return { kind: 'acted', deeds };
}

async function act(keeper: NodeKeeper, action: NodeAction): Promise<Deed> {
  const { name, pid, condition } = keeper.facts;
  const told = (done: boolean, text: string): Deed => ({ node: name, done, text: `${name} ${text}` });
  switch (action) {
    case 'kill':
      return (await keeper.kill())
        ? told(true, `(process ${pid}) is killed and stays down until restarted`)
        : told(false, 'was not running');
    case 'pause':
      return keeper.pause()
        ? told(true, `(process ${pid}) is paused`)
        : told(false, `can not be paused: it is ${condition}`);
    case 'resume':
      return keeper.resume()
        ? told(true, `(process ${pid}) goes on`)
        : told(false, `was not paused: it is ${condition}`);
    case 'restart':
      await keeper.restart();
      return told(true, 'is starting again');
  }
}

/** Asked of everybody who holds copies and runs: each saves what it holds, durably when this answers. */
async function checkpoint(world: Operated, question: object): Promise<Answer> {
  const { region } = { region: undefined, ...question };
  const view = await world.view();
  const meant = view.regions.filter((each) => region === undefined || each.region === region);
  if (region !== undefined && meant.length === 0) {
    const known = view.regions.map((each) => each.region);
    return misused(notThere('region', String(region), known));
  }
  const [wanted] = region === undefined ? [] : meant;
  return { kind: 'acted', deeds: await saveCopies(world, view, wanted?.region) };
}

async function transfer(world: ChangeableWorld, question: object): Promise<Answer> {
  const { group, node } = { group: undefined, node: undefined, ...question };
  if (typeof group !== 'string' || typeof node !== 'string') {
    return { kind: 'refused', sentence: 'A transfer needs a group and a node.' };
  }
  const misnamed = misnamedIn(world, { group, node });
  if (misnamed !== undefined) return misnamed;
  const sentence = await transferLeadership(world, group, node);
  if (sentence !== undefined) return { kind: 'refused', sentence };
  return { kind: 'acted', deeds: [{ node, done: true, text: `${node} leads ${group}` }] };
}

async function promote(world: ChangeableWorld, question: object): Promise<Answer> {
  const wish = { region: undefined, node: undefined, acceptLoss: false, ...question };
  const { region, node, acceptLoss } = wish;
  if (typeof region !== 'string' || typeof node !== 'string' || typeof acceptLoss !== 'boolean') {
    return { kind: 'refused', sentence: 'A promotion needs a region and a node.' };
  }
  const misnamed = misnamedIn(world, { region, node });
  if (misnamed !== undefined) return misnamed;
  const { done, text } = await promoteCopy(world, { region, node, acceptLoss });
  return done ? { kind: 'acted', deeds: [{ node, done, text }] } : { kind: 'refused', sentence: text };
}

/** Answers once it has begun: its progress is shown where the world runs, and by its status. */
async function replace(world: ChangeableWorld, question: object): Promise<Answer> {
  const { node } = { node: undefined, ...question };
  if (typeof node !== 'string') return { kind: 'refused', sentence: 'Name the node to replace.' };
  const misnamed = misnamedIn(world, { node });
  if (misnamed !== undefined) return misnamed;
  const sentence = await beginReplacement(world, node);
  if (sentence !== undefined) return { kind: 'refused', sentence };
  const text = `${node} gets a new identity; the other nodes start again one after the other`;
  return { kind: 'acted', deeds: [{ node, done: true, text }] };
}

async function partition({ network, view }: Operated, question: object): Promise<Answer> {
  const { sides, fault } = { sides: undefined, fault: undefined, ...question };
  if (typeof sides !== 'string') {
    return { kind: 'refused', sentence: 'A partition has sides, such as "global-1 / rest".' };
  }
  try {
    const befalls = linkFault.parse(fault, 'fault');
    const cut = parsePartition(await view(), sides, befalls);
    if (cut.kind !== 'cut') return refusedFor(cut);
    // What happens stands first: where a line is cut, the list of nodes is.
    const name = `${describeFault(befalls)}: ${cut.name}`;
    if (!network.lay(name, cut.links)) {
      return { kind: 'refused', sentence: `There are ${FAULTS_MAX} faults already: heal them first.` };
    }
    const text = `${name}, until \`bluemarble heal\``;
    return { kind: 'network', text, faults: network.faults };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    return misused(`${cause.message}.`);
  }
}

function heal(network: Network): Answer {
  const healed = network.heal();
  const text = healed.length === 0 ? 'no link was faulty' : `healed: ${healed.join('; ')}`;
  return { kind: 'network', text, faults: network.faults };
}

/** What befalls the frames, in a few words. */
export function describeFault({ cut, delayMs, jitterMs, lossPerMille }: LinkFault): string {
  if (cut !== 'no') return cut === 'reset' ? 'links broken' : 'frames vanish';
  const words: string[] = [];
  if (delayMs > 0) words.push(`${delayMs}${jitterMs > 0 ? ` +- ${jitterMs}` : ''} ms`);
  if (lossPerMille > 0) words.push(`${lossPerMille / 10} % lost`);
  return words.join(', ') || 'no fault';
}

function misnamedIn(
  world: ChangeableWorld,
  names: Readonly<Partial<Record<Named, string>>>,
): Answer | undefined {
  const sentence = unknownName(world.topology(), names);
  return sentence === undefined ? undefined : misused(sentence);
}

function refusedFor({ kind, sentence }: { readonly kind: string; readonly sentence: string }): Answer {
  return kind === 'nobody' ? { kind: 'refused', sentence } : misused(sentence);
}

function misused(sentence: string): Answer {
  return { kind: 'refused', sentence, isUsage: true };
}

function isSelectors(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= SELECTORS_MAX &&
    value.every((selector) => typeof selector === 'string')
  );
}
