// A module of somebody else's, loaded by its path: JavaScript, or TypeScript whose types Node leaves out.
//
// `host/world-file` reads a studio's features out of one. Its code runs when it is loaded.
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { StartError } from './start-error.ts';

/**
 * What the module exports, unchecked. Throws `StartError` when there is none, with `absent` as what to do,
 * and for whatever it throws: that is its author's to mend.
 */
export async function loadModule(
  file: string,
  absent: string,
): Promise<Readonly<Record<string, unknown>>> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new StartError(`${file} does not exist: ${absent}`);
  if (found.isDirectory()) throw new StartError(`${file} is a folder: name a module in it`);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new StartError(`${file} can not be loaded: ${String(cause)}${placeIn(cause)}`, { cause });
  }
}

/** Where its author must look, where that is told: the first place that is not Node's, nor a caller's. */
function placeIn(cause: unknown): string {
  const [before = ''] = (cause instanceof Error ? (cause.stack ?? '') : '').split(import.meta.url);
  const place = /file:\/\/[^\s()]+:\d+/.exec(before)?.[0];
  return place === undefined ? '' : ` (${place})`;
}
