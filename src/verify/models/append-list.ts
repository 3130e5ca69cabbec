// A list that is appended to and read as a whole.
//
// `append` takes an element, any JSON, and is answered with nothing; `read` is answered with the list.
// The initial state of a key is its list. A state is a node of the tree of all lists that occur, so that
// appending takes one step and comparing lists is comparing nodes.
import type { Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import { canonical, initialOf, listOf, noResult, Numbering, rejectionOf } from '../reading.ts';

interface ListNode {
  readonly shorter: ListNode | undefined;
  readonly last: number;
  readonly length: number;
  readonly number: number;
  readonly longer: Map<number, ListNode>;
}

type ListAction = AppendAction | ReadAction;
interface AppendAction extends Action {
  readonly kind: 'append';
  readonly element: number;
}
interface ReadAction extends Action {
  readonly kind: 'read';
  readonly list: ListNode;
}

/** How far a list is that no appending leads to. */
const NEVER = 1e9;

export const appendList: Model<ListNode, ListAction> = {
  name: 'list',
  functions: ['append', 'read'],
  open(part: Part): Problem<ListNode, ListAction> {
    const elements = new Numbering();
    const tree = new ListTree();
    const list = (values: readonly unknown[]): ListNode =>
      values.reduce<ListNode>((node, value) => tree.append(node, elements.of(canonical(value))), tree.empty);
    const actionOf = (operation: Operation): ListAction | undefined => {
      rejectionOf(operation, []);
      if (operation.f === 'append') {
        noResult(operation);
        return { kind: 'append', changes: true, element: elements.of(canonical(operation.input)) };
      }
      if (!operation.isKnown) return undefined;
      const values = listOf(operation, operation.result, 'the elements as its answer');
      return { kind: 'read', changes: false, list: list(values) };
    };
    return {
      initial: list(listOf('init', initialOf(part.initial, part.name) ?? [], 'the elements')),
      actions: part.operations.map(actionOf),
      sameness: { hash: ({ number }) => number, equal: (one, other) => one === other },
      step(state, action) {
        if (action.kind === 'append') return tree.append(state, action.element);
        return action.list === state ? state : undefined;
      },
      misfit: (state, action) => (action.kind === 'read' ? missing(state, action.list) : 0),
      describe: (state) => describe(state, elements),
    };
  },
};

class ListTree {
  readonly empty: ListNode = { shorter: undefined, last: 0, length: 0, number: 0, longer: new Map() };
  #nodes = 0;

  append(node: ListNode, element: number): ListNode {
    const known = node.longer.get(element);
    if (known !== undefined) return known;
    this.#nodes += 1;
    const longer: ListNode = {
      shorter: node,
      last: element,
      length: node.length + 1,
      number: this.#nodes,
      longer: new Map(),
    };
    node.longer.set(element, longer);
    return longer;
  }
}

/** How many elements `list` has beyond `state`; `NEVER` when it does not begin like it. */
function missing(state: ListNode, list: ListNode): number {
  let node: ListNode | undefined = list;
  while (node !== undefined && node.length > state.length) node = node.shorter;
  return node === state ? list.length - state.length : NEVER;
}

function describe(state: ListNode, elements: Numbering): string {
  const shown: string[] = [];
  let node: ListNode | undefined = state;
  for (; node?.shorter !== undefined && shown.length < 8; node = node.shorter) {
    shown.unshift(elements.text(node.last));
  }
  return `[${state.length > shown.length ? '..., ' : ''}${shown.join(', ')}]`;
}
