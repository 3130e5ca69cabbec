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
const NO_PLACES: readonly number[] = [];
const NOTHING: Blame = { places: new Set(), readers: new Set() };

/** Where several ways go on: the search returns here when the way it chose has ended. */
interface Fork<State> {
  readonly mark: number;
  readonly state: State;
  readonly waited: number;
  /** The way that was taken last. */
  way: number;
  /** Others that were tried. */
  tried: Set<number> | undefined;
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
  readonly #fits = (reader: number): boolean => this.#step(this.#state, reader) !== undefined;
  #state: State;
  #explored = 0;
  #obstacle: { at: number; action: number; path: readonly number[]; taken: number; states: State[] };

  constructor(problem: Problem<State, Step>, schedule: Schedule) {
    this.#problem = problem;
    this.#schedule = schedule;
    this.#actions = problem.actions;
    const { events } = schedule;
    this.#course = new Course(events, problem.actions.length, (action) => this.#touched(action));
    this.#deadEnds = new DeadEnds(problem.sameness, (action) => this.#course.isTaken(action));
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
    for (;;) {
      const waited = this.#course.forward(this.#fits);
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
    const others = this.#course.changersWaiting - (this.#isReader(waited) ? 0 : 1);
    if (this.#forks.length > 0 || others > 0) {
      const [mark, state] = [this.#course.mark(), this.#state];
      this.#forks.push({ mark, state, waited, way: waited, tried: undefined, blame: NOTHING });
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

  /** Takes a way that touches what is to blame and was not tried; false when there is none. */
  #takeOther(fork: Fork<State>): boolean {
    fork.tried ??= new Set([fork.waited]);
    for (;;) {
      const way = this.#bestOther(fork);
      if (way === undefined) return false;
      fork.tried.add(way);
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

  /** The open action that touches what is to blame and ranks lowest. */
  #bestOther({ waited, blame, tried }: Fork<State>): number | undefined {
    const { mayPrecede } = this.#schedule;
    let [best, bestRank]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const place of blame.places) {
      for (const way of this.#course.openAt(place)) {
        if (this.#course.isTaken(way) || tried?.has(way) === true) continue;
        if (mayPrecede !== undefined && !mayPrecede(way, waited)) continue;
        const rank = this.#rank(way, waited);
        if (rank < bestRank) [best, bestRank] = [way, rank];
      }
    }
    return best;
  }

  /**
   * What must take effect soon comes first. Of what never must, that comes first which makes the action
   * possible that is waited for, and the latest: had an older one happened, it would have shown before.
   */
  #rank(way: number, waited: number): number {
    const answered = this.#answered[way] ?? 0;
    const { length } = this.#schedule.events;
    if (answered < length) return answered;
    return (this.#enables(way, waited) ? 2 : 3) * length - way;
  }

  #enables(way: number, waited: number): boolean {
    const after = this.#step(this.#state, way);
    return after !== undefined && this.#step(after, waited) !== undefined;
  }

  /** Makes the action take effect, and then all that change nothing and fit now. */
  #take(action: number, after: State): void {
    this.#course.take(action);
    this.#state = after;
    this.#course.takeReaders(this.#fits);
  }

  #step(state: State, action: number): State | undefined {
    const step = this.#actions[action];
    return step === undefined ? state : this.#problem.step(state, step);
  }

  #isReader(action: number): boolean {
    return this.#touched(action).length === 0;
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

  /** The place that the fewest open actions touch: it leaves the fewest ways to try. */
  #leastTouched(places: readonly number[]): number | undefined {
    const counts = places.map((place) => this.#course.openAt(place).length);
    return places[counts.indexOf(Math.min(...counts))];
  }

  #touches(action: number, blame: Blame): boolean {
    for (const place of this.#touched(action)) if (blame.places.has(place)) return true;
    return false;
  }

  /** The places that it changes; none for what changes nothing. */
  #touched(action: number): readonly number[] {
    const step = this.#actions[action];
    if (step?.changes !== true) return NO_PLACES;
    return this.#problem.places?.touched(step) ?? ALL_PLACES;
  }

  /** Remembers that no way leads on from here, and what stood in the way. */
  #condemn(waited: number, blame: Blame): void {
    const { at, path } = this.#course;
    this.#deadEnds.add(at, this.#state, blame, () => this.#openIn(blame));
    if (at > this.#obstacle.at) {
      const tail = path.slice(-TAIL_MAX);
      this.#obstacle = { at, action: waited, path: tail, taken: path.length, states: [] };
    }
    const { states } = this.#obstacle;
    if (at === this.#obstacle.at && states.length < STATES_MAX) states.push(this.#state);
  }

  /** The open actions that the blame is about, in an order of their own. */
  #openIn({ places, readers }: Blame): readonly number[] {
    const open = new Set([...readers].filter((reader) => this.#course.isInvoked(reader)));
    for (const place of places) for (const action of this.#course.openAt(place)) open.add(action);
    return [...open];
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
