// The search for a linearization: one order of all operations that the model accepts and time allows.
//
// `linearizability` hands it a problem and a schedule (what was invoked and answered, in order). An
// operation is made to take effect as late as possible: only when the answer of one is reached that has
// not taken effect yet, that one does, if need be after others that are open. Nothing is lost by waiting,
// since whatever takes effect behind it may as well do so before the next answer. What changes nothing is
// taken as soon as it fits, which loses nothing either. Where several ways exist the search tries one,
// turns back where it ends, and remembers dead ends. So a sound history costs little more than one step
// for each operation, and the first answer that no way leads past is the end of the shortest prefix that
// can not be explained.
// 1. `#undo` takes back everything since a mark, in reverse; what no fork is left to return to is not noted.
// 2. Two lists link the open operations that have not taken effect: those that change, and those that do not.
// Sources: Wing and Gong 1993; Lowe 2017, "just-in-time linearization".
import { DeadEnds, OpenSet } from './dead-ends.ts';
import type { Action, Problem } from './model.ts';

/** What happened, in the order in which it counts. */
export interface Schedule {
  /** Twice the number of an action where it is invoked; one more where it is answered. */
  readonly events: Int32Array;
  /** By action: how many others may take effect while its answer is waited for; all when absent. */
  readonly roomBefore?: Int32Array;
  /** Whether what changes nothing must wait for its answer like all others. */
  readonly isPatient?: boolean;
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

/** What the search notes in order to take it back. */
const LINKED = 0;
const TAKEN = 1;
const LEFT = 2;
const KINDS = 3;

/** Where several ways go on: the search returns here when the way it chose has ended. */
interface Fork<State> {
  readonly mark: number;
  readonly state: State;
  readonly waited: number;
  readonly others: number;
  /** The ways not tried yet, best last; `undefined` while they are not listed. */
  ways: number[] | undefined;
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
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #isTaken: Uint8Array;
  readonly #slots: Int32Array;
  readonly #open: OpenSet;
  readonly #deadEnds: DeadEnds<State>;
  readonly #trail: number[] = [];
  readonly #path: number[] = [];
  readonly #forks: Fork<State>[] = [];
  /** Heads of the two lists, behind the numbers of all actions. */
  readonly #changers: number;
  readonly #readers: number;
  #state: State;
  #at = 0;
  /** How many took effect while the answer at `#at` was waited for. */
  #others = 0;
  #explored = 0;
  #obstacleAt = -1;
  #obstacle: Obstacle = { action: -1, tail: [], taken: 0, states: [] };

  constructor(problem: Problem<State, Step>, schedule: Schedule) {
    this.#problem = problem;
    this.#schedule = schedule;
    this.#actions = problem.actions;
    const count = problem.actions.length;
    this.#changers = count;
    this.#readers = count + 1;
    this.#next = new Int32Array(count + 2);
    this.#previous = new Int32Array(count + 2);
    for (const head of [this.#changers, this.#readers]) {
      this.#next[head] = head;
      this.#previous[head] = head;
    }
    this.#isTaken = new Uint8Array(count);
    this.#slots = new Int32Array(count);
    this.#open = new OpenSet(giveSlots(schedule.events, this.#slots));
    this.#deadEnds = new DeadEnds(problem.sameness, this.#open);
    this.#state = problem.initial;
  }

  run(statesMax: number): SearchResult {
    const exploredMax = this.#actions.length + statesMax;
    for (;;) {
      const waited = this.#forward();
      if (waited < 0) return { kind: 'found', explored: this.#explored };
      if (this.#explored > exploredMax) return this.#end('exhausted', waited);
      if (!this.#enter(waited) && !this.#turnBack()) return this.#end('none', waited);
    }
  }

  /** Goes on to the next answer whose action has not taken effect; -1 at the end. */
  #forward(): number {
    const { events } = this.#schedule;
    while (this.#at < events.length) {
      const event = events[this.#at] ?? 0;
      const action = event >>> 1;
      if ((event & 1) === 1) {
        if (this.#isTaken[action] === 0) return action;
        this.#open.flip(this.#slots[action] ?? 0);
        this.#note(LEFT, action);
        this.#at += 1;
        this.#others = 0;
      } else {
        this.#link(action);
        this.#at += 1;
      }
    }
    return -1;
  }

  /** Takes the way that the configuration offers first. False when it is a dead end. */
  #enter(waited: number): boolean {
    this.#explored += 1;
    if (this.#deadEnds.has(this.#place(), this.#state)) return false;
    const hasOthers = this.#hasOthers(waited);
    const after = this.#step(this.#state, waited);
    if (after === undefined && !hasOthers) {
      this.#condemn(waited);
      return false;
    }
    // Without a fork behind it there is nothing to return to, and nothing needs to be noted.
    const isFork = hasOthers || this.#forks.length > 0;
    if (isFork) {
      this.#forks.push({
        mark: this.#trail.length,
        state: this.#state,
        waited,
        others: this.#others,
        ways: hasOthers ? undefined : [],
      });
    }
    if (after === undefined) return this.#turnBack();
    this.#effect(waited, after);
    return true;
  }

  /** Returns to the last fork that has a way left and takes it. False when there is none. */
  #turnBack(): boolean {
    for (;;) {
      const fork = this.#forks.at(-1);
      if (fork === undefined) return false;
      this.#undo(fork.mark);
      this.#state = fork.state;
      this.#others = fork.others;
      fork.ways ??= this.#waysAround(fork.waited);
      const way = fork.ways.pop();
      if (way !== undefined) {
        const after = this.#step(this.#state, way);
        if (after === undefined) continue;
        this.#others += 1;
        this.#effect(way, after);
        return true;
      }
      this.#condemn(fork.waited);
      this.#forks.pop();
    }
  }

  /** Open actions that can take effect before the one that is waited for, the best last. */
  #waysAround(waited: number): number[] {
    const { misfit } = this.#problem;
    const goal = this.#actions[waited];
    const ways: { readonly way: number; readonly misfit: number }[] = [];
    for (let way = this.#next[this.#changers] ?? 0; way < this.#changers; way = this.#next[way] ?? 0) {
      if (way === waited) continue;
      const after = this.#step(this.#state, way);
      if (after === undefined) continue;
      ways.push({ way, misfit: goal && misfit ? misfit(after, goal) : 0 });
    }
    this.#explored += ways.length;
    return ways.reverse().sort((a, b) => b.misfit - a.misfit).map(({ way }) => way);
  }

  #hasOthers(waited: number): boolean {
    const { roomBefore } = this.#schedule;
    if (roomBefore !== undefined && this.#others >= (roomBefore[waited] ?? 0)) return false;
    const first = this.#next[this.#changers] ?? 0;
    return first !== this.#changers && (first !== waited || this.#next[first] !== this.#changers);
  }

  /** Makes the action take effect, and then all that change nothing and fit now. */
  #effect(action: number, after: State): void {
    this.#take(action);
    this.#state = after;
    for (let reader = this.#next[this.#readers] ?? 0; reader !== this.#readers; ) {
      const next = this.#next[reader] ?? 0;
      if (this.#step(after, reader) !== undefined) this.#take(reader);
      reader = next;
    }
  }

  #step(state: State, action: number): State | undefined {
    const step = this.#actions[action];
    return step === undefined ? state : this.#problem.step(state, step);
  }

  #link(action: number): void {
    const isReader = this.#schedule.isPatient !== true && this.#actions[action]?.changes !== true;
    const head = isReader ? this.#readers : this.#changers;
    const last = this.#previous[head] ?? 0;
    this.#next[last] = action;
    this.#previous[action] = last;
    this.#next[action] = head;
    this.#previous[head] = action;
    this.#note(LINKED, action);
    if (isReader && this.#step(this.#state, action) !== undefined) this.#take(action);
  }

  #unlink(action: number): void {
    const [next, previous] = [this.#next[action] ?? 0, this.#previous[action] ?? 0];
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #take(action: number): void {
    this.#unlink(action);
    this.#isTaken[action] = 1;
    this.#open.flip(this.#slots[action] ?? 0);
    this.#path.push(action);
    this.#note(TAKEN, action);
  }

  #note(kind: number, action: number): void {
    if (this.#forks.length > 0) this.#trail.push(action * KINDS + kind);
  }

  #undo(mark: number): void {
    while (this.#trail.length > mark) {
      const note = this.#trail.pop() ?? 0;
      const kind = note % KINDS;
      const action = (note - kind) / KINDS;
      if (kind === LINKED) {
        this.#at -= 1;
        this.#unlink(action);
        continue;
      }
      this.#open.flip(this.#slots[action] ?? 0);
      if (kind === LEFT) {
        this.#at -= 1;
        continue;
      }
      this.#path.pop();
      this.#isTaken[action] = 0;
      this.#next[this.#previous[action] ?? 0] = action;
      this.#previous[this.#next[action] ?? 0] = action;
    }
  }

  /** Where the search stands; how much room is left counts only where room is counted. */
  #place(): number {
    if (this.#schedule.roomBefore === undefined) return this.#at;
    return this.#at * (this.#actions.length + 1) + this.#others;
  }

  /** Remembers that no way led on from here. */
  #condemn(waited: number): void {
    this.#deadEnds.add(this.#place(), this.#state);
    if (this.#at < this.#obstacleAt) return;
    const before: readonly string[] = this.#at === this.#obstacleAt ? this.#obstacle.states : [];
    const text = before.length < STATES_MAX ? this.#problem.describe(this.#state) : '';
    const states = text === '' || before.includes(text) ? before : [...before, text];
    const tail = before.length === 0 ? this.#path.slice(-TAIL_MAX) : this.#obstacle.tail;
    const taken = before.length === 0 ? this.#path.length : this.#obstacle.taken;
    this.#obstacleAt = this.#at;
    this.#obstacle = { action: waited, tail, taken, states };
  }

  #end(kind: 'none' | 'exhausted', waited: number): SearchResult {
    const isTold = this.#obstacle.action >= 0;
    const obstacle = isTold ? this.#obstacle : { ...this.#obstacle, action: waited };
    return { kind, explored: this.#explored, obstacle };
  }
}

/** Numbers the open operations, each with the lowest number that is free; returns how many it needs. */
function giveSlots(events: Int32Array, slots: Int32Array): number {
  const free: number[] = [];
  let count = 0;
  for (const event of events) {
    const action = event >>> 1;
    if ((event & 1) === 1) free.push(slots[action] ?? 0);
    else slots[action] = free.pop() ?? count++;
  }
  return count;
}
