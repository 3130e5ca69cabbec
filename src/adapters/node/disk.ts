// A node's data folder on a real disk.
//
// `cli/node.ts` opens one per node, after `claimDataFolder`, and one for each copy of a region. A node's
// writes and syncs are synchronous: for one writer that takes half as long as the thread pool, and a node
// of groups has nothing better to do; a node of regions has. A failure ends the process with one sentence
// and exit code 70: after a failed fsync the kernel may have dropped the pages and call the next one good,
// so nothing is ever tried again.
// Source: Rebello et al., "Can Applications Recover from fsync Failures?" (USENIX ATC 2020).
import fs from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk, DiskFile, ReadDisk } from '../../runtime/ports.ts';
import { syncFolder } from './process-files.ts';

/** How a process exits whose disk failed. */
export const DISK_FAILURE_EXIT = 70;

const PIECE_BYTES: number = 1024 * 1024;
const ZEROS: Uint8Array = new Uint8Array(PIECE_BYTES);
/** Marks files that are not yet published; what a crash leaves of them goes at the next start. */
const TEMPORARY = '.tmp';

/**
 * Opens an existing folder. `failed` is told, in one sentence, what the disk refused and what to
 * do; it must end the process, as the default does.
 */
export function openDisk(
  folder: string,
  failed: (sentence: string) => never = endProcess,
): Disk {
  return new FolderDisk(folder, failed, false);
}

/**
 * Opens a folder inside a data folder, made if it is not there. Syncs are left to the thread pool: they
 * take longer each, and nobody stands still for them.
 */
export function openFolder(folder: string, failed: (sentence: string) => never = endProcess): Disk {
  if (!fs.existsSync(folder)) {
    fs.mkdirSync(folder, { recursive: true });
    syncFolder(join(folder, '..'));
    syncFolder(join(folder, '..', '..'));
  }
  return new FolderDisk(folder, failed, true);
}

/** A folder that may be in use by a living node: nothing in it is touched. Empty when it is not there. */
export function lookInto(folder: string): ReadDisk {
  return {
    names: () => (fs.existsSync(folder) ? filesIn(folder) : []),
    path: (name) => join(folder, name),
    read: (name) => readWhole(join(folder, name)),
  };
}

/**
 * Renames a folder in `parent` so that it is out of the way and can still be looked at; its new path, or
 * `undefined` when it was not there.
 */
export function setAside(parent: string, name: string): string | undefined {
  if (!fs.existsSync(join(parent, name))) return undefined;
  let number = 1;
  while (fs.existsSync(join(parent, `${name}.aside-${number}`))) number += 1;
  const aside = `${name}.aside-${number}`;
  putInPlace(parent, { from: name, to: aside });
  return join(parent, aside);
}

/** Renames a folder in `parent`, durably. */
export function putInPlace(parent: string, o: { readonly from: string; readonly to: string }): void {
  fs.renameSync(join(parent, o.from), join(parent, o.to));
  syncFolder(parent);
}

class FolderDisk implements Disk {
  readonly #folder: string;
  readonly #failed: (sentence: string) => never;
  readonly #syncsInPool: boolean;

  constructor(folder: string, failed: (sentence: string) => never, syncsInPool: boolean) {
    this.#folder = folder;
    this.#failed = failed;
    this.#syncsInPool = syncsInPool;
    this.#attempt('open', '', () => {
      const halfDone = this.#list().filter((name) => name.endsWith(TEMPORARY));
      for (const name of halfDone) fs.unlinkSync(this.path(name));
      // What an earlier life renamed may be seen here and not yet be durable.
      syncFolder(folder);
    });
  }

  names(): readonly string[] {
    return this.#attempt('list', '', () => this.#list());
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  read(name: string): Uint8Array {
    return this.#attempt('read', name, () => readWhole(this.path(name)));
  }

  publish(name: string, parts: readonly Uint8Array[]): void {
    this.#attempt('publish', name, () => this.#publish(name, parts));
  }

  publishSoon(name: string, parts: readonly Uint8Array[], published: () => void): void {
    const failed = (cause: unknown): never => this.#fail('publish', name, cause);
    this.#publishSoon(name, pieces(parts)).then(published, failed);
  }

  remove(name: string): void {
    this.#attempt('remove', name, () => {
      fs.unlinkSync(this.path(name));
      syncFolder(this.#folder);
    });
  }

  open(name: string, sizeBytes: number): DiskFile {
    const file = this.#attempt('open', name, () => {
      if (!fs.existsSync(this.path(name))) this.#publish(name, [...zeros(sizeBytes)]);
      return fs.openSync(this.path(name), 'r+');
    });
    return {
      write: (bytes, offset) =>
        this.#attempt('write', name, () => writeAll(file, bytes, offset)),
      sync: (synced) => {
        if (this.#syncsInPool) return this.#syncInPool(name, file, synced);
        this.#attempt('sync', name, () => fs.fdatasyncSync(file));
        synced();
      },
      truncate: (sizeBytes) =>
        this.#attempt('truncate', name, () => fs.ftruncateSync(file, sizeBytes)),
      close: () => this.#attempt('close', name, () => fs.closeSync(file)),
    };
  }

  #syncInPool(name: string, file: number, synced: () => void): void {
    fs.fdatasync(file, (cause) => {
      if (cause === null) synced();
      else this.#fail('sync', name, cause);
    });
  }

  prepare(name: string, sizeBytes: number, ready: () => void): void {
    if (fs.existsSync(this.path(name))) {
      ready();
      return;
    }
    const failed = (cause: unknown): never => this.#fail('prepare', name, cause);
    this.#publishSoon(name, zeros(sizeBytes)).then(ready, failed);
  }

  #publish(name: string, parts: readonly Uint8Array[]): void {
    const temporary = this.path(name + TEMPORARY);
    const file = fs.openSync(temporary, 'w');
    let offset = 0;
    for (const part of parts) {
      writeAll(file, part, offset);
      offset += part.length;
    }
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.renameSync(temporary, this.path(name));
    syncFolder(this.#folder);
  }

  async #publishSoon(name: string, parts: Iterable<Uint8Array>): Promise<void> {
    const temporary = this.path(name + TEMPORARY);
    const file = await open(temporary, 'w');
    for (const part of parts) {
      await file.appendFile(part);
      // Bit by bit: one sync of the whole file would hold up the commits that happen meanwhile.
      await file.datasync();
    }
    await file.sync();
    await file.close();
    await rename(temporary, this.path(name));
    syncFolder(this.#folder);
  }

  #list(): readonly string[] {
    return filesIn(this.#folder);
  }

  #attempt<Result>(verb: string, name: string, action: () => Result): Result {
    try {
      return action();
    } catch (cause) {
      return this.#fail(verb, name, cause);
    }
  }

  #fail(verb: string, name: string, cause: unknown): never {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return this.#failed(
      `can not ${verb} ${this.path(name)} (${reason}): the node ends, since nobody knows now ` +
        'what the disk holds; make room on the disk or replace it, then start the node again',
    );
  }
}

function filesIn(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

function readWhole(file: string): Uint8Array {
  const bytes = fs.readFileSync(file);
  // Not a `Buffer`, whose `slice` shares memory where that of others copies.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeAll(file: number, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += fs.writeSync(file, bytes, written, bytes.length - written, offset + written);
  }
}

function* zeros(sizeBytes: number): Iterable<Uint8Array> {
  for (let rest = sizeBytes; rest > 0; rest -= ZEROS.length) {
    yield rest < ZEROS.length ? ZEROS.subarray(0, rest) : ZEROS;
  }
}

/** Large parts cut to what one write and sync may take. */
function* pieces(parts: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
  }
}

function endProcess(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(DISK_FAILURE_EXIT);
}
