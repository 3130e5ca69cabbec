// Checks that documents point at what exists: relative links, and paths of this tree in back-ticks; and
// that what operators read of a node, events in its log and names of its metrics, is in the documents.
//
// `check-tidy` runs it on the whole tree. A path with a placeholder (`*`, `<name>`) is left alone.
import { posix } from 'node:path';
import type { Tree, Violation } from './tree.ts';

/** Events that nodes log, and names under which they measure themselves. */
const TOLD = [/\.log\('(?:info|warn|error)', '([a-z-]+)'/g, /'bluemarble_([a-z_]+)'/g];
const OUR_PATH = /^(?:src|test|tools|bench|docs|bin|examples)\/[\w./-]*$/;

export function checkDocs(tree: Tree): readonly Violation[] {
  const violations: Violation[] = [];
  const folders = foldersOf(tree);
  const exists = (path: string): boolean => tree.has(path) || folders.has(path.replace(/\/$/, ''));
  for (const [path, text] of tree) {
    if (!path.endsWith('.md')) continue;
    let inFence = false;
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trimStart().startsWith('```')) inFence = !inFence;
      if (inFence) continue;
      const found = (what: string): void => {
        violations.push({ path, line: index + 1, text: what });
      };
      for (const target of linksOf(line)) {
        const place = posix.join(posix.dirname(path), target);
        if (!exists(place)) found(`links to ${target}, which does not exist: mend the link`);
      }
      for (const named of pathsOf(line)) {
        if (exists(named) || exists(`${named}.ts`)) continue;
        found(`names ${named}, which does not exist: mend the path`);
      }
    }
  }
  return [...violations, ...untold(tree)];
}

/** What an operator meets and no document explains; each is in back-ticks where it is explained. */
function untold(tree: Tree): readonly Violation[] {
  const documents = [...tree].filter(([path]) => path.startsWith('docs/')).map(([, text]) => text).join('\n');
  const violations: Violation[] = [];
  for (const [path, text] of tree) {
    if (!path.startsWith('src/')) continue;
    for (const [index, line] of text.split('\n').entries()) {
      for (const [, name = ''] of TOLD.flatMap((told) => [...line.matchAll(told)])) {
        if (documents.includes(`\`${name}\``)) continue;
        const what = `tells operators of ${name}, which no document explains: add it to docs/operating.md`;
        violations.push({ path, line: index + 1, text: what });
      }
    }
  }
  return violations;
}

function foldersOf(tree: Tree): ReadonlySet<string> {
  const folders = new Set<string>(['.']);
  for (const path of tree.keys()) {
    for (let up = posix.dirname(path); up !== '.'; up = posix.dirname(up)) folders.add(up);
  }
  return folders;
}

/** Relative targets of the links on a line, without their fragments. */
function linksOf(line: string): readonly string[] {
  return [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map((match) => (match[1] as string).replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^(?:[a-z]+:|\/)/.test(target));
}

/** What stands in back-ticks and looks like a path of this tree; a line number after it is dropped. */
function pathsOf(line: string): readonly string[] {
  return [...line.matchAll(/`([^`]+)`/g)]
    .map((match) => (match[1] as string).replace(/:\d+$/, ''))
    .filter((path) => OUR_PATH.test(path));
}
