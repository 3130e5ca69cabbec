// A register: one value that is read, written, and compared and set.
//
// `read` is answered with the value, `write` with nothing, `cas` [from, to] with nothing, or rejected:
// `mismatch` when another value stood there, `absent` when there was none. The value is any JSON; what
// was never written is null. The initial state of a key is its value.
import type { Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import { canonical, initialOf, listOf, noResult, Numbering, refuse, rejectionOf } from '../reading.ts';

/** `from` is what must stand there, `not` what must not, `to` what stands there afterwards. */
interface RegisterAction extends Action {
  readonly from: number | undefined;
  readonly not: number | undefined;
  readonly to: number | undefined;
}

/** The state is the number of the value. */
export const register: Model<number, RegisterAction> = {
  name: 'register',
  functions: ['read', 'write', 'cas'],
  open(part: Part): Problem<number, RegisterAction> {
    const values = new Numbering();
    const number = (value: unknown): number => values.of(canonical(value));
    return {
      initial: number(initialOf(part.initial, part.name)),
      actions: part.operations.map((operation) => actionOf(operation, number)),
      sameness: Object.is,
      step,
      describe: (state) => values.text(state),
    };
  },
};

function step(state: number, { from, not, to }: RegisterAction): number | undefined {
  if ((from !== undefined && state !== from) || state === not) return undefined;
  return to ?? state;
}

function actionOf(
  operation: Operation,
  number: (value: unknown) => number,
): RegisterAction | undefined {
  const { f, input, isKnown, rejected, result } = operation;
  const nothing = { from: undefined, not: undefined, to: undefined };
  if (f === 'read') {
    rejectionOf(operation, []);
    return isKnown ? { ...nothing, changes: false, from: number(result) } : undefined;
  }
  noResult(operation);
  if (f === 'write') {
    rejectionOf(operation, []);
    return { ...nothing, changes: true, to: number(input) };
  }
  const pair = listOf(operation, input, 'a value: from and to');
  if (pair.length !== 2) refuse(operation, 'needs a value of two: from and to');
  const [from, to] = [number(pair[0]), number(pair[1])];
  rejectionOf(operation, ['mismatch', 'absent']);
  if (rejected === 'mismatch') return { ...nothing, changes: false, not: from };
  if (rejected === 'absent') return { ...nothing, changes: false, from: number(null) };
  return { changes: from !== to, from, not: undefined, to };
}
