// The course of a search through a schedule: what is open, what took effect, and the way back.
//
// `search` decides, this file keeps the books. An action is open from its invocation to its answer; an
// action of unknown fate for ever. What changes places of the state is a changer, all else is a reader.
// 1. `undo` takes back everything since a mark, in reverse: every change to a field is in the trail.
// 2. A list links the open readers that have not taken effect, in the order of invocation. One that was
//    unlinked keeps its neighbours, so that undoing can link it again.
// 3. Each place has a list of the open changers that touch it, taken or not, in no order that matters.

/** Notes of the trail: what was done to an action. */
const INVOKED = 0;
const TAKEN = 1;
const ANSWERED = 2;
const KINDS = 3;

export class Course {
  readonly #events: Int32Array;
  /** The places that an action changes; none for a reader. */
  readonly #touched: (action: number) => readonly number[];
  readonly #openAt = new Map<number, number[]>();
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Behind the numbers of all actions: where the list of readers begins and ends. */
  readonly #head: number;
  readonly #isInvoked: Uint8Array;
  readonly #isTaken: Uint8Array;
  readonly #trail: number[] = [];
  readonly #path: number[] = [];
  #changersWaiting = 0;
  #at = 0;

  /** Of so many actions, whose events are twice their number, and one more where they are answered. */
  constructor(
    events: Int32Array,
    actions: number,
    touched: (action: number) => readonly number[],
  ) {
    this.#events = events;
    this.#touched = touched;
    this.#head = actions;
    this.#next = new Int32Array(actions + 1);
    this.#previous = new Int32Array(actions + 1);
    this.#next[actions] = actions;
    this.#previous[actions] = actions;
    this.#isInvoked = new Uint8Array(actions);
    this.#isTaken = new Uint8Array(actions);
  }

  /** The number of the event that comes next. */
  get at(): number {
    return this.#at;
  }

  /** What took effect, in this order. */
  get path(): readonly number[] {
    return this.#path;
  }

  /** Open changers that have not taken effect. */
  get changersWaiting(): number {
    return this.#changersWaiting;
  }

  isInvoked(action: number): boolean {
    return this.#isInvoked[action] === 1;
  }

  isTaken(action: number): boolean {
    return this.#isTaken[action] === 1;
  }

  /** The open changers that touch the place, taken or not. */
  openAt(place: number): readonly number[] {
    return this.#openAt.get(place) ?? [];
  }

  /**
   * Goes on to the next answer whose action has not taken effect, and returns the action; -1 at the end.
   * A reader takes effect at once if it `fits`.
   */
  forward(fits: (reader: number) => boolean): number {
    for (; this.#at < this.#events.length; this.#at++) {
      const event = this.#events[this.#at] ?? 0;
      const action = event >>> 1;
      if ((event & 1) === 1) {
        if (this.#isTaken[action] === 0) return action;
        this.#close(action);
        this.#note(ANSWERED, action);
      } else {
        this.#open(action);
        this.#isInvoked[action] = 1;
        if (this.#isReader(action)) this.#link(action);
        else this.#changersWaiting += 1;
        this.#note(INVOKED, action);
        if (this.#isReader(action) && fits(action)) this.take(action);
      }
    }
    return -1;
  }

  /** Makes an open action take effect. */
  take(action: number): void {
    if (this.#isReader(action)) this.#unlink(action);
    else this.#changersWaiting -= 1;
    this.#isTaken[action] = 1;
    this.#path.push(action);
    this.#note(TAKEN, action);
  }

  /** Makes all open readers take effect that fit. */
  takeReaders(fits: (reader: number) => boolean): void {
    for (let reader = this.#next[this.#head] ?? 0; reader !== this.#head; ) {
      const next = this.#next[reader] ?? 0;
      if (fits(reader)) this.take(reader);
      reader = next;
    }
  }

  /** Where `undo` can return to. */
  mark(): number {
    return this.#trail.length;
  }

  undo(mark: number): void {
    while (this.#trail.length > mark) {
      const note = this.#trail.pop() ?? 0;
      const kind = note % KINDS;
      const action = (note - kind) / KINDS;
      if (kind === INVOKED) this.#undoInvoked(action);
      else if (kind === TAKEN) this.#undoTaken(action);
      else this.#undoAnswered(action);
    }
  }

  #undoInvoked(action: number): void {
    this.#at -= 1;
    this.#isInvoked[action] = 0;
    this.#close(action);
    if (this.#isReader(action)) this.#unlink(action);
    else this.#changersWaiting -= 1;
  }

  #undoTaken(action: number): void {
    this.#path.pop();
    this.#isTaken[action] = 0;
    if (this.#isReader(action)) {
      this.#next[this.#previous[action] ?? 0] = action;
      this.#previous[this.#next[action] ?? 0] = action;
    } else {
      this.#changersWaiting += 1;
    }
  }

  #undoAnswered(action: number): void {
    this.#at -= 1;
    this.#open(action);
  }

  #isReader(action: number): boolean {
    return this.#touched(action).length === 0;
  }

  #open(action: number): void {
    for (const place of this.#touched(action)) {
      const open = this.#openAt.get(place);
      if (open === undefined) this.#openAt.set(place, [action]);
      else open.push(action);
    }
  }

  #close(action: number): void {
    for (const place of this.#touched(action)) {
      const open = this.#openAt.get(place) ?? [];
      // What was opened last is likely to be closed first: those of unknown fate stay in front.
      const last = open.pop();
      if (last !== action && last !== undefined) open[open.lastIndexOf(action)] = last;
    }
  }

  #link(reader: number): void {
    const last = this.#previous[this.#head] ?? 0;
    this.#next[last] = reader;
    this.#previous[reader] = last;
    this.#next[reader] = this.#head;
    this.#previous[this.#head] = reader;
  }

  #unlink(reader: number): void {
    const [next, previous] = [this.#next[reader] ?? 0, this.#previous[reader] ?? 0];
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #note(kind: number, action: number): void {
    this.#trail.push(action * KINDS + kind);
  }
}
