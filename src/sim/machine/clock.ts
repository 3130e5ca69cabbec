// A machine's clocks in a simulated world: a monotonic one that drifts, a wall clock that jumps.
//
// One per node; it goes on while the node's process is dead. `process.ts` makes a `Clock` port of it.
// Invariant: the monotonic clock never runs backwards, however its rate changes.
import type { EventQueue } from './queue.ts';

const MILLION = 1_000_000;
/** Where every wall clock would stand without skew when a simulated world begins. Unix ms. */
const WALL_START_MS = 1_800_000_000_000;

export class MachineClock {
  readonly #queue: EventQueue;
  /** Microseconds that this clock counts in a million true ones. */
  #rate: number;
  #sinceUs = 0;
  #countedUs = 0;
  #wallOffsetMs: number;

  constructor(queue: EventQueue, o: { readonly driftPpm: number; readonly skewMs: number }) {
    this.#queue = queue;
    this.#rate = MILLION + o.driftPpm;
    this.#wallOffsetMs = o.skewMs;
  }

  get monotonicUs(): number {
    const passedUs = this.#queue.nowUs - this.#sinceUs;
    return this.#countedUs + Math.floor((passedUs * this.#rate) / MILLION);
  }

  get wallMs(): number {
    return WALL_START_MS + this.#wallOffsetMs + Math.floor(this.monotonicUs / 1_000);
  }

  /** When, in virtual time, this clock will have counted so far. */
  reachedAtUs(monotonicUs: number): number {
    const restUs = monotonicUs - this.#countedUs;
    return this.#sinceUs + Math.ceil((restUs * MILLION) / this.#rate);
  }

  /** From now on it runs faster or slower by so many parts in a million. */
  drift(ppm: number): void {
    this.#countedUs = this.monotonicUs;
    this.#sinceUs = this.#queue.nowUs;
    this.#rate = MILLION + ppm;
  }

  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}
