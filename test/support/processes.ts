// Whether processes live, for the tests that start and kill real ones.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const GONE_MS_MAX = 20_000;

/** Waits for the end of a process; false when it does not come. */
export async function isGone(pid: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < GONE_MS_MAX; waitedMs += POLL_MS) {
    if (!isAlive(pid)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** A process that ended and was not collected by its parent, as in a bare container, is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
