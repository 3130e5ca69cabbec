// How long a client waits before it tries again: doubling, bounded, and never all clients at once.
//
// For links that broke and for commands whose outcome a gateway did not know.

const BACKOFF_MS_MIN = 50;
export const BACKOFF_MS_MAX = 2_000;

/** For the attempt after `failures` failed ones: half of it fixed, half drawn by `random` (0 to 1). */
export function backoffMs(failures: number, random: () => number): number {
  const whole = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(failures, 16), BACKOFF_MS_MAX);
  return Math.round((whole / 2) * (1 + random()));
}
