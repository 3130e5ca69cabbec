// Which nodes an operator means: names, or the part that a node plays at this moment.
//
// `bluemarble kill leader:economy` must hit whoever leads now, so the running supervisor resolves it
// against its latest view. `all` is every node; `follower:GROUP` and `replica:REGION` are the first one
// that is up, `replicas:REGION` all nodes that hold a copy besides the primary.
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
  const [role, whose, ...rest] = selector.split(':');
  if (whose !== undefined && rest.length === 0) {
    if (role === 'leader' || role === 'follower') return selectMember(view, role, whose);
    if (role === 'primary' || role === 'replica' || role === 'replicas') {
      return selectCopies(view, role, whose);
    }
  }
  return unknown(`There is no node "${selector}": name one of ${all.join(', ')}.`);
}

function selectMember(view: WorldView, role: 'leader' | 'follower', name: string): Selection {
  const group = view.groups.find((each) => each.group === name);
  if (group === undefined) {
    const groups = view.groups.map((each) => each.group).join(', ');
    return unknown(`There is no group "${name}": name one of ${groups}.`);
  }
  if (group.leader === undefined) {
    return unknown(`Nobody leads ${name} at this moment: ask again in a second.`);
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
    const regions = view.regions.map((each) => each.region).join(', ');
    return unknown(`There is no region "${name}": name one of ${regions}.`);
  }
  const { primary, copies } = region;
  if (primary === undefined) {
    return unknown(`Nobody knows the primary of ${name} at this moment: ask again in a second.`);
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
  return found === undefined ? unknown(otherwise) : { kind: 'nodes', names: [found.name] };
}

function unknown(sentence: string): Selection {
  return { kind: 'unknown', sentence };
}
