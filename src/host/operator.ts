// What an operator may ask of a running world, and how it is answered.
//
// `up.ts` answers the control socket with it, the CLI's commands ask. Questions come from outside: a
// malformed one gets a sentence, never an exception.
import type { NodeKeeper } from './node-keeper.ts';
import { selectNodes, SELECTORS_MAX } from './selectors.ts';
import type { WorldView } from './view.ts';

export const NODE_ACTIONS = ['kill', 'pause', 'resume', 'restart'] as const;
export type NodeAction = (typeof NODE_ACTIONS)[number];

export type Question =
  | { readonly kind: 'status' }
  | { readonly kind: NodeAction; readonly nodes: readonly string[] };

export type Answer =
  | { readonly kind: 'status'; readonly view: WorldView }
  /** What was done, in the order of the nodes. */
  | { readonly kind: 'acted'; readonly deeds: readonly Deed[] }
  | { readonly kind: 'refused'; readonly sentence: string };

export interface Deed {
  readonly node: string;
  /** False when the node was not in a state in which that can be done. */
  readonly done: boolean;
  readonly text: string;
}

export interface Operated {
  /** A fresh look: an operator acts on what is now, not on what was a second ago. */
  view(): Promise<WorldView>;
  keeper(name: string): NodeKeeper | undefined;
}

export async function answerOperator(world: Operated, question: unknown): Promise<Answer> {
  if (typeof question !== 'object' || question === null || !('kind' in question)) {
    return { kind: 'refused', sentence: 'The question is not one that this version knows.' };
  }
  if (question.kind === 'status') return { kind: 'status', view: await world.view() };
  const action = NODE_ACTIONS.find((each) => each === question.kind);
  const selectors = 'nodes' in question ? question.nodes : undefined;
  if (action === undefined || !isSelectors(selectors)) {
    return { kind: 'refused', sentence: 'The question is not one that this version knows.' };
  }
  const selection = selectNodes(await world.view(), selectors);
  if (selection.kind === 'unknown') return { kind: 'refused', sentence: selection.sentence };
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

function isSelectors(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= SELECTORS_MAX &&
    value.every((selector) => typeof selector === 'string')
  );
}
