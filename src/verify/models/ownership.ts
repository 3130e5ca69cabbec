// Unique ownership: each item has one owner or none.
//
// On the key of an item: `create` {to}, `transfer` {from, to} and `destroy` {from} are answered with
// nothing; `owner` is answered with the owner, or null where the item does not exist. On the key of a
// player: `inventory` is answered with the list of his items, in any order. Rejections: `exists` for a
// creation, `not-yours` (it is another's, or does not exist) and `absent` for the others. The initial
// state is an object of owners by item, or on an init line with the key of an item, its owner.
// The owner after a set of moves does not depend on their order: each move begins where the one before
// it ended, and of such a walk the end is known from how often each owner was left and reached.
import type { Initial, Operation } from '../history.ts';
import { type Action, type Model, type Part, partsByKey, type Problem } from '../model.ts';
import {
  fieldsOf,
  listOf,
  nameOf,
  noResult,
  Numbering,
  objectOf,
  rejectionOf,
  someOf,
} from '../reading.ts';
import { Vector } from '../vector.ts';

/** Owners are numbers; 0 is nobody, and the owner of what does not exist. */
interface MoveAction extends Action {
  readonly kind: 'move';
  readonly item: number;
  readonly from: number;
  readonly to: number;
}
interface OwnerAction extends Action {
  readonly kind: 'owner';
  readonly item: number;
  readonly owner: number;
  /** Whether he is the owner, or certainly not. */
  readonly is: boolean;
}
interface InventoryAction extends Action {
  readonly kind: 'inventory';
  readonly player: number;
  readonly items: ReadonlySet<number>;
}
type OwnershipAction = MoveAction | OwnerAction | InventoryAction;

interface Ownership {
  /** By item. */
  readonly owners: Vector<number>;
  /** By player; kept only where somebody reads an inventory. */
  readonly held: Vector<ReadonlySet<number>> | undefined;
}

const NO_ITEMS: ReadonlySet<number> = new Set();
const REASONS: readonly string[] = ['not-yours', 'absent'];

export const ownership: Model<Ownership, OwnershipAction> = {
  name: 'ownership',
  functions: ['create', 'transfer', 'destroy', 'owner', 'inventory'],
  partsOf,
  open(part: Part): Problem<Ownership, OwnershipAction> {
    const names: Names = { items: new Numbering(), players: new Numbering() };
    const readers = readersOf(part.operations);
    const actions = part.operations.map((operation) => actionOf(operation, names));
    return {
      initial: initialState(part, names, readers),
      actions,
      sameness: 'same-operations',
      places: { touched: (action) => (action.kind === 'move' ? [action.item] : []), against },
      step,
      describe: (state, action) => describe(state, action, names),
    };
  },
};

interface Names {
  readonly items: Numbering;
  readonly players: Numbering;
}

function step(state: Ownership, action: OwnershipAction): Ownership | undefined {
  if (action.kind === 'move') {
    const { item, from, to } = action;
    if (state.owners.at(item) !== from) return undefined;
    if (from === to) return state;
    let { held } = state;
    if (held !== undefined && from !== 0) held = held.with(from, without(held.at(from), item));
    if (held !== undefined && to !== 0) held = held.with(to, new Set(held.at(to)).add(item));
    return { owners: state.owners.with(item, to), held };
  }
  if (action.kind === 'owner') {
    return (state.owners.at(action.item) === action.owner) === action.is ? state : undefined;
  }
  return difference(state, action) === 0 ? state : undefined;
}

/** The items that are not where the action needs them. */
function against({ held }: Ownership, action: OwnershipAction): readonly number[] {
  if (action.kind !== 'inventory') return [action.item];
  return [...(held?.at(action.player) ?? NO_ITEMS).symmetricDifference(action.items)];
}

/** How many items one has to give or take until the player holds what was read. */
function difference({ held }: Ownership, { player, items }: InventoryAction): number {
  const now = held?.at(player) ?? NO_ITEMS;
  let shared = 0;
  for (const item of items) if (now.has(item)) shared += 1;
  return now.size + items.size - 2 * shared;
}

function without(items: ReadonlySet<number>, item: number): ReadonlySet<number> {
  const rest = new Set(items);
  rest.delete(item);
  return rest;
}

/** Items can be checked one by one, except those that pass through an inventory that is read. */
function partsOf(operations: readonly Operation[], initial: Initial): readonly Part[] {
  const readers = readersOf(operations);
  if (readers.size === 0) return partsByKey(operations, initial);
  const links = new Links();
  for (const operation of operations) {
    if (operation.f === 'inventory') continue;
    for (const player of playersOf(operation)) {
      if (readers.has(player)) links.join(`item ${operation.key}`, `player ${player}`);
    }
  }
  for (const [item, owner] of openingOf(initial)) {
    if (readers.has(owner)) links.join(`item ${item}`, `player ${owner}`);
  }
  const parts = new Map<string, Operation[]>();
  for (const operation of operations) {
    const kind = operation.f === 'inventory' ? 'player' : 'item';
    const root = links.rootOf(`${kind} ${operation.key}`);
    const part = parts.get(root);
    if (part === undefined) parts.set(root, [operation]);
    else part.push(operation);
  }
  return [...parts.values()].map((part) => {
    const keys = [...new Set(part.map(({ key }) => key))];
    return { name: someOf(keys), operations: part, initial };
  });
}

function initialState(part: Part, names: Names, readers: ReadonlySet<string>): Ownership {
  const own = new Set(part.operations.map(({ key }) => key));
  const opening = [...openingOf(part.initial)].filter(
    ([item, owner]) => own.has(item) || readers.has(owner),
  );
  let owners = Vector.filled(names.items.size + 1, 0);
  let held = Vector.filled(names.players.size + 1, NO_ITEMS);
  for (const [itemName, ownerName] of opening) {
    const [item, owner] = [names.items.of(itemName), names.players.of(ownerName)];
    owners = owners.with(item, owner);
    held = held.with(owner, new Set(held.at(owner)).add(item));
  }
  return { owners, held: readers.size === 0 ? undefined : held };
}

/** Who owns what at the beginning. */
function openingOf(initial: Initial): ReadonlyMap<string, string> {
  const common = Object.entries(objectOf('init', initial.common ?? {}, 'owners by item'));
  const owners = [...common, ...initial.byKey].filter(([, owner]) => owner !== null);
  return new Map(owners.map(([item, owner]) => [item, nameOf('init', owner, 'the name of an owner')]));
}

function readersOf(operations: readonly Operation[]): ReadonlySet<string> {
  const inventories = operations.filter(({ f, isKnown }) => f === 'inventory' && isKnown);
  return new Set(inventories.map(({ key }) => key));
}

function playersOf(operation: Operation): readonly string[] {
  if (operation.f === 'owner') return [];
  const needed = { create: ['to'], destroy: ['from'] }[operation.f] ?? ['from', 'to'];
  const fields = fieldsOf(operation, operation.input, needed);
  return needed.map((field) => nameOf(operation, fields[field], `the player "${field}"`));
}

function actionOf(operation: Operation, names: Names): OwnershipAction | undefined {
  const { f, key, isKnown, rejected, result } = operation;
  if (f === 'inventory') {
    rejectionOf(operation, []);
    if (!isKnown) return undefined;
    const items = listOf(operation, result, 'the items of the player as its answer');
    const numbers = items.map((item) => names.items.of(nameOf(operation, item, 'items in its answer')));
    const player = names.players.of(key);
    return { kind: 'inventory', changes: false, player, items: new Set(numbers) };
  }
  const item = names.items.of(key);
  if (f === 'owner') {
    rejectionOf(operation, []);
    if (!isKnown) return undefined;
    const isNobody = result === null || result === undefined;
    const owner = isNobody ? 0 : names.players.of(nameOf(operation, result, 'the owner as its answer'));
    return { kind: 'owner', changes: false, item, owner, is: true };
  }
  noResult(operation);
  rejectionOf(operation, f === 'create' ? ['exists'] : REASONS);
  const [first, second] = playersOf(operation).map((player) => names.players.of(player));
  const from = f === 'create' ? 0 : (first ?? 0);
  const to = f === 'create' ? (first ?? 0) : (second ?? 0);
  if (rejected === undefined) return { kind: 'move', changes: from !== to, item, from, to };
  if (rejected === 'absent') return { kind: 'owner', changes: false, item, owner: 0, is: true };
  return { kind: 'owner', changes: false, item, owner: from, is: false };
}

function describe(state: Ownership, action: OwnershipAction, { items, players }: Names): string {
  const concerned = against(state, action);
  return someOf(concerned.map((item) => `${items.text(item)}: ${players.text(state.owners.at(item))}`));
}

/** Sets that grow together (union-find). */
class Links {
  readonly #above = new Map<string, string>();

  join(one: string, other: string): void {
    this.#above.set(this.rootOf(one), this.rootOf(other));
  }

  rootOf(name: string): string {
    let root = name;
    for (;;) {
      const above = this.#above.get(root);
      if (above === undefined || above === root) break;
      root = above;
    }
    if (root !== name) this.#above.set(name, root);
    return root;
  }
}
