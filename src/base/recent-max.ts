// The highest value of the last ten seconds, in one slot per second.
//
// For operators: a peak stays visible long enough to be seen and then makes room.
const SLOTS = 10;
const SLOT_MS = 1_000;

export class RecentMax {
  readonly #highest: number[] = new Array<number>(SLOTS).fill(0);
  readonly #second: number[] = new Array<number>(SLOTS).fill(-SLOTS);

  record(nowMs: number, value: number): void {
    const second = Math.floor(nowMs / SLOT_MS);
    const slot = second % SLOTS;
    const sameSecond = this.#second[slot] === second;
    this.#highest[slot] = sameSecond ? Math.max(this.#highest[slot] ?? 0, value) : value;
    this.#second[slot] = second;
  }

  /** 0 when nothing was recorded in that time. */
  read(nowMs: number): number {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
    const recent = this.#highest.filter((_, slot) => (this.#second[slot] ?? 0) >= oldest);
    return Math.max(0, ...recent);
  }
}
