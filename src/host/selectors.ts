// Which nodes an operator means: names, or the part that a node plays at this moment.
//
// `bluemarble kill leader:economy` must hit whoever leads now, so the running supervisor resolves it
// against its latest view. `all` is every node; `follower:GROUP` is the first one that is up.
import type { WorldView } from './view.ts';

/** Longer lists of nodes than this are no command but a mistake. */
export const SELECTORS_MAX = 64;

export type Selection =
  | { readonly kind: 'nodes'; readonly names: readonly string[] }
  /** One sentence that says what to change. */
  | { readonly kind: 'unknown'; readonly sentence: string };

/** The nodes that the selectors name, each once, in the order of naming. */
export function selectNodes(view: WorldView, selectors: readonly string[]): Selection {
  const names = new Set<string>();
  for (const selector of selectors) {
    const selection = selectOne(view, selector);
    if (selection.kind === 'unknown') return selection;
    for (const name of selection.names) names.add(name);
  }
  return { kind: 'nodes', names: [...names] };
}

function selectOne(view: WorldView, selector: string): Selection {
  const all = view.nodes.map((node) => node.name);
  if (selector === 'all') return { kind: 'nodes', names: all };
  if (all.includes(selector)) return { kind: 'nodes', names: [selector] };
  const [role, groupName, ...rest] = selector.split(':');
  if (groupName === undefined || rest.length > 0 || (role !== 'leader' && role !== 'follower')) {
    return unknown(`There is no node "${selector}": name one of ${all.join(', ')}.`);
  }
  const group = view.groups.find((each) => each.group === groupName);
  if (group === undefined) {
    const groups = view.groups.map((each) => each.group).join(', ');
    return unknown(`There is no group "${groupName}": name one of ${groups}.`);
  }
  if (group.leader === undefined) {
    return unknown(`Nobody leads ${groupName} at this moment: ask again in a second.`);
  }
  if (role === 'leader') return { kind: 'nodes', names: [group.leader] };
  const isUp = (name: string): boolean =>
    view.nodes.some((node) => node.name === name && node.condition === 'up');
  const follower = group.members.find(({ name }) => name !== group.leader && isUp(name));
  if (follower === undefined) return unknown(`No follower of ${groupName} is up: restart one.`);
  return { kind: 'nodes', names: [follower.name] };
}

function unknown(sentence: string): Selection {
  return { kind: 'unknown', sentence };
}
