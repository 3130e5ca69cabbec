// The files in which a node writes down what it applies, and the way back.
//
// `cli/node` opens them where a drill says so, `chaos/own-drill` reads them when it is over. One file for
// each log and life of a process: what one was killed in the middle of stands last in its own file. Written
// at once and never synced: the end of a process loses nothing of it, and the machine's own is not drilled.
import { mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Tap } from '../../runtime/ports.ts';
import { decodeTapped, encodeTapped, type Tapped } from '../../wire/tap.ts';

const SUFFIX = '.tap';

/** What one process applied of one log, in order; a state that it took over leaves a gap. */
export interface TapFile {
  readonly node: string;
  readonly log: string;
  /** Read as they are asked for, once. */
  readonly entries: Iterable<Tapped>;
}

/**
 * None where no folder is named. Files appear with the first entry of each log. Names of nodes and logs have
 * no dot.
 */
export function openTap(folder: string | undefined, node: string): Tap | undefined {
  if (folder === undefined) return undefined;
  const files = new Map<string, number>();
  const life = `${Date.now().toString(36)}-${process.pid}`;
  return (log, entry) => {
    let file = files.get(log);
    if (file === undefined) {
      mkdirSync(folder, { recursive: true });
      file = openSync(join(folder, `${node}.${log}.${life}${SUFFIX}`), 'a');
      files.set(log, file);
    }
    writeSync(file, encodeTapped(entry));
  };
}

/** All of a folder, one at a time, oldest first for each node and log; none where nothing was applied. */
export function* readTaps(folder: string): Generator<TapFile> {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  for (const name of names.sort()) {
    const [node = '', log = ''] = name.split('.');
    yield { node, log, entries: decodeTapped(readFileSync(join(folder, name))) };
  }
}
