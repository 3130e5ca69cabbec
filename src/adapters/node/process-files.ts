// The world folder on a real file system: made, listed, and its small JSON files read and published.
//
// `host/world-folder` decides what is in it; nodes keep their own folders inside by other means.
// A file is published entirely or not at all: written beside its place, synced, then renamed.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StartError } from './start-error.ts';

/** World files are a few kilobytes; a larger one is not ours. */
const FILE_BYTES_MAX: number = 1024 * 1024;

/**
 * The absolute path of the folder, which is made when it is not there, only for its owner to enter.
 * Throws `StartError` when it can not be made or written to.
 */
export function makeFolder(folder: string): string {
  const path = resolve(folder);
  try {
    makeWithParents(path);
    const probe = join(path, `.write-${process.pid}`);
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
  } catch (cause) {
    throw new StartError(
      `The data folder ${path} can not be written to (${codeOf(cause)}): ` +
        'make it writable or choose another one with --data.',
      { cause },
    );
  }
  return path;
}

/** The names in a folder; none when there is no such folder. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new StartError(
      `The data folder ${folder} can not be read (${codeOf(cause)}): ` +
        'make it a readable folder or choose another one with --data.',
      { cause },
    );
  }
}

export type JsonFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'json'; readonly value: unknown };

/** What a JSON file holds; the caller checks its shape. */
export function readJson(folder: string, name: string): JsonFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, name));
  } catch (cause) {
    const isAbsent = codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR';
    return { kind: isAbsent ? 'absent' : 'unreadable' };
  }
  if (bytes.length > FILE_BYTES_MAX) return { kind: 'unreadable' };
  try {
    return { kind: 'json', value: JSON.parse(bytes.toString('utf8')) };
  } catch (cause) {
    if (cause instanceof SyntaxError) return { kind: 'unreadable' };
    throw cause;
  }
}

/** Gives a folder another name, so that its own is free; false when there is none of this name. */
export function setAside(folder: string, name: string, aside: string): boolean {
  try {
    renameSync(join(folder, name), join(folder, aside));
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    throw cause;
  }
}

/** Publishes a JSON file, readable by its owner only, durable when this returns. */
export function publishJson(folder: string, name: string, value: unknown): string {
  const file = join(folder, name);
  const draft = `${file}.draft`;
  const fd = openSync(draft, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(value, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
  syncFolder(folder);
  return file;
}

/** Makes names durable. Windows has no such call and keeps its names by itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function removeFile(folder: string, name: string): void {
  rmSync(join(folder, name), { force: true });
}

/**
 * Makes a folder and those above it, for this user alone. Not by `recursive`: where the system refuses
 * with ENOENT (below /proc), that never comes back.
 */
export function makeWithParents(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeWithParents(parent);
  mkdirSync(path, { mode: 0o700 });
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
}

/** Gone when this returns, with all that was in it, if it was there. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
