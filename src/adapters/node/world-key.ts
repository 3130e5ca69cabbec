// The world's key: 32 secret bytes that its nodes share, in a file only their user can read.
//
// The host makes it when a world is created; every node reads it. With it nodes prove themselves to
// each other and tokens are signed, so whoever reads it can be any node and any player.
import { randomBytes, randomFillSync } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { StartError } from './start-error.ts';

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * The key in `file`, made first when there is none; of several processes that do so at once, all
 * get the same. Throws `StartError` when the file is not a key, can be read by others, or cannot be
 * made.
 */
export function loadOrCreateWorldKey(file: string): Uint8Array {
  try {
    return readKey(file) ?? createKey(file);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError(
      `The world's key ${file} cannot be read or made: make its folder writable for this user.`,
      { cause },
    );
  }
}

function readKey(file: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    // Windows keeps access in lists, and shows every file as readable by all.
    const open = process.platform !== 'win32' && (fstatSync(descriptor).mode & OTHERS) !== 0;
    if (open) {
      throw new StartError(`Other users can read the world's key: run \`chmod 600 ${file}\`.`);
    }
    const key = new Uint8Array(readFileSync(descriptor));
    if (key.length === KEY_BYTES) return key;
  } finally {
    closeSync(descriptor);
  }
  throw new StartError(
    `${file} is not a world's key of ${KEY_BYTES} bytes: put the right file back from a backup.`,
  );
}

/** Linking a finished file into place shows others the whole key or none, and replaces nobody's. */
function createKey(file: string): Uint8Array {
  const draft = `${file}.${randomBytes(8).toString('hex')}.new`;
  const key = randomFillSync(new Uint8Array(KEY_BYTES));
  try {
    writeFileSync(draft, key, { flag: 'wx', mode: OWNER_ONLY, flush: true });
    linkSync(draft, file);
  } catch (cause) {
    const other = readKey(file);
    if (other === undefined) throw cause;
    return other;
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(dirname(file));
  return key;
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder; its names are durable without it.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
