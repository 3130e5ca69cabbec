// A module of somebody else's, loaded by its path: JavaScript, or TypeScript whose types Node leaves out.
//
// `host/world-file` reads a studio's features out of one. Its code runs when it is loaded.
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StartError } from './start-error.ts';

/** Where this package's own modules are: they are told from others by it. */
const OURS = new URL('../../', import.meta.url).href;

export interface LoadedModule {
  /** Unchecked. */
  readonly exports: Readonly<Record<string, unknown>>;
  /**
   * Of its text, and of all that it imports besides this package: equal in two processes that load the same.
   * What the process had loaded before is not looked into again.
   */
  readonly digest: string;
}

/**
 * Loads the module. Throws `StartError` when there is none, with `absent` as what to do, and for whatever it
 * throws: that is its author's to mend.
 */
export async function loadModule(file: string, absent: string): Promise<LoadedModule> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new StartError(`${file} does not exist: ${absent}`);
  if (found.isDirectory()) throw new StartError(`${file} is a folder: name a module in it`);
  // As Node names it to those who import from it.
  const path = realpathSync(file);
  const { href } = pathToFileURL(path);
  const theirs = new Set([href]);
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const imported = next(specifier, context);
      const isTheirs = imported.url.startsWith('file:') && !imported.url.startsWith(OURS);
      if (isTheirs && theirs.has(context.parentURL ?? '')) theirs.add(imported.url);
      return imported;
    },
  });
  try {
    const exports = (await import(href)) as Readonly<Record<string, unknown>>;
    return { exports, digest: digestOf([...theirs].map((url) => fileURLToPath(url)), path) };
  } catch (cause) {
    throw new StartError(`${file} can not be loaded: ${String(cause)}${placeIn(cause)}`, { cause });
  } finally {
    hooks.deregister();
  }
}

/** The same wherever they are moved to together, and whatever the first one is called. */
function digestOf(files: readonly string[], first: string): string {
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    const content = createHash('sha256').update(readFileSync(file)).digest();
    const name = file === first ? '' : relative(dirname(first), file);
    hash.update(`${name}\n`).update(content);
  }
  return hash.digest('hex');
}

/** Where its author must look, where that is told: the first place that is not Node's, nor a caller's. */
function placeIn(cause: unknown): string {
  const [before = ''] = (cause instanceof Error ? (cause.stack ?? '') : '').split(import.meta.url);
  const place = /file:\/\/[^\s()]+:\d+/.exec(before)?.[0];
  return place === undefined ? '' : ` (${place})`;
}
