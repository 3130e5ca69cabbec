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
  /** The open actions that matter: at one event they are always the same. */
  readonly actions: readonly number[];
  /** By which of them took effect; the states where those count. */
  readonly known: Map<number | string, State[]>;
}

/** So many bits make one number. */
const BITS_MAX = 30;

export class DeadEnds<State> {
  readonly #sameness: Sameness<State>;
  readonly #isTaken: (action: number) => boolean;
  readonly #kinds = new Map<number, Kind<State>[]>();

  /** `isTaken` says whether an action took effect, at each call anew. */
  constructor(sameness: Sameness<State>, isTaken: (action: number) => boolean) {
    this.#sameness = sameness;
    this.#isTaken = isTaken;
  }

  /** What is to blame when there is no way on from event `at`; `undefined` when nobody has found out. */
  find(at: number, state: State): Blame | undefined {
    for (const kind of this.#kinds.get(at) ?? []) {
      const states = kind.known.get(this.#key(kind));
      if (states === undefined) continue;
      const isSame = this.#sameness;
      if (isSame === 'same-operations') return kind.blame;
      if (states.some((one) => isSame(one, state))) return kind.blame;
    }
    return undefined;
  }

  /** `actions` lists the open actions that the blame is about; asked for when they are not known yet. */
  add(at: number, state: State, blame: Blame, actions: () => readonly number[]): void {
    const kinds = this.#kinds.get(at) ?? [];
    if (kinds.length === 0) this.#kinds.set(at, kinds);
    let kind = kinds.find((one) => isSameBlame(one.blame, blame));
    if (kind === undefined) {
      kind = { blame, actions: actions(), known: new Map() };
      kinds.push(kind);
    }
    const key = this.#key(kind);
    const states = kind.known.get(key);
    if (states === undefined) kind.known.set(key, [state]);
    else states.push(state);
  }

  #key({ actions }: Kind<State>): number | string {
    let [key, bits, count] = ['', 0, 0];
    for (const action of actions) {
      bits = bits * 2 + (this.#isTaken(action) ? 1 : 0);
      if (++count % BITS_MAX !== 0) continue;
      key += `${bits} `;
      bits = 0;
    }
    return key === '' ? bits : `${key}${bits}`;
  }
}

function isSameBlame(one: Blame, other: Blame): boolean {
  return isEqual(one.places, other.places) && isEqual(one.readers, other.readers);
}

function isEqual(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
