// What a drill says and returns when it ends: the exit code, how far it came, how to have it again.
//
// `run.ts` prints it. Pure. A promise that was seen broken counts for more than that the operator ended it.
import { shellWord } from '../base/shell-word.ts';
import { formatDuration, spanOf } from '../host/duration.ts';
import { NEMESES, type NemesisName } from './schedule.ts';
import type { Verdict } from './verdict.ts';

const EXIT_CODES = { ok: 0, violated: 1, unknown: 3 } as const;
/** As a shell reports a process that Ctrl-C ended. */
export const EXIT_STOPPED = 130;

export function exitCodeOf(verdict: Verdict['verdict'], isStopped: boolean): number {
  return isStopped && verdict !== 'violated' ? EXIT_STOPPED : EXIT_CODES[verdict];
}

export function describeStop(drilledMs: number, forMs: number): string {
  const drilled = formatDuration(Math.min(Math.max(drilledMs, 0), forMs));
  return `stopped: ${drilled} of ${formatDuration(forMs)} were drilled, and what is said above is of no more`;
}

export interface Repeatable {
  /** How the command is typed here, up to its options. */
  readonly command: string;
  readonly forMs: number;
  readonly seed: number;
  readonly nemeses: readonly NemesisName[];
  readonly clients: number;
  readonly worldFile: string | undefined;
  readonly out: string;
  readonly basePort: number | undefined;
  readonly isWan: boolean;
  readonly isKernel: boolean;
}

/** The command that gives the same schedule to a world of the same kind, for a shell. */
export function againLine(o: Repeatable): string {
  const words = [o.command, '--for', spanOf(o.forMs), '--seed', o.seed];
  if (o.nemeses.length < NEMESES.length) words.push('--nemesis', o.nemeses.join(','));
  if (o.isWan) words.push('--wan');
  if (o.isKernel) words.push('--kernel');
  if (o.worldFile !== undefined) words.push('--world', shellWord(o.worldFile));
  words.push('--clients', o.clients);
  if (o.basePort !== undefined) words.push('--port', o.basePort);
  return `again: ${[...words, '--out', shellWord(o.out)].join(' ')}`;
}
