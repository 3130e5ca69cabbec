// The one queue of everything that will happen in a simulated world, and its virtual time.
//
// Every part of `sim` schedules here; `run.ts` turns the crank. Time is whole microseconds, and what is
// due at the same time happens in the order in which it was scheduled: a seed gives one history.
// Invariant: time never runs backwards.

/** More events than a run ever has: time and order are one number then, which is quick to compare. */
const ORDERS: number = 2 ** 24;

/** How long one run of a process's loop takes: so much later comes what it defers. */
const SOON_US = 20;

/** Something that will happen, unless `cancelled` is set before. */
export interface Scheduled {
  readonly atUs: number;
  readonly happen: () => void;
  cancelled: boolean;
}

export class EventQueue {
  nowUs = 0;
  /** A binary heap: no entry is due before the one at half its place. */
  readonly #heap: Scheduled[] = [];
  /** When each of them is due, and then in which order they were scheduled. */
  readonly #dues: number[] = [];
  /** What comes soon, behind `#soonAt`: always the same time later, so that it needs no sorting. */
  readonly #soon: (() => void)[] = [];
  readonly #soonDues: number[] = [];
  #soonAt = 0;
  #order = 0;

  get nowMs(): number {
    return Math.floor(this.nowUs / 1_000);
  }

  get size(): number {
    return this.#heap.length + this.#soon.length - this.#soonAt;
  }

  /** Schedules for `atUs`, or for now when that has passed. */
  at(atUs: number, happen: () => void): Scheduled {
    const scheduled = {
      atUs: Math.max(this.nowUs, Math.ceil(atUs)),
      happen,
      cancelled: false,
    };
    this.#rise(scheduled, scheduled.atUs * ORDERS + this.#order++);
    return scheduled;
  }

  after(delayUs: number, happen: () => void): Scheduled {
    return this.at(this.nowUs + delayUs, happen);
  }

  /** Schedules for when one run of a loop is over: much cheaper than `after`, and never cancelled. */
  soon(happen: () => void): void {
    this.#soon.push(happen);
    this.#soonDues.push((Math.ceil(this.nowUs) + SOON_US) * ORDERS + this.#order++);
  }

  /** Does what is due next, if it is due by `untilUs`. False when nothing is: it is then `untilUs`. */
  step(untilUs: number): boolean {
    for (;;) {
      const due = this.#dues[0] ?? Number.POSITIVE_INFINITY;
      const soonDue = this.#soonDues[this.#soonAt] ?? Number.POSITIVE_INFINITY;
      const atUs = Math.floor(Math.min(due, soonDue) / ORDERS);
      if (atUs > untilUs) {
        this.nowUs = Math.max(this.nowUs, untilUs);
        return false;
      }
      const first = soonDue < due ? this.#takeSoon() : this.#removeFirst();
      if (first === undefined) continue;
      this.nowUs = atUs;
      first();
      return true;
    }
  }

  #takeSoon(): (() => void) | undefined {
    const happen = this.#soon[this.#soonAt];
    this.#soonAt += 1;
    if (this.#soonAt < this.#soon.length) return happen;
    this.#soon.length = 0;
    this.#soonDues.length = 0;
    this.#soonAt = 0;
    return happen;
  }

  #rise(scheduled: Scheduled, due: number): void {
    const [heap, dues] = [this.#heap, this.#dues];
    let place = heap.length;
    heap.push(scheduled);
    dues.push(due);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = dues[above] as number;
      if (due >= other) break;
      heap[place] = heap[above] as Scheduled;
      dues[place] = other;
      place = above;
    }
    heap[place] = scheduled;
    dues[place] = due;
  }

  /** `undefined`: it was cancelled. */
  #removeFirst(): (() => void) | undefined {
    const [heap, dues] = [this.#heap, this.#dues];
    const first = heap[0] as Scheduled;
    const happen = first.cancelled ? undefined : first.happen;
    const last = heap.pop() as Scheduled;
    const due = dues.pop() as number;
    const size = heap.length;
    if (size === 0) return happen;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      const right = below + 1;
      if (right < size && (dues[right] as number) < (dues[below] as number)) below = right;
      const other = dues[below] as number;
      if (other >= due) break;
      heap[place] = heap[below] as Scheduled;
      dues[place] = other;
      place = below;
    }
    heap[place] = last;
    dues[place] = due;
    return happen;
  }
}
