// Which nodes an operator means: names, or the part that a node plays at this moment.
//
// `bluemarble kill leader:economy` must hit whoever leads now, so the running supervisor resolves it
// against its latest view. `all` is every node; `follower:GROUP` and `replica:REGION` are the first one
// that is up, `replicas:REGION` all nodes that hold a copy besides the primary.
import { notThere } from './unknown-name.ts';
import type { WorldView } from './view.ts';

/** Longer lists of nodes than this are no command but a mistake. */
export const SELECTORS_MAX = 64;

export type Selection =
  | { readonly kind: 'nodes'; readonly names: readonly string[] }
  /** One sentence that says what to name instead. */
  | { readonly kind: 'unknown'; readonly sentence: string }
  /** The name is right, and nobody plays that part at this moment; one sentence. */
  | { readonly kind: 'nobody'; readonly sentence: string };

/** The nodes that the selectors name, each once, in the order of naming. */
export function selectNodes(view: WorldView, selectors: readonly string[]): Selection {
  const names = new Set<string>();
  for (const selector of selectors) {
    const selection = selectOne(view, selector);
    if (selection.kind !== 'nodes') return selection;
    for (const name of selection.names) names.add(name);
  }
  return { kind: 'nodes', names: [...names] };
}

function selectOne(view: WorldView, selector: string): Selection {
  const all = view.nodes.map((node) => node.name);
  if (selector === 'all') return { kind: 'nodes', names: all };
  if (all.includes(selector)) return { kind: 'nodes', names: [selector] };
  const [role, whose, ...rest] = selector.split(':');
  if (whose !== undefined && rest.length === 0) {
    if (role === 'leader' || role === 'follower') return selectMember(view, role, whose);
    if (role === 'primary' || role === 'replica' || role === 'replicas') {
      return selectCopies(view, role, whose);
    }
  }
  return unknown(notThere('node', selector, all));
}

function selectMember(view: WorldView, role: 'leader' | 'follower', name: string): Selection {
  const group = view.groups.find((each) => each.group === name);
  if (group === undefined) {
    return unknown(notThere('group', name, view.groups.map((each) => each.group)));
  }
  if (group.leader === undefined) {
    return nobody(`Nobody leads ${name} at this moment: ask again in a second.`);
  }
  if (role === 'leader') return { kind: 'nodes', names: [group.leader] };
  const others = group.members.filter((member) => member.name !== group.leader);
  return firstUp(view, others, `No follower of ${name} is up: restart one.`);
}

function selectCopies(
  view: WorldView,
  role: 'primary' | 'replica' | 'replicas',
  name: string,
): Selection {
  const region = view.regions.find((each) => each.region === name);
  if (region === undefined) {
    return unknown(notThere('region', name, view.regions.map((each) => each.region)));
  }
  const { primary, copies } = region;
  if (primary === undefined) {
    return nobody(`Nobody knows the primary of ${name} at this moment: ask again in a second.`);
  }
  if (role === 'primary') return { kind: 'nodes', names: [primary] };
  const others = copies.filter((copy) => copy.name !== primary);
  if (role === 'replicas') return { kind: 'nodes', names: others.map((copy) => copy.name) };
  return firstUp(view, others, `No replica of ${name} is up: restart one.`);
}

function firstUp(
  view: WorldView,
  candidates: readonly { readonly name: string }[],
  otherwise: string,
): Selection {
  const isUp = (name: string): boolean =>
    view.nodes.some((node) => node.name === name && node.condition === 'up');
  const found = candidates.find(({ name }) => isUp(name));
  return found === undefined ? nobody(otherwise) : { kind: 'nodes', names: [found.name] };
}

function unknown(sentence: string): Selection {
  return { kind: 'unknown', sentence };
}

function nobody(sentence: string): Selection {
  return { kind: 'nobody', sentence };
}
