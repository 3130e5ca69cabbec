// What waits for the journal: lists of steps, each done when the flush that it depends on is durable.
//
// The loops of a process (`turn.ts`, `replica-set.ts`) own one per journal. A disk may complete a flush
// long after the next turn has begun, so that several can be on their way.
// Invariant: steps are done in the order in which they were handed in.
import type { Journal } from './journal.ts';

export class AfterFlush<Step> {
  readonly #journal: Journal;
  readonly #done: (step: Step) => void;
  /** Every break of a promise on the way ends the process through it. */
  readonly #guarded: (work: () => void) => void;
  /** One list per flush that is not durable yet, oldest first. */
  readonly #flushing: Step[][] = [];

  constructor(o: {
    readonly journal: Journal;
    readonly done: (step: Step) => void;
    readonly guarded: (work: () => void) => void;
  }) {
    this.#journal = o.journal;
    this.#done = o.done;
    this.#guarded = o.guarded;
  }

  /** Makes durable what was staged; then does the steps. */
  flush(steps: readonly Step[]): void {
    this.#flushing.push([...steps]);
    this.#journal.flush(() => this.#guarded(() => this.#durable()));
  }

  /** Nothing was staged: the steps wait only for flushes that are on their way. */
  join(steps: readonly Step[]): void {
    const newest = this.#flushing.at(-1);
    if (newest !== undefined) newest.push(...steps);
    else for (const step of steps) this.#done(step);
  }

  #durable(): void {
    for (const step of this.#flushing.shift() ?? []) this.#done(step);
  }
}
