// Dead ends: what a search has found to lead nowhere, so that nothing like it is searched again.
//
// `search` asks before it goes on from an event and adds what it turns back from. A dead end is told by as
// little as possible: the event, which of the open operations that matter took effect, and the state where
// states can differ for all that. So one dead end stands for many configurations. The table is exact: it
// compares what it holds, and no collision can condemn a history.
// Sources: Lowe 2017, on caching configurations; Dechter 1990, on learning what conflicts.
import type { Sameness } from './model.ts';

/** Why there is no way on: wherever this is so, there is none either. */
export interface Blame {
  /** Places of the state, with all open operations that touch them. */
  readonly places: ReadonlySet<number>;
  /** Actions that change nothing and did not fit so far. */
  readonly readers: ReadonlySet<number>;
}

/** Dead ends at one event with one blame. */
interface Kind<State> {
  readonly blame: Blame;
  /** The bits of the open operations that matter. */
  readonly mask: Int32Array;
  /** By which of them took effect; the states where those count. */
  readonly known: Map<number | string, State[]>;
}

export class DeadEnds<State> {
  readonly #sameness: Sameness<State>;
  readonly #open: Int32Array;
  readonly #kinds = new Map<number, Kind<State>[]>();

  /** `open` has a bit for each open operation that took effect; what it holds at each call counts. */
  constructor(sameness: Sameness<State>, open: Int32Array) {
    this.#sameness = sameness;
    this.#open = open;
  }

  /** What is to blame when there is no way on from event `at`; `undefined` when nobody has found out. */
  find(at: number, state: State): Blame | undefined {
    for (const kind of this.#kinds.get(at) ?? []) {
      const states = kind.known.get(this.#key(kind.mask));
      if (states === undefined) continue;
      const isSame = this.#sameness;
      if (isSame === 'same-operations') return kind.blame;
      if (states.some((one) => isSame(one, state))) return kind.blame;
    }
    return undefined;
  }

  /** `slots` lists the bits of the operations that the blame is about; asked for when none is known yet. */
  add(at: number, state: State, blame: Blame, slots: () => readonly number[]): void {
    const kinds = this.#kinds.get(at) ?? [];
    if (kinds.length === 0) this.#kinds.set(at, kinds);
    let kind = kinds.find((one) => isSame(one.blame, blame));
    if (kind === undefined) {
      kind = { blame, mask: new Int32Array(this.#open.length), known: new Map() };
      for (const slot of slots()) kind.mask[slot >>> 5] = (kind.mask[slot >>> 5] ?? 0) | (1 << (slot & 31));
      kinds.push(kind);
    }
    const key = this.#key(kind.mask);
    const states = kind.known.get(key);
    if (states === undefined) kind.known.set(key, [state]);
    else states.push(state);
  }

  #key(mask: Int32Array): number | string {
    const open = this.#open;
    if (open.length === 1) return (open[0] ?? 0) & (mask[0] ?? 0);
    let key = '';
    for (let word = 0; word < open.length; word++) {
      const bits = (open[word] ?? 0) & (mask[word] ?? 0);
      if (bits !== 0) key += `${word}:${bits} `;
    }
    return key;
  }
}

function isSame(one: Blame, other: Blame): boolean {
  return isEqual(one.places, other.places) && isEqual(one.readers, other.readers);
}

function isEqual(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
