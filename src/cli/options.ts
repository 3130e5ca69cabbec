// How options are read from the command line: each refusal says what would be right.
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../host/duration.ts';

export const DATA_FOLDER = '.bluemarble';

/** At the end of the help of every command that has no codes of its own. */
export const EXIT_HELP = `
Exit codes: 0 done, and every promise was kept; 1 not done, or a promise was broken;
2 wrong usage, or something on this machine must be changed first.`;

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** A span of time in milliseconds. */
export function duration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new InvalidArgumentError('It must be a span such as 500ms, 30s, 5m or 2h.');
}

/** An absolute path. */
export function folder(text: string): string {
  return resolve(text);
}
