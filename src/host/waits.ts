// Waiting in the host: for a span, or until something holds, never without an end.
import type { Clock } from '../runtime/ports.ts';

const POLL_MS = 50;

export interface Wait {
  readonly over: Promise<void>;
  /** Ends it now, as if the time had come; nothing of it stays behind. */
  cut(): void;
}

/** A span that can be cut short; without a length it ends only by that. */
export function waitFor(clock: Clock, durationMs: number | undefined): Wait {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (durationMs === undefined) return { over: promise, cut: resolve };
  const cancel = clock.wakeAt(clock.monotonicMs() + durationMs, resolve);
  return {
    over: promise,
    cut: () => {
      cancel();
      resolve();
    },
  };
}

/** Looks again and again until `holds`, for at most `durationMs`; whether it did. */
export async function pauseUntil(
  clock: Clock,
  durationMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const untilMs = clock.monotonicMs() + durationMs;
  for (;;) {
    if (await holds()) return true;
    if (clock.monotonicMs() >= untilMs) return false;
    await waitFor(clock, POLL_MS).over;
  }
}
