// What an operator means by `A,B / C,D` and `A > B`: which links are cut in which direction.
//
// `operator.ts` reads partitions with it. Sides are separated by `/` (no frame passes, either way) or by
// one `>` (no frame passes from left to right). A side lists nodes as all commands do, by commas; `rest` is
// every node that no side names. Who is on no side reaches everybody.
import type { LinkFault } from '../wire/link-faults.ts';
import { between, type DirectedFault, oneWay } from './network.ts';
import { type Selection, selectNodes, SELECTORS_MAX } from './selectors.ts';
import type { WorldView } from './view.ts';

const TEXT_LENGTH_MAX = 1_024;
const EXAMPLE = 'write it as "global-1,eu / rest" or "global-1 > global-2"';

export type Cut =
  | { readonly kind: 'cut'; readonly name: string; readonly links: readonly DirectedFault[] }
  | Exclude<Selection, { readonly kind: 'nodes' }>;

/** The links of a partition; its name lists the nodes that are meant. */
export function parsePartition(view: WorldView, text: string, fault: LinkFault): Cut {
  if (text.length > TEXT_LENGTH_MAX) return unknown(`That is too long: ${EXAMPLE}.`);
  const isOneWay = text.includes('>');
  const parts = text.split(isOneWay ? '>' : '/').map((part) => part.trim());
  const isMixed = isOneWay && (text.includes('/') || parts.length !== 2);
  const isTwice = parts.filter((part) => part === 'rest').length > 1;
  if (parts.length < 2 || isMixed || isTwice) return unknown(`A partition has sides: ${EXAMPLE}.`);
  const sides: (readonly string[] | 'rest')[] = [];
  const named = new Set<string>();
  for (const part of parts) {
    if (part === 'rest') {
      sides.push('rest');
      continue;
    }
    const selectors = part.split(',').map((selector) => selector.trim());
    if (selectors.length > SELECTORS_MAX) return unknown(`That side is too long: ${EXAMPLE}.`);
    const selection = selectNodes(view, selectors);
    if (selection.kind !== 'nodes') return selection;
    const twice = selection.names.find((name) => named.has(name));
    if (twice !== undefined) return unknown(`${twice} stands on two sides: name it on one.`);
    for (const name of selection.names) named.add(name);
    sides.push(selection.names);
  }
  const rest = view.nodes.map(({ name }) => name).filter((name) => !named.has(name));
  const whole = sides.map((side) => (side === 'rest' ? rest : side));
  if (whole.some((side) => side.length === 0)) return unknown('The rest is nobody: name fewer nodes.');
  const [left = [], right = []] = whole;
  return {
    kind: 'cut',
    name: whole.map((side) => side.join(',')).join(isOneWay ? ' > ' : ' / '),
    links: isOneWay ? oneWay(left, right, fault) : between(whole, fault),
  };
}

function unknown(sentence: string): Cut {
  return { kind: 'unknown', sentence };
}
