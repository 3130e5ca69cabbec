// The search for a linearization: one order of all operations that the model accepts and time allows.
//
// `linearizability` hands it a problem and a schedule (what was invoked and answered, in order). An
// operation is made to take effect as late as possible: only when the answer of one is reached that has
// not taken effect yet, that one does, if need be after others that are open. Nothing is lost by waiting,
// since whatever takes effect behind it may as well do so before the next answer. What changes nothing is
// taken as soon as it fits, which loses nothing either. Where several ways exist the search tries one and
// turns back where it ends. So a sound history costs little more than one step for each operation, and
// the first answer that no way leads past is the end of the shortest prefix that can not be explained.
//
// A dead end is blamed on a few places of the state: whatever leaves them alone leads there again. The
// search therefore tries only ways that touch a blamed place, and remembers dead ends with their blame.
//
// Why blame is enough: every configuration at the same event, with the same content of the blamed places
// and the same open operations that touch them, is a dead end too. If an operation that changes nothing is
// to blame, then a place is blamed at every fork that it passed: with another content there it might have
// fitted in time.
// Sources: Wing and Gong 1993; Lowe 2017, "just-in-time linearization"; Prosser 1993, conflict-directed
// backjumping.
import { Course } from './course.ts';
import { type Blame, DeadEnds } from './dead-ends.ts';
import type { Action, Problem } from './model.ts';

/** What happened, in the order in which it counts. */
export interface Schedule {
  /** Twice the number of an action where it is invoked; one more where it is answered. */
  readonly events: Int32Array;
  /** Whether the open action may take effect before the one whose answer is waited for. */
  mayPrecede?(way: number, waited: number): boolean;
}

export interface Obstacle {
  /** The action whose answer no way led past. */
  readonly action: number;
  /** What took effect before it on the way that led there first, as far as `TAIL_MAX` reaches. */
  readonly tail: readonly number[];
  /** How many took effect on that way. */
  readonly taken: number;
  /** States in which it was tried, in words; the first few. */
  readonly states: readonly string[];
}

export type SearchResult =
  | { readonly kind: 'found'; readonly explored: number }
  | { readonly kind: 'none'; readonly explored: number; readonly obstacle: Obstacle }
  /** More than the budget was explored: nothing is known. */
  | { readonly kind: 'exhausted'; readonly explored: number; readonly obstacle: Obstacle };

const TAIL_MAX = 24;
const STATES_MAX = 6;

/** A state that has no places is one place. */
const EVERYWHERE = 0;
const ALL_PLACES: readonly number[] = [EVERYWHERE];
const NOTHING: Blame = { places: new Set(), readers: new Set() };

/** Where several ways go on: the search returns here when the way it chose has ended. */
interface Fork<State> {
  readonly mark: number;
  readonly state: State;
  readonly waited: number;
  /** The way that was taken last. */
  way: number;
  /** Those not tried yet, in the order of their answers; `undefined` while they are not listed. */
  others: number[] | undefined;
  blame: Blame;
}

/**
 * Looks for a linearization. `statesMax` bounds the configurations explored beyond the one that each
 * action takes anyway.
 */
export function search<State, Step extends Action>(
  problem: Problem<State, Step>,
  schedule: Schedule,
  statesMax: number,
): SearchResult {
  return new Search(problem, schedule).run(statesMax);
}

class Search<State, Step extends Action> {
  readonly #problem: Problem<State, Step>;
  readonly #schedule: Schedule;
  readonly #actions: readonly (Step | undefined)[];
  readonly #course: Course;
  readonly #deadEnds: DeadEnds<State>;
  readonly #forks: Fork<State>[] = [];
  /** By action, the event of its answer; behind all others if it has none. */
  readonly #answered: Int32Array;
  #state: State;
  #explored = 0;
  #obstacle: { at: number; action: number; path: readonly number[]; taken: number; states: State[] };

  constructor(problem: Problem<State, Step>, schedule: Schedule) {
    this.#problem = problem;
    this.#schedule = schedule;
    this.#actions = problem.actions;
    const { events } = schedule;
    this.#course = new Course(events, problem.actions.length, (action) => this.#isReader(action));
    this.#deadEnds = new DeadEnds(problem.sameness, this.#course.bits);
    this.#answered = new Int32Array(problem.actions.length).fill(events.length);
    for (let at = 0; at < events.length; at++) {
      const event = events[at] ?? 0;
      if ((event & 1) === 1) this.#answered[event >>> 1] = at;
    }
    this.#state = problem.initial;
    this.#obstacle = { at: -1, action: -1, path: [], taken: 0, states: [] };
  }

  run(statesMax: number): SearchResult {
    const exploredMax = this.#actions.length + statesMax;
    const fits = (reader: number): boolean => this.#step(this.#state, reader) !== undefined;
    for (;;) {
      const waited = this.#course.forward(fits);
      if (waited < 0) return { kind: 'found', explored: this.#explored };
      if (this.#explored > exploredMax) return this.#end('exhausted', waited);
      if (!this.#enter(waited)) return this.#end('none', waited);
    }
  }

  /** Takes the way that the configuration offers first, or turns back. False when no way is left at all. */
  #enter(waited: number): boolean {
    this.#explored += 1;
    const known = this.#deadEnds.find(this.#course.at, this.#state);
    if (known !== undefined) return this.#turnBack(known);
    // Where there is no choice, and no fork behind to return to, a fork would be of no use.
    if (this.#forks.length > 0 || this.#course.hasOtherChanger(waited)) {
      const [mark, state] = [this.#course.mark(), this.#state];
      this.#forks.push({ mark, state, waited, way: waited, others: undefined, blame: NOTHING });
    }
    const after = this.#step(this.#state, waited);
    if (after !== undefined) {
      this.#take(waited, after);
      return true;
    }
    const blame = this.#blameOn(waited);
    if (this.#forks.length === 0) this.#condemn(waited, blame);
    return this.#turnBack(blame);
  }

  /** Returns to the last fork that has a way left and takes it. False when there is none. */
  #turnBack(reason: Blame): boolean {
    let blame = reason;
    for (let fork = this.#forks.at(-1); fork !== undefined; fork = this.#forks.at(-1)) {
      this.#course.undo(fork.mark);
      this.#state = fork.state;
      // If what took effect first has nothing to do with it, the end was here already.
      const wasHere = fork.way !== fork.waited && !this.#touches(fork.way, blame);
      if (!wasHere) {
        fork.blame = this.#withReaders(union(fork.blame, blame));
        if (this.#takeOther(fork)) return true;
        ({ blame } = fork);
      }
      this.#condemn(fork.waited, blame);
      this.#forks.pop();
    }
    return false;
  }

  /** Takes the next way that touches what is to blame; false when there is none. */
  #takeOther(fork: Fork<State>): boolean {
    fork.others ??= this.#othersThan(fork.waited);
    const { others } = fork;
    for (;;) {
      const index = others.findIndex((other) => this.#touches(other, fork.blame));
      const [way] = index < 0 ? [] : others.splice(index, 1);
      if (way === undefined) return false;
      const after = this.#step(this.#state, way);
      if (after !== undefined) {
        fork.way = way;
        this.#take(way, after);
        return true;
      }
      // Were it possible it would be tried, so what keeps it from that is to blame as well.
      fork.blame = union(fork.blame, this.#blameOn(way));
    }
  }

  /** The open actions that may take effect before the one that is waited for: first what must do so soon. */
  #othersThan(waited: number): number[] {
    const { mayPrecede } = this.#schedule;
    const others: number[] = [];
    for (const other of this.#course.waiting('changers')) {
      if (other !== waited && (mayPrecede?.(other, waited) ?? true)) others.push(other);
    }
    return others.sort((a, b) => (this.#answered[a] ?? 0) - (this.#answered[b] ?? 0));
  }

  /** Makes the action take effect, and then all that change nothing and fit now. */
  #take(action: number, after: State): void {
    this.#course.take(action);
    this.#state = after;
    for (const reader of this.#course.waiting('readers')) {
      if (this.#step(after, reader) !== undefined) this.#course.take(reader);
    }
  }

  #step(state: State, action: number): State | undefined {
    const step = this.#actions[action];
    return step === undefined ? state : this.#problem.step(state, step);
  }

  #isReader(action: number): boolean {
    return this.#actions[action]?.changes !== true;
  }

  /** What keeps the action from being possible now. */
  #blameOn(action: number): Blame {
    const readers = this.#isReader(action) ? new Set([action]) : NOTHING.readers;
    return { places: new Set([this.#placeAgainst(action, NOTHING.places)]), readers };
  }

  /** The blame with a place for each of its readers that waits already: there it does not fit now. */
  #withReaders({ places, readers }: Blame): Blame {
    const all = new Set(places);
    for (const reader of readers) {
      if (this.#course.isInvoked(reader)) all.add(this.#placeAgainst(reader, all));
    }
    return all.size === places.size ? { places, readers } : { places: all, readers };
  }

  /** A place that keeps the action from being possible: a known one, or one that few can change. */
  #placeAgainst(action: number, known: ReadonlySet<number>): number {
    const { places } = this.#problem;
    const step = this.#actions[action];
    if (places === undefined || step === undefined) return EVERYWHERE;
    const against = places.against(this.#state, step);
    const [first = EVERYWHERE] = against;
    if (against.length === 1) return first;
    return against.find((place) => known.has(place)) ?? this.#leastTouched(against) ?? first;
  }

  /** The place that the fewest open actions can still change: it leaves the fewest ways to try. */
  #leastTouched(places: readonly number[]): number | undefined {
    const counts = new Map(places.map((place) => [place, 0]));
    for (const other of this.#course.waiting('changers')) {
      for (const place of this.#touched(other)) {
        const count = counts.get(place);
        if (count !== undefined) counts.set(place, count + 1);
      }
    }
    const fewest = Math.min(...counts.values());
    return places.find((place) => counts.get(place) === fewest);
  }

  #touches(action: number, blame: Blame): boolean {
    for (const place of this.#touched(action)) if (blame.places.has(place)) return true;
    return false;
  }

  #touched(action: number): readonly number[] {
    const { places } = this.#problem;
    const step = this.#actions[action];
    return places && step ? places.touched(step) : ALL_PLACES;
  }

  /** Remembers that no way leads on from here, and what stood in the way. */
  #condemn(waited: number, blame: Blame): void {
    const { at, path } = this.#course;
    this.#deadEnds.add(at, this.#state, blame, () =>
      this.#course.slotsOf((action) => blame.readers.has(action) || this.#touches(action, blame)),
    );
    if (at > this.#obstacle.at) {
      const tail = path.slice(-TAIL_MAX);
      this.#obstacle = { at, action: waited, path: tail, taken: path.length, states: [] };
    }
    const { states } = this.#obstacle;
    if (at === this.#obstacle.at && states.length < STATES_MAX) states.push(this.#state);
  }

  #end(kind: 'none' | 'exhausted', waited: number): SearchResult {
    const { at, path: tail, taken, states } = this.#obstacle;
    const action = at < 0 ? waited : this.#obstacle.action;
    const step = this.#actions[action];
    const texts = states.map((state) => (step ? this.#problem.describe(state, step) : ''));
    const obstacle = { action, tail, taken, states: [...new Set(texts)] };
    return { kind, explored: this.#explored, obstacle };
  }
}

function union(one: Blame, other: Blame): Blame {
  return { places: joined(one.places, other.places), readers: joined(one.readers, other.readers) };
}

function joined(one: ReadonlySet<number>, other: ReadonlySet<number>): ReadonlySet<number> {
  return other.isSubsetOf(one) ? one : one.union(other);
}
