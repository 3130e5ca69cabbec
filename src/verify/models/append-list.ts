// A list that is appended to and read as a whole.
//
// `append` takes an element, any JSON, and is answered with nothing; `read` is answered with the list.
// The initial state of a key is its list. A list only grows, so until its longest reading took place it is
// a beginning of that reading, and behind it nobody reads any more. The state is therefore a length. What
// is told of a violation may be an append whose element should stand in that reading and does not.
import type { Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import { canonical, initialOf, listOf, noResult, rejectionOf } from '../reading.ts';

type List = readonly string[];

interface ListAction extends Action {
  /** What is appended, in canonical JSON. */
  readonly element: string | undefined;
  /** The length at which the list is what was read; -1 when it never is. */
  readonly length: number;
}

/** Elements shown of a state, the last ones. */
const SHOWN_MAX = 8;

export const appendList: Model<number, ListAction> = {
  name: 'list',
  functions: ['append', 'read'],
  open(part: Part): Problem<number, ListAction> {
    const initial = elementsOf(listOf('init', initialOf(part.initial, part.name) ?? [], 'the elements'));
    const reads = new Map<Operation, List>();
    for (const operation of part.operations) {
      rejectionOf(operation, []);
      if (operation.f !== 'read' || !operation.isKnown) continue;
      reads.set(operation, elementsOf(listOf(operation, operation.result, 'the elements as its answer')));
    }
    const longest = longestOf(initial, [...reads.values()]);
    return {
      initial: initial.length,
      actions: part.operations.map((operation) => {
        if (operation.f === 'append') return appendOf(operation);
        const list = reads.get(operation);
        if (list === undefined) return undefined;
        const length = startsWith(longest, list) ? list.length : -1;
        return { changes: false, element: undefined, length };
      }),
      sameness: Object.is,
      step(state, { element, length }) {
        if (element === undefined) return state === length ? state : undefined;
        if (state >= longest.length) return longest.length + 1;
        return longest[state] === element ? state + 1 : undefined;
      },
      describe: (state, { element }) => describe(longest, state, element),
    };
  },
};

function appendOf(operation: Operation): ListAction {
  noResult(operation);
  return { changes: true, element: canonical(operation.input), length: -1 };
}

function elementsOf(values: readonly unknown[]): List {
  return values.map(canonical);
}

/** The longest reading, unless it is not even a continuation of what there was at first. */
function longestOf(initial: List, reads: readonly List[]): List {
  const longest = reads.reduce((one, other) => (other.length > one.length ? other : one), initial);
  return startsWith(longest, initial) ? longest : initial;
}

function startsWith(list: List, beginning: List): boolean {
  return beginning.length <= list.length && beginning.every((element, at) => element === list[at]);
}

function describe(longest: List, state: number, element: string | undefined): string {
  const beginning = longest.slice(0, state);
  const shown = beginning.slice(-SHOWN_MAX).join(', ');
  const list = `[${beginning.length > SHOWN_MAX ? '..., ' : ''}${shown}]`;
  if (state > longest.length) return 'longer than any reading';
  const next = longest[state];
  return element === undefined || next === undefined ? list : `${list}, and was read to go on with ${next}`;
}
