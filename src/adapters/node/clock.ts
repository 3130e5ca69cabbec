// The machine's clock and loop behind the `Clock` port.
//
// Every node process uses it; tests of cores hand in clocks of their own. Timers hold the process
// open, as the loop that set them wants to run again.
import { performance } from 'node:perf_hooks';

import type { Clock } from '../../runtime/ports.ts';

/** `setTimeout` takes a signed 32-bit delay; anything above fires at once. */
const TIMEOUT_MS_MAX: number = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs,
  wallMs: () => Date.now(),
  wakeAt(atMs, wake) {
    let timer: NodeJS.Timeout;
    // Node may fire a little early by this clock, and late sleeps must be cut in pieces: both are
    // answered by looking again.
    const arm = (): void => {
      const delayMs = Math.min(Math.max(atMs - monotonicMs(), 0), TIMEOUT_MS_MAX);
      timer = setTimeout(() => (monotonicMs() >= atMs ? wake() : arm()), delayMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
  defer(run) {
    setImmediate(run);
  },
};

function monotonicMs(): number {
  return Math.floor(performance.now());
}
