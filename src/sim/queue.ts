// The one queue of everything that will happen in a simulated world, and its virtual time.
//
// Every part of `sim` schedules here; `run.ts` turns the crank. Time is whole microseconds, and what is
// due at the same time happens in the order in which it was scheduled: a seed gives one history.
// Invariant: time never runs backwards.

/** Something that will happen, unless `cancelled` is set before. */
export interface Scheduled {
  readonly atUs: number;
  readonly order: number;
  readonly happen: () => void;
  cancelled: boolean;
}

export class EventQueue {
  nowUs = 0;
  /** A binary heap: no entry is due before the one at half its place. */
  readonly #heap: Scheduled[] = [];
  #order = 0;

  get nowMs(): number {
    return Math.floor(this.nowUs / 1_000);
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Schedules for `atUs`, or for now when that has passed. */
  at(atUs: number, happen: () => void): Scheduled {
    const scheduled = {
      atUs: Math.max(this.nowUs, Math.ceil(atUs)),
      order: this.#order++,
      happen,
      cancelled: false,
    };
    this.#rise(scheduled);
    return scheduled;
  }

  after(delayUs: number, happen: () => void): Scheduled {
    return this.at(this.nowUs + delayUs, happen);
  }

  /** Does what is due next, if it is due by `untilUs`. False when nothing is: it is then `untilUs`. */
  step(untilUs: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atUs > untilUs) {
        this.nowUs = Math.max(this.nowUs, untilUs);
        return false;
      }
      this.#removeFirst();
      if (first.cancelled) continue;
      this.nowUs = first.atUs;
      first.happen();
      return true;
    }
  }

  #rise(scheduled: Scheduled): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(scheduled);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above] as Scheduled;
      if (!isBefore(scheduled, other)) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = scheduled;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Scheduled;
    const size = heap.length;
    if (size === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      const right = below + 1;
      if (right < size && isBefore(heap[right] as Scheduled, heap[below] as Scheduled)) below = right;
      const other = heap[below] as Scheduled;
      if (!isBefore(other, last)) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = last;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atUs !== b.atUs ? a.atUs < b.atUs : a.order < b.order;
}
