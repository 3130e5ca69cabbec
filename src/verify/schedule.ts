// Schedules: the order in which the search takes what was invoked and answered.
//
// `linearizability` makes one out of real time, where operations overlap, and one out of the order that a
// system claims for them, where they follow each other. A claimed order is never believed: `contradiction`
// holds it against real time, and the search holds its schedule against the model. A command's order is
// its place in the log; what only reads sees exactly the commands up to its order. Operations of unknown
// fate have no order: in the claimed schedule they stay open from where real time first allows them, and
// take effect only where places of the log are free.
import type { Operation } from './history.ts';
import type { Action } from './model.ts';
import type { Schedule } from './search.ts';

type Actions = readonly (Action | undefined)[];
type Floors = readonly (Operation | undefined)[];

/** Two operations whose claimed places can not both be true. */
export interface Contradiction {
  readonly kind: 'same-place' | 'goes-back';
  /** The one that was answered, or placed, first. */
  readonly earlier: Operation;
  readonly later: Operation;
}

/** How many of the operations that were answered carry an order. */
export function claims(operations: readonly Operation[]): 'none' | 'some' | 'all' {
  let [known, claimed] = [0, 0];
  for (const { isKnown, order } of operations) {
    if (isKnown) known += 1;
    if (order !== undefined) claimed += 1;
  }
  if (claimed === 0) return 'none';
  return claimed === known ? 'all' : 'some';
}

/** Everything as it happened, but for what can not matter: undecided reads, and what has no action. */
export function realTime(operations: readonly Operation[], actions: Actions): Schedule {
  return { events: eventsOf(operations, (index) => matters(operations[index], actions[index])) };
}

/** Every invocation and every answer, in the order in which they happened. */
export function* inTime(
  operations: readonly Operation[],
): Generator<readonly [operation: Operation, isReturn: boolean]> {
  for (const event of eventsOf(operations, () => true)) {
    const operation = operations[event >>> 1];
    if (operation !== undefined) yield [operation, (event & 1) === 1];
  }
}

/**
 * For each operation, the one that claims the highest order among those answered before it was invoked:
 * its own order may not be lower.
 */
export function floorsOf(operations: readonly Operation[], actions: Actions): Floors {
  const floors = new Array<Operation | undefined>(operations.length).fill(undefined);
  let highest: Operation | undefined;
  for (const event of realTime(operations, actions).events) {
    const index = event >>> 1;
    if ((event & 1) === 0) floors[index] = highest;
    else if ((operations[index]?.order ?? -1) > (highest?.order ?? -1)) highest = operations[index];
  }
  return floors;
}

/** Where the claimed orders contradict each other or real time; `undefined` where they may be true. */
export function contradiction(
  operations: readonly Operation[],
  actions: Actions,
  floors: Floors,
): Contradiction | undefined {
  const placed = new Map<number, Operation>();
  for (const [index, floor] of floors.entries()) {
    const later = operations[index];
    if (later?.order === undefined || actions[index] === undefined) continue;
    const { changes } = actions[index];
    const lowest = (floor?.order ?? -1) + (changes ? 1 : 0);
    if (floor !== undefined && later.order < lowest) {
      return { kind: 'goes-back', earlier: floor, later };
    }
    if (!changes) continue;
    const earlier = placed.get(later.order);
    if (earlier !== undefined) return { kind: 'same-place', earlier, later };
    placed.set(later.order, later);
  }
  return undefined;
}

/** Everything in the order that is claimed for it: all that was answered must carry one. */
export function claimedOrder(
  operations: readonly Operation[],
  actions: Actions,
  floors: Floors,
): Schedule {
  const claimed: number[] = [];
  const open: { readonly index: number; readonly floor: number }[] = [];
  for (const [index, operation] of operations.entries()) {
    if (!matters(operation, actions[index])) continue;
    if (operation.order !== undefined) claimed.push(index);
    else open.push({ index, floor: floors[index]?.order ?? -1 });
  }
  const orderOf = (index: number): number => operations[index]?.order ?? 0;
  const rank = (index: number): number => (actions[index]?.changes === true ? 0 : 1);
  claimed.sort((a, b) => orderOf(a) - orderOf(b) || rank(a) - rank(b) || a - b);
  open.sort((a, b) => a.floor - b.floor);
  const events = new Int32Array(2 * claimed.length + open.length);
  /**
   * By operation: free places of the log up to it, or up to where real time first allows it. A log may be
   * longer than 32 bits count: orders are whole numbers of any size.
   */
  const free = new Float64Array(operations.length);
  let [count, opened, last, freeSoFar] = [0, 0, -1, 0];
  for (const index of claimed) {
    const order = orderOf(index);
    for (let next = open[opened]; next !== undefined && next.floor < order; next = open[++opened]) {
      events[count++] = 2 * next.index;
      free[next.index] = freeSoFar;
    }
    freeSoFar += Math.max(0, order - last - (rank(index) === 0 ? 1 : 0));
    free[index] = freeSoFar;
    last = order;
    events[count++] = 2 * index;
    events[count++] = 2 * index + 1;
  }
  const mayPrecede = (way: number, waited: number): boolean => (free[way] ?? 0) < (free[waited] ?? 0);
  return { events: events.subarray(0, count), mayPrecede };
}

/** Twice the index of an operation where it is invoked, one more where it is answered. */
function eventsOf(operations: readonly Operation[], isKept: (index: number) => boolean): Int32Array {
  const span = 2 * operations.length;
  const keys = new Float64Array(span);
  let count = 0;
  for (const [index, { isKnown, invokedLine, returnedLine }] of operations.entries()) {
    if (!isKept(index)) continue;
    keys[count++] = invokedLine * span + 2 * index;
    if (isKnown) keys[count++] = returnedLine * span + 2 * index + 1;
  }
  const sorted = keys.subarray(0, count).sort();
  return Int32Array.from(sorted, (key) => key % span);
}

function matters(operation: Operation | undefined, action: Action | undefined): boolean {
  return operation !== undefined && action !== undefined && (operation.isKnown || action.changes);
}
