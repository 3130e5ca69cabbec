// Long work without standing still: a few milliseconds of it, then a pause, until it is done.
//
// Saving and taking over whole states is done so. Everybody else in the process has a turn in each pause.
import type { Clock } from './ports.ts';

/** One piece of work; a tick of a region waits no longer for it. */
export const PIECE_MS = 4;
/** Between two pieces, so that the work takes about a third of the time. */
const PAUSE_MS = 8;

export interface PieceOptions {
  readonly clock: Clock;
  /** How long a piece may take; 0: each is one step. */
  readonly pieceMs: number;
  /** Every break of a promise on the way ends the process through it. */
  readonly guarded: (work: () => void) => void;
}

/** Takes the first step at once. Each step is short; `done` is told what the last one returned. */
export function inPieces<Result>(
  work: Generator<undefined, Result>,
  { clock, pieceMs, guarded }: PieceOptions,
  done: (result: Result) => void,
): void {
  const go = (): void => {
    const untilMs = clock.monotonicMs() + pieceMs;
    let step = work.next();
    while (step.done !== true && clock.monotonicMs() < untilMs) step = work.next();
    if (step.done === true) done(step.value);
    else clock.wakeAt(clock.monotonicMs() + PAUSE_MS, () => guarded(go));
  };
  go();
}
