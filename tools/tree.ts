// The tree of files that the checks look at, as plain data: path to text.
//
// `check-layers` and `check-tidy` take such a tree, so their tests can plant faults without a disk.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Paths are relative to the root, with `/`. The text of a file that no check reads is empty. */
export type Tree = ReadonlyMap<string, string>;

/** What a check found: where, what, and what to do about it. */
export interface Violation {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

const NOT_OURS: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.bluemarble']);
const READ: ReadonlySet<string> = new Set(['.ts', '.js', '.cjs', '.mjs', '.md', '.json']);

/** Reads everything under `root` except what is installed, built or run there. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else tree.set(path, READ.has(extname(path)) ? readFileSync(join(root, path), 'utf8') : '');
    }
  };
  visit('');
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Prints one line per violation, in the form that editors can jump to, and the verdict. */
export function report(check: string, violations: readonly Violation[]): boolean {
  for (const { path, line, text } of violations) console.log(`${path}:${line} ${text}`);
  const verdict = violations.length === 0 ? 'nothing to mend' : `${violations.length} to mend`;
  console.log(`${check}: ${verdict}`);
  return violations.length === 0;
}
