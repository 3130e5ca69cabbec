// What drills need of the machine's files: a folder that goes away, text that stays, a compiled helper.
//
// `chaos/` writes histories and pictures with it, and builds the shims that make disks and clocks fail.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from './start-error.ts';

const BUFFERED_CHARACTERS_MAX = 64 * 1024;
const COMPILE_MS_MAX = 30_000;

/** A fresh folder among the machine's temporary ones. */
export function makeTempFolder(prefix: string): string {
  return mkdtempSync(join(tmpdir(), prefix));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Throws `StartError` where no file can be written into the folder; makes nothing. */
export function mustTakeFiles(folder: string): void {
  let nearest = folder;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    accessSync(join(nearest, '.'), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StartError(`${folder} can not be written to: choose another folder with --out.`, { cause });
  }
}

/** Writes a file, making its folder where it is missing. Throws `StartError` when that is refused. */
export function writeText(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new StartError(`${file} can not be written: choose another folder with --out.`, { cause });
  }
  return file;
}

export interface LinesFile {
  readonly path: string;
  add(line: string): void;
  close(): void;
}

/** A new file that takes line after line. Throws `StartError` when it can not be made. */
export function openLines(folder: string, name: string): LinesFile {
  const path = writeText(folder, name, '');
  const fd = openSync(path, 'a');
  let waiting = '';
  const write = (): void => {
    if (waiting !== '') writeSync(fd, waiting);
    waiting = '';
  };
  return {
    path,
    add: (line) => {
      waiting += `${line}\n`;
      if (waiting.length >= BUFFERED_CHARACTERS_MAX) write();
    },
    close: () => {
      write();
      closeSync(fd);
    },
  };
}

export type Built =
  | { readonly kind: 'built'; readonly path: string }
  /** Not on this machine, and why. */
  | { readonly kind: 'absent'; readonly reason: string };

/** Compiles a C file into a shared library that can be preloaded into a process of ours. */
export function buildPreload(source: URL, target: string): Built {
  return compile(source, target, ['-shared', '-fPIC', '-ldl']);
}

/** Compiles a C file into a program that meets packets in the queue of the kernel. */
export function buildProgram(source: URL, target: string): Built {
  return compile(source, target, ['-lnetfilter_queue']);
}

function compile(source: URL, target: string, flags: readonly string[]): Built {
  if (process.platform !== 'linux') return { kind: 'absent', reason: 'that is for Linux only' };
  // Libraries come last: the linker takes from them what is missing by then.
  const words = ['-O2', '-o', target, fileURLToPath(source), ...flags];
  const result = spawnSync('cc', words, { encoding: 'utf8', timeout: COMPILE_MS_MAX });
  if (result.status === 0) return { kind: 'built', path: target };
  const missing = result.error !== undefined && 'code' in result.error && result.error.code === 'ENOENT';
  const [line = ''] = (result.stderr ?? '').split('\n');
  return { kind: 'absent', reason: missing ? 'there is no C compiler (cc)' : `cc refused it: ${line}` };
}
