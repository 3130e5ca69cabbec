// Asking again until there is an answer, for whoever plays a player: the crowd and the drills.
import type { Outcome } from '../base/errors.ts';

const RETRY_MS = 250;

/** Asks until it is decided; `undefined` when that took too long. Only for what may be repeated. */
export async function insist<Value>(
  ask: () => Promise<Outcome<Value>>,
  giveUp: AbortSignal,
): Promise<Outcome<Value> | undefined> {
  while (!giveUp.aborted) {
    const outcome = await ask();
    if (outcome.kind === 'done' || outcome.kind === 'rejected') return outcome;
    await pause(RETRY_MS, giveUp);
  }
  return undefined;
}

/** Waits; false as soon as `closing` is aborted. */
export function pause(durationMs: number, closing: AbortSignal): Promise<boolean> {
  if (closing.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isWhole: boolean): void => {
      clearTimeout(timer);
      closing.removeEventListener('abort', cut);
      resolve(isWhole);
    };
    const cut = (): void => end(false);
    const timer = setTimeout(() => end(true), durationMs);
    closing.addEventListener('abort', cut);
  });
}
