// A logger for what strangers can cause: each event and cause is written once per interval.
//
// The doors to the network log through it, so that a flood of bad connections is one line every ten
// seconds with a count of the rest, not a full disk.
import { performance } from 'node:perf_hooks';

import type { Logger } from '../../runtime/ports.ts';

const SILENT_MS = 10_000;
/** More different causes than this share one silence: the map must not grow with bad input. */
const CAUSES_MAX = 64;

interface Silence {
  untilMs: number;
  unwritten: number;
}

/**
 * Passes on the first line of each `event` and `facts.cause`, then holds back its equals for ten
 * seconds; the next line written says in `unwritten` how many were held back.
 */
export function rareLogger(logger: Logger): Logger {
  const silences = new Map<string, Silence>();
  return {
    log(level, event, facts = {}) {
      const named = `${event}/${String(facts['cause'])}`;
      const key = silences.has(named) || silences.size < CAUSES_MAX ? named : 'other';
      const nowMs = performance.now();
      const silence = silences.get(key);
      if (silence !== undefined && nowMs < silence.untilMs) {
        silence.unwritten += 1;
        return;
      }
      const unwritten = silence?.unwritten ?? 0;
      silences.set(key, { untilMs: nowMs + SILENT_MS, unwritten: 0 });
      logger.log(level, event, unwritten === 0 ? facts : { ...facts, unwritten });
    },
  };
}
