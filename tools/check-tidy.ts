// Checks the habits of CONTRIBUTING.md that a machine can check: headers, names, sizes, forbidden forms.
//
// `npm test` runs it on this tree. Each rule is a function from one scanned file to what it found; the
// limits stand at the top, and an exception needs a line with its reason in `EXCEPTIONS`.
import { checkDocs } from './check-docs.ts';
import { findClasses, findFunctions, splitList } from './functions.ts';
import { lineAt, scan, type Source } from './source.ts';
import { readTree, report, type Tree, type Violation } from './tree.ts';

const FILE_LINES_MAX = 500;
const CLASS_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 60;
const COLUMNS_MAX = 110;
const PARAMETERS_MAX = 4;
const HEADER_LENGTH_MIN = 20;
const FOLDERS: readonly string[] = ['src/', 'test/', 'bench/', 'tools/', 'bin/'];
const BANNED_NAMES: ReadonlySet<string> = new Set(
  'utils helpers common misc types constants manager handler impl data info'.split(' '),
);

type Rule = 'header' | 'name' | 'file' | 'class' | 'function' | 'columns' | 'parameters' | 'form';

interface Exception {
  readonly path: string;
  readonly rule: Rule;
  readonly reason: string;
}

/** Where a rule does not hold, and why. An entry that excuses nothing is itself a fault. */
export const EXCEPTIONS: readonly Exception[] = [];

/** `at` is an offset into the text. */
type Found = (rule: Rule, at: number, text: string) => void;

/** Every violation in the sources and documents of the tree. */
export function checkTidy(
  tree: Tree,
  exceptions: readonly Exception[] = EXCEPTIONS,
): readonly Violation[] {
  const violations: Violation[] = [];
  const used = new Set<Exception>();
  for (const [path, text] of tree) {
    if (!FOLDERS.some((folder) => path.startsWith(folder)) || !/\.(?:ts|c?js)$/.test(path)) continue;
    const source = scan(text);
    const found: Found = (rule, at, what) => {
      const excuse = exceptions.find((one) => one.path === path && one.rule === rule);
      if (excuse === undefined) violations.push({ path, line: lineAt(text, at), text: what });
      else used.add(excuse);
    };
    checkName(path, found);
    checkHeader(path, source, found);
    checkText(source, found);
    checkSizes(path, source, found);
    checkForms(path, source, found);
  }
  for (const { path, rule } of exceptions.filter((one) => !used.has(one))) {
    const text = `the exception for ${path} (${rule}) excuses nothing: remove it`;
    violations.push({ path: 'tools/check-tidy.ts', line: 1, text });
  }
  return [...violations, ...checkDocs(tree)];
}

function checkName(path: string, found: Found): void {
  for (const part of path.split('/').slice(1)) {
    const name = part.replace(/(?:\.test|\.contract)?\.\w+$/, '');
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) found('name', 0, `is named ${part}: use kebab-case`);
    const last = name.split('-').at(-1) as string;
    if (BANNED_NAMES.has(last)) found('name', 0, `is named ${part}: name what is in it, not its kind`);
  }
}

function checkHeader(path: string, { text, comments }: Source, found: Found): void {
  const own = comments.filter(({ start }) => !text.startsWith('#!', start));
  const header = leadingComment(text, own.map(({ start, end }) => text.slice(start, end)));
  // A test's path names its subject, and its tests are the sentences.
  if (header === '' && path.endsWith('.test.ts')) return;
  if (header === '') {
    found('header', 0, 'opens without a comment: say in a sentence what the file is and who calls it');
  } else if (/copyright|licen[cs]e|@author|@file|={4,}|-{4,}|\*{4,}/i.test(header)) {
    found('header', 0, 'opens with a banner: the first sentence says what the file is');
  } else if (header.length < HEADER_LENGTH_MIN || !/[.:]/.test(header)) {
    found('header', 0, 'opens with a comment that is no sentence: say what the file is');
  }
}

/** The words of the comment that the file begins with. */
function leadingComment(text: string, comments: readonly string[]): string {
  const words: string[] = [];
  let rest = text.replace(/^#!.*\n/, '').replace(/^'use strict';\n/, '');
  for (const comment of comments) {
    if (!rest.startsWith(comment)) break;
    rest = rest.slice(comment.length).replace(/^\n(?=\/\/)/, '');
    words.push(comment.replace(/^\/\/ ?|^\/\*\*?\s|\s*\*\/$/g, ''));
  }
  return words.join(' ').trim();
}

function checkText({ text, code, comments }: Source, found: Found): void {
  let at = 0;
  for (const line of text.split('\n')) {
    if (line.length > COLUMNS_MAX) {
      found('columns', at, `has ${line.length} columns: at most ${COLUMNS_MAX}`);
    }
    if (/[ \t]\r?$/.test(line)) found('form', at, 'ends in white space: remove it');
    if (line.includes('\t')) found('form', at, 'has a tab: indent with two spaces, or write \\t');
    at += line.length + 1;
  }
  for (const { start, end } of comments) {
    const comment = text.slice(start, end);
    if (/\b(?:TODO|FIXME|XXX|HACK)\b(?!.*#\d)/.test(comment)) {
      found('form', start, 'has an open task without an issue number: do it, or write (#number)');
    }
    if (/\b(?:eslint|oxlint)-disable|@ts-(?:ignore|nocheck)\b/.test(comment)) {
      found('form', start, 'silences a check: mend the cause');
    }
  }
  for (const match of code.matchAll(/\bcatch\s*(?:\([^)]*\)\s*)?\{|\.catch\(\s*\([^)]*\)\s*=>\s*\{/g)) {
    const open = match.index + match[0].length;
    const body = /^\s*\}/.exec(code.slice(open));
    const silent = body !== null && !/\/[/*]/.test(text.slice(open, open + body[0].length));
    if (!silent) continue;
    found('form', match.index, 'has an empty catch: handle it, or say in it why nothing is to do');
  }
}

function checkSizes(path: string, source: Source, found: Found): void {
  const { text } = source;
  const lines = (start: number, end: number): number => lineAt(text, end) - lineAt(text, start) + 1;
  const total = lineAt(text, text.length - 1);
  if (total > FILE_LINES_MAX) {
    found('file', 0, `has ${total} lines: at most ${FILE_LINES_MAX}; split it along a role`);
  }
  for (const { name, start, end } of findClasses(source)) {
    const count = lines(start, end);
    if (count <= CLASS_LINES_MAX) continue;
    found('class', start, `${name} has ${count} lines: at most ${CLASS_LINES_MAX}; split it along a role`);
  }
  for (const { name, start, end, parameters } of findFunctions(source)) {
    const count = lines(start, end);
    // What is handed to `describe` is a list of tests, not one thought.
    const isList = path.startsWith('test/') && /\b(?:describe|suite)\([^\n]*$/.test(text.slice(0, start));
    if (count > FUNCTION_LINES_MAX && !isList) {
      found('function', start, `${name} has ${count} lines: at most ${FUNCTION_LINES_MAX}; name its parts`);
    }
    if (parameters.length > PARAMETERS_MAX) {
      found('parameters', start, `${name} takes ${parameters.length} parameters: hand in one named object`);
    }
  }
}

/** Forms of the language that this project does without, and what stands for them. */
const FORMS: readonly (readonly [form: RegExp, text: string])[] = [
  [/(?:[:<|&,(=[]|\bas|\bextends|=>)\s*\bany\b(?!\s*[:(.=])/g, 'says any: use unknown and check it'],
  [/[\w)\]]!(?=[.,;:)\]}[\s])(?!=)/g, 'says ! (not null): check it, or use the value where it is known'],
  [/^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/gm, 'declares an enum: use a union of texts'],
  [/^\s*(?:export\s+)?(?:declare\s+)?(?:namespace|module)\s+\w+/gm, 'declares a namespace: use a file'],
  [/^\s*(?:private|protected|public)\s+(?!constructor\b)[\w#]/gm, 'says private or public: use #name'],
  [/^\s*@\w+/gm, 'has a decorator: call a function'],
  [/\bdebugger\b/g, 'stops in the debugger: remove it'],
];

function checkForms(path: string, source: Source, found: Found): void {
  const { code, text, comments } = source;
  for (const [form, what] of path.endsWith('.ts') ? FORMS : []) {
    for (const match of code.matchAll(form)) found('form', match.index + match[0].search(/\S/), what);
  }
  for (const match of code.matchAll(/\bconstructor\s*(?=\()/g)) {
    const open = match.index + match[0].length;
    const parameters = splitList(source, open + 1, source.pairs.get(open) ?? open + 1);
    if (parameters.some((one) => /^(?:public|private|protected|readonly|override)\s/.test(one))) {
      found('form', match.index, 'has a parameter property: declare the field and assign it');
    }
  }
  if (!path.startsWith('src/')) return;
  for (const { start, end } of comments) {
    if (!text.slice(start, end).includes('@ts-expect-error')) continue;
    found('form', start, 'expects a type error: only tests may');
  }
  if (path.startsWith('src/cli/')) return;
  for (const match of code.matchAll(/\bconsole\s*\./g)) {
    found('form', match.index, 'prints: only cli does; elsewhere use the logger');
  }
}

if (import.meta.main) {
  const clean = report('tidy', checkTidy(readTree(process.argv[2] ?? '.')));
  process.exitCode = clean ? 0 : 1;
}
