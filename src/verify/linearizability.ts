// Whether a history is linearizable: what a model says, and how sure that is.
//
// `bluemarble verify`, the simulator and the drills ask it. Each part of a history is judged apart. Where
// all answers claim their place in the system's log, that order is checked first, in one pass; it is a
// witness and never believed. Where it fails, every other order is searched, and both are reported: a
// history that is linearizable only in another order than claimed is a violation too. A search that
// comes to the end of its budget says so, and never calls anything sound.
import { InvalidInputError, invariant } from '../base/errors.ts';
import type { History, Operation } from './history.ts';
import { OBSERVATIONS } from './invariants.ts';
import { type Action, type Model, type Part, partsByKey, type Problem } from './model.ts';
import {
  claimedOrder,
  claims,
  type Contradiction,
  contradiction,
  floorsOf,
  realTime,
} from './schedule.ts';
import { type Obstacle, search } from './search.ts';

/** Configurations explored in a part beyond one for each operation: some seconds, and some 200 MB. */
export const STATES_MAX: number = 2_000_000;
/** Of the operations that were open beside the one that can not be explained, so many are told. */
const CONCURRENT_MAX = 24;

/** Why a part is no linearizable history, or none in the order that was claimed. */
export interface Violation {
  readonly fault: 'not-linearizable' | 'wrong-order';
  /** The first operation that no order explains, or not the claimed one. */
  readonly operation: Operation;
  readonly reason: 'no-state-fits' | Contradiction['kind'];
  /** What was open at the same time; for a contradiction, the operation that it contradicts. */
  readonly beside: readonly Operation[];
  /** What took effect last before it, on the way that led furthest. */
  readonly before: readonly Operation[];
  /** How many took effect before it on that way. */
  readonly taken: number;
  /** States in which it was tried; none when the reason is a contradiction. */
  readonly states: readonly string[];
}

export interface PartVerdict {
  readonly part: string;
  readonly operations: number;
  readonly verdict: 'ok' | 'violated' | 'unknown';
  /**
   * The claimed order: `agrees` with model and time, or not; `unchecked` when the budget ended first;
   * `incomplete` when not all answers carry one, so that only its agreement with time was checked.
   */
  readonly order: 'absent' | 'incomplete' | 'agrees' | 'contradicts' | 'unchecked';
  readonly violations: readonly Violation[];
  /** Where a verdict is unknown: the first operation that no way led past until the budget ended. */
  readonly stuckAt: Operation | undefined;
  readonly explored: number;
}

export interface CheckOptions {
  readonly statesMax?: number;
  /** Called after each part. */
  readonly onPart?: (done: number, parts: number) => void;
}

/** A model, ready to judge histories. */
export interface Checker {
  readonly name: string;
  /** One verdict for each part. Throws `InvalidInputError` for what the model can not read. */
  check(history: History, options?: CheckOptions): readonly PartVerdict[];
}

export function checkerOf<State, Step extends Action>(model: Model<State, Step>): Checker {
  return {
    name: model.name,
    check(history, { statesMax = STATES_MAX, onPart } = {}) {
      const operations = operationsFor(model, history);
      const split = model.partsOf ?? partsByKey;
      const parts = split(operations, history.initial);
      return parts.map((part, index) => {
        const verdict = judge(part, model.open(part), statesMax);
        onPart?.(index + 1, parts.length);
        return verdict;
      });
    },
  };
}

function operationsFor(
  model: { readonly name: string; readonly functions: readonly string[] },
  history: History,
): readonly Operation[] {
  return history.operations.filter(({ f, invokedLine }) => {
    if (model.functions.includes(f)) return true;
    if (OBSERVATIONS.has(f)) return false;
    const list = model.functions.join(', ');
    throw new InvalidInputError(
      `line ${invokedLine}: the model ${model.name} knows no ${f}, only ${list}`,
    );
  });
}

function judge<State, Step extends Action>(
  part: Part,
  problem: Problem<State, Step>,
  statesMax: number,
): PartVerdict {
  const { operations } = part;
  const told = { part: part.name, operations: operations.length, stuckAt: undefined };
  const claimed = judgeOrder(part, problem, statesMax);
  const { order } = claimed;
  if (order === 'agrees') {
    return { ...told, verdict: 'ok', order, violations: [], explored: claimed.explored };
  }
  const found = search(problem, realTime(operations, problem.actions), statesMax);
  const violations = [...claimed.violations];
  if (found.kind === 'none') {
    violations.unshift(unexplained('not-linearizable', operations, found.obstacle));
  }
  const explored = claimed.explored + found.explored;
  if (violations.length > 0) return { ...told, verdict: 'violated', order, violations, explored };
  if (found.kind === 'found' && order !== 'unchecked') {
    return { ...told, verdict: 'ok', order, violations, explored };
  }
  const stuckAt = found.kind === 'exhausted' ? operations[found.obstacle.action] : claimed.stuckAt;
  return { ...told, verdict: 'unknown', order, violations, stuckAt, explored };
}

/** Holds the claimed order against time and the model. */
function judgeOrder<State, Step extends Action>(
  { operations }: Part,
  problem: Problem<State, Step>,
  statesMax: number,
): Pick<PartVerdict, 'order' | 'violations' | 'stuckAt' | 'explored'> {
  const claimed = claims(operations);
  const none = { violations: [], stuckAt: undefined, explored: 0 };
  if (claimed === 'none') return { ...none, order: 'absent' };
  const floors = floorsOf(operations, problem.actions);
  const clash = contradiction(operations, problem.actions, floors);
  if (clash !== undefined) {
    const { kind: reason, earlier, later } = clash;
    const violation = { operation: later, reason, beside: [earlier], before: [], taken: 0, states: [] };
    return { ...none, order: 'contradicts', violations: [{ fault: 'wrong-order', ...violation }] };
  }
  if (claimed === 'some') return { ...none, order: 'incomplete' };
  const found = search(problem, claimedOrder(operations, problem.actions, floors), statesMax);
  const { explored } = found;
  if (found.kind === 'found') return { ...none, order: 'agrees', explored };
  if (found.kind === 'exhausted') {
    return { ...none, order: 'unchecked', stuckAt: operations[found.obstacle.action], explored };
  }
  const violation = unexplained('wrong-order', operations, found.obstacle);
  return { ...none, order: 'contradicts', violations: [violation], explored };
}

function unexplained(
  fault: Violation['fault'],
  operations: readonly Operation[],
  obstacle: Obstacle,
): Violation {
  const operation = operations[obstacle.action];
  invariant(operation !== undefined, 'an obstacle is one of the operations');
  const beside = operations.filter((other) => {
    const isBefore = other.returnedLine < operation.invokedLine;
    return other !== operation && !isBefore && other.invokedLine < operation.returnedLine;
  });
  const before = obstacle.tail.map((index) => operations[index]);
  return {
    fault,
    operation,
    reason: 'no-state-fits',
    beside: beside.slice(-CONCURRENT_MAX),
    before: before.filter((one) => one !== undefined),
    taken: obstacle.taken,
    states: obstacle.states,
  };
}
