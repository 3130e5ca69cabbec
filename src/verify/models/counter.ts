// A counter: whole amounts are added to it, and it is read.
//
// `add` takes an amount, below zero too, and is answered with nothing or with the count that it left
// behind; `read` is answered with the count. The initial state of a key is its count, 0 where none is given.
import type { Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import { initialOf, rejectionOf, wholeOf } from '../reading.ts';

interface CounterAction extends Action {
  readonly amount: number;
  /** The count that it saw, or left behind. */
  readonly left: number | undefined;
}

export const counter: Model<number, CounterAction> = {
  name: 'counter',
  functions: ['add', 'read'],
  open(part: Part): Problem<number, CounterAction> {
    return {
      initial: wholeOf('init', initialOf(part.initial, part.name) ?? 0, 'a count'),
      actions: part.operations.map(actionOf),
      sameness: 'same-operations',
      step(state, { amount, left }) {
        const after = state + amount;
        return left === undefined || left === after ? after : undefined;
      },
      describe: String,
    };
  },
};

function actionOf(operation: Operation): CounterAction | undefined {
  const { f, input, isKnown, result } = operation;
  rejectionOf(operation, []);
  if (f === 'read') {
    const left = isKnown ? wholeOf(operation, result, 'a count as its answer') : undefined;
    return isKnown ? { changes: false, amount: 0, left } : undefined;
  }
  const amount = wholeOf(operation, input, 'an amount as its value');
  const isCounted = isKnown && result !== undefined && result !== null;
  const left = isCounted ? wholeOf(operation, result, 'a count as its answer') : undefined;
  return { changes: amount !== 0, amount, left };
}
