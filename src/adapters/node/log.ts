// Structured log lines: one JSON object per line, to a file or to stderr.
//
// Every process opens one. `sonic-boom` does the writing; a whole logging library around it would take
// megabytes of every node for what two lines do. Lines to a file are written asynchronously and bounded
// in memory, so a slow disk costs lines, never time. Nothing is masked here, because nothing secret may
// be passed in the first place.
import { openSync, renameSync, statSync, writeSync } from 'node:fs';

import sonicBoom from 'sonic-boom';

import type { Logger, LogLevel } from '../../runtime/ports.ts';
import { StartError } from './start-error.ts';

/** A longer text is cut: what strangers send must not decide how long a line is. */
const TEXT_CHARACTERS_MAX = 2_000;
const LIST_LENGTH_MAX = 50;
const DEPTH_MAX = 4;
/** A longer file is set aside as `<file>.1` when the log is opened, in place of the one before. */
const FILE_BYTES_MAX: number = 32 * 1024 * 1024;
/** Lines that wait for the disk; beyond it they are dropped. */
const WAITING_BYTES_MAX: number = 4 * 1024 * 1024;
const STDERR = 2;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  /** Stderr when it is absent. */
  readonly file?: string;
  /** `info` when it is absent. */
  readonly level?: LogLevel;
  /** Who writes: stands in every line as `name`. */
  readonly name: string;
}

/** A logger that ends. */
export interface OwnedLogger extends Logger {
  /**
   * Hands over every line that waits before it returns, so a process may exit after it: what is then in
   * the hands of the system still gets into the file. Never throws. Resolves once the file is closed and
   * holds all of them, or cannot.
   */
  close(): Promise<void>;
}

/** A line holds `level`, `time` (ISO 8601), `name`, `event` and, when there are any, `facts`. */
export function openLogger(options: LogOptions): OwnedLogger {
  const sink =
    options.file === undefined
      ? new sonicBoom.SonicBoom({ fd: STDERR, sync: true })
      : new sonicBoom.SonicBoom({ fd: openLogFile(options.file), sync: false, maxLength: WAITING_BYTES_MAX });
  // A full disk must not end a node that could go on, nor hide why one ends.
  const lost = (cause: unknown): void => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    writeSync(STDERR, `The log of ${options.name} cannot be written: ${reason}\n`);
  };
  sink.on('error', lost);
  const { name } = options;
  const least = LEVELS.indexOf(options.level ?? 'info');
  return {
    log(level, event, facts) {
      if (LEVELS.indexOf(level) < least) return;
      const line = { level, time: new Date().toISOString(), name, event };
      const whole = facts === undefined ? line : { ...line, facts: bounded(facts, DEPTH_MAX) };
      sink.write(`${JSON.stringify(whole)}\n`);
    },
    close() {
      try {
        sink.flushSync();
      } catch (cause) {
        lost(cause);
      }
      if (options.file === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        sink.once('close', () => resolve());
        sink.once('error', () => resolve());
        sink.end();
      });
    },
  };
}

function openLogFile(file: string): number {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > FILE_BYTES_MAX) {
      renameSync(file, `${file}.1`);
    }
    return openSync(file, 'a', 0o600);
  } catch (cause) {
    throw new StartError(`The log file ${file} cannot be written: make its folder writable.`, {
      cause,
    });
  }
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '(deeper)';
  if (value instanceof Error) return boundedError(value, depth);
  if (Array.isArray(value)) {
    return value.slice(0, LIST_LENGTH_MAX).map((item) => bounded(item, depth - 1));
  }
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  const entries = Object.entries(value).slice(0, LIST_LENGTH_MAX);
  return Object.fromEntries(entries.map(([key, item]) => [cut(key), bounded(item, depth - 1)]));
}

function boundedError(error: Error, depth: number): unknown {
  const stack = cut(error.stack ?? `${error.name}: ${error.message}`);
  return error.cause === undefined ? { stack } : { stack, cause: bounded(error.cause, depth - 1) };
}

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX)}...`;
}
