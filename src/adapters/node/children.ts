// Child processes of the supervisor, and a child's link to its parent.
//
// `host/` starts nodes and the crowd with `startChild`; the crowd talks back with `openParentLink`.
// A child sits in a process group of its own, so that Ctrl-C reaches the supervisor alone and the world
// stops in order. Its link closes when the supervisor dies in whatever way: then it ends by itself.
// What a child writes to its standard error goes to a file: a full pipe can never stop it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** How much of a child's last words is kept for the operator. */
const TAIL_BYTES = 4096;
/** A longer file of last words is begun anew at the next start. */
const STDERR_FILE_BYTES_MAX: number = 1024 * 1024;
/** Messages to the parent that may wait; later ones that may be lost are dropped meanwhile. */
const UNSENT_MAX = 16;

/**
 * For the GNU allocator, ignored by others: one arena, and large blocks (a password hash takes 19 MiB)
 * go back to the system when they are free. A gateway would else keep a hundred megabytes for ever.
 */
const FRUGAL = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' } as const;

export type ChildSignal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

export interface Ended {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** The last lines of its standard error in this run. */
  readonly tail: string;
}

export interface ChildListener {
  message(message: unknown): void;
  /** Called once; nothing is called afterwards. */
  ended(how: Ended): void;
}

export interface Child {
  readonly pid: number;
  signal(signal: ChildSignal): void;
  /** Tells the child something; lost when it is gone. */
  tell(message: object): void;
}

export interface ChildStart {
  /** The script to run, with the runtime and flags of this process. */
  readonly script: string;
  readonly args: readonly string[];
  readonly stderrFile: string;
  /** Set beside the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a process. Failing to start is reported like any other end. */
export function startChild(start: ChildStart, listener: ChildListener): Child {
  const fd = openSync(start.stderrFile, sizeOf(start.stderrFile) > STDERR_FILE_BYTES_MAX ? 'w' : 'a');
  const offset = sizeOf(start.stderrFile);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...process.execArgv, start.script, ...start.args], {
      stdio: ['ignore', 'ignore', fd, 'ipc'],
      env: { ...FRUGAL, ...process.env, ...start.environment },
      detached: true,
      windowsHide: true,
    });
  } finally {
    closeSync(fd);
  }
  let isOver = false;
  let unguard = (): void => {};
  const end = (code: number | null, signal: string | null, words?: string): void => {
    if (isOver) return;
    isOver = true;
    unguard();
    const tail = words ?? tailOf(start.stderrFile, offset);
    listener.ended({ code: code ?? undefined, signal: signal ?? undefined, tail });
  };
  child.on('exit', (code, signal) => end(code, signal));
  child.on('error', (cause) => {
    // Also emitted when a message or signal could not be delivered: only a missing pid means no start.
    if (child.pid === undefined) end(null, null, cause.message);
  });
  child.on('message', (message) => listener.message(message));
  return {
    pid: child.pid ?? 0,
    signal: (signal) => {
      if (signal === 'SIGSTOP' && child.pid !== undefined) unguard = guardPaused(child.pid);
      else if (signal === 'SIGCONT') unguard();
      child.kill(signal);
    },
    tell: (message) => {
      if (child.connected) child.send(message, () => {});
    },
  };
}

/**
 * Wakes a paused child should this process die in whatever way, since by itself it would not notice and
 * stay for ever: a shell that reads from us, gets nothing, and finds us gone.
 */
function guardPaused(pid: number): () => void {
  const words = ['-c', 'read -r nothing; kill -CONT "$1"', 'sh', String(pid)];
  const guard = spawn('sh', words, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Where there is no shell, nothing can be paused either.
  guard.on('error', () => undefined);
  return () => guard.stdin.end();
}

export interface ParentLink {
  /** Sends what may be lost: dropped while the parent does not keep up. */
  report(message: object): void;
  /** Sends what must arrive; resolves once it left, or the parent is gone. */
  deliver(message: object): Promise<void>;
  listen(listener: { message(message: unknown): void; closed(): void }): void;
  /** Lets the process end although the link still stands. */
  close(): void;
}

/** The link to the process that started this one; `undefined` when a person or script did. */
export function openParentLink(): ParentLink | undefined {
  if (process.send === undefined || !process.connected) return undefined;
  let unsent = 0;
  const dispatch = (message: object, sent: () => void): void => {
    if (!process.connected) return sent();
    unsent += 1;
    process.send?.(message, undefined, undefined, () => {
      unsent -= 1;
      sent();
    });
  };
  return {
    report: (message) => {
      if (unsent < UNSENT_MAX) dispatch(message, () => {});
    },
    deliver: (message) => new Promise((resolve) => dispatch(message, resolve)),
    listen: (listener) => {
      process.on('message', (message) => listener.message(message));
      process.on('disconnect', () => listener.closed());
    },
    close: () => {
      if (process.connected) process.disconnect?.();
    },
  };
}

/**
 * Wakes a process that may have been left paused by a dead supervisor, so that it can notice and end
 * itself. False when there is no such process of ours any more.
 */
export function wakeProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGCONT');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return false;
    throw cause;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function tailOf(file: string, offset: number): string {
  const end = sizeOf(file);
  const start = Math.max(offset, end - TAIL_BYTES);
  if (end <= start) return '';
  const bytes = Buffer.alloc(end - start);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, start);
  } finally {
    closeSync(fd);
  }
  return bytes.toString('utf8').trim();
}
