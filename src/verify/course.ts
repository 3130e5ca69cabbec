// The course of a search through a schedule: what is open, what took effect, and the way back.
//
// `search` decides, this file keeps the books. An action is open from its invocation to its answer; an
// action of unknown fate for ever. Each has a slot, which is free again after its answer, so that what took
// effect among the open ones is a few bits.
// 1. `undo` takes back everything since a mark, in reverse: every change to a field is in the trail.
// 2. Two lists link the open actions that have not taken effect: changers and readers, each in the order of
//    invocation. An action that was unlinked keeps its neighbours, so that undoing can link it again.

/** Notes of the trail: what was done to an action. */
const INVOKED = 0;
const TAKEN = 1;
const ANSWERED = 2;
const KINDS = 3;

export class Course {
  /** A bit for each slot: whether its action took effect. The caller must not change it. */
  readonly bits: Int32Array;
  readonly #events: Int32Array;
  readonly #isReader: (action: number) => boolean;
  /** Heads of the two lists, behind the numbers of all actions. */
  readonly #changers: number;
  readonly #readers: number;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #isInvoked: Uint8Array;
  readonly #isTaken: Uint8Array;
  readonly #slots: Int32Array;
  /** By slot, the action that it stands for; the last one while it is free. */
  readonly #owners: Int32Array;
  readonly #trail: number[] = [];
  readonly #path: number[] = [];
  #at = 0;

  /** Of so many actions; what only reads is told by `isReader`. */
  constructor(events: Int32Array, actions: number, isReader: (action: number) => boolean) {
    this.#events = events;
    this.#isReader = isReader;
    this.#changers = actions;
    this.#readers = actions + 1;
    this.#next = new Int32Array(actions + 2);
    this.#previous = new Int32Array(actions + 2);
    for (const head of [this.#changers, this.#readers]) {
      this.#next[head] = head;
      this.#previous[head] = head;
    }
    this.#isInvoked = new Uint8Array(actions);
    this.#isTaken = new Uint8Array(actions);
    this.#slots = new Int32Array(actions);
    const slots = giveSlots(events, this.#slots);
    this.#owners = new Int32Array(slots);
    this.bits = new Int32Array((slots + 31) >>> 5);
  }

  /** The number of the event that comes next. */
  get at(): number {
    return this.#at;
  }

  /** What took effect, in this order. */
  get path(): readonly number[] {
    return this.#path;
  }

  /** Whether there is a changer other than this action that is open and has not taken effect. */
  hasOtherChanger(action: number): boolean {
    const first = this.#next[this.#changers] ?? 0;
    const isAlone = first === action && this.#next[first] === this.#changers;
    return first !== this.#changers && !isAlone;
  }

  /** Changers, or readers, that are open and have not taken effect; the caller may take what it is given. */
  *waiting(kind: 'changers' | 'readers'): Generator<number> {
    const head = kind === 'changers' ? this.#changers : this.#readers;
    for (let action = this.#next[head] ?? 0; action !== head; ) {
      const next = this.#next[action] ?? 0;
      yield action;
      action = next;
    }
  }

  isInvoked(action: number): boolean {
    return this.#isInvoked[action] === 1;
  }

  /** The slots of open actions that are wanted. */
  slotsOf(isWanted: (action: number) => boolean): readonly number[] {
    return Array.from(this.#owners.keys()).filter((slot) => isWanted(this.#owners[slot] ?? 0));
  }

  /**
   * Goes on to the next answer whose action has not taken effect, and returns the action; -1 at the end.
   * A reader takes effect at once if it `fits`.
   */
  forward(fits: (reader: number) => boolean): number {
    for (; this.#at < this.#events.length; this.#at++) {
      const event = this.#events[this.#at] ?? 0;
      const action = event >>> 1;
      if ((event & 1) === 0) {
        this.#invoke(action);
        if (this.#isReader(action) && fits(action)) this.take(action);
      } else {
        if (this.#isTaken[action] === 0) return action;
        this.#flip(action);
        this.#note(ANSWERED, action);
      }
    }
    return -1;
  }

  /** Makes an open action take effect. */
  take(action: number): void {
    this.#unlink(action);
    this.#isTaken[action] = 1;
    this.#flip(action);
    this.#path.push(action);
    this.#note(TAKEN, action);
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
      if (kind === INVOKED) this.#undoInvoke(action);
      else if (kind === TAKEN) this.#undoTake(action);
      else this.#undoAnswer(action);
    }
  }

  #invoke(action: number): void {
    const head = this.#isReader(action) ? this.#readers : this.#changers;
    const last = this.#previous[head] ?? 0;
    this.#next[last] = action;
    this.#previous[action] = last;
    this.#next[action] = head;
    this.#previous[head] = action;
    this.#isInvoked[action] = 1;
    this.#owners[this.#slots[action] ?? 0] = action;
    this.#note(INVOKED, action);
  }

  #undoInvoke(action: number): void {
    this.#at -= 1;
    this.#isInvoked[action] = 0;
    this.#unlink(action);
  }

  #undoTake(action: number): void {
    this.#path.pop();
    this.#flip(action);
    this.#isTaken[action] = 0;
    this.#next[this.#previous[action] ?? 0] = action;
    this.#previous[this.#next[action] ?? 0] = action;
  }

  #undoAnswer(action: number): void {
    this.#at -= 1;
    this.#flip(action);
    this.#owners[this.#slots[action] ?? 0] = action;
  }

  #unlink(action: number): void {
    const [next, previous] = [this.#next[action] ?? 0, this.#previous[action] ?? 0];
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #flip(action: number): void {
    const slot = this.#slots[action] ?? 0;
    this.bits[slot >>> 5] = (this.bits[slot >>> 5] ?? 0) ^ (1 << (slot & 31));
  }

  #note(kind: number, action: number): void {
    this.#trail.push(action * KINDS + kind);
  }
}

/** Gives each action a slot that no other open one has; returns how many slots there are. */
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
