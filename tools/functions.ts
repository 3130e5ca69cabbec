// Finds the functions and classes of a scanned source: name, extent, number of parameters.
//
// `check-tidy` measures them. A bracket is a parameter list when a body, an arrow, or a return type and
// one of these two follow it. That is sound for code as this project formats it; signatures without a
// body are not found.
import { skipSpace, skipSpaceBack, type Source, wordEndingAt } from './source.ts';

export interface FunctionFound {
  readonly name: string;
  readonly start: number;
  /** Just after the body; after the arrow when the body is an expression. */
  readonly end: number;
  readonly parameters: readonly string[];
}

export interface ClassFound {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const CONTROL: ReadonlySet<string> = new Set('if for while switch catch with await'.split(' '));
const NAMELESS: ReadonlySet<string> = new Set([...CONTROL, '', 'async', 'function', 'return']);
const STATEMENT: ReadonlySet<string> = new Set(
  'return throw const let if for while new await break continue yield case default'.split(' '),
);
/** After these words a brace opens a type, not a body. */
const TYPE_WORDS: ReadonlySet<string> = new Set('is asserts keyof extends infer'.split(' '));

export function findFunctions(source: Source): readonly FunctionFound[] {
  const { code, pairs } = source;
  const found: FunctionFound[] = [];
  for (const [open, close] of pairs) {
    if (code[open] !== '(') continue;
    const word = wordEndingAt(code, skipSpaceBack(code, open));
    const end = endAfterParameters(source, close + 1, word);
    if (end === undefined) continue;
    const name = NAMELESS.has(word) ? 'a function' : word;
    found.push({ name, start: open, end, parameters: splitList(source, open + 1, close) });
  }
  return found.sort((a, b) => a.start - b.start);
}

export function findClasses(source: Source): readonly ClassFound[] {
  const found: ClassFound[] = [];
  for (const match of source.code.matchAll(/\bclass\s+(\w+)[^{]*\{/g)) {
    const open = match.index + match[0].length - 1;
    const end = source.pairs.get(open);
    if (end !== undefined) found.push({ name: match[1] as string, start: match.index, end });
  }
  return found;
}

/** Cuts `code[start, end)` at its outermost commas. */
export function splitList(source: Source, start: number, end: number): readonly string[] {
  const { code, pairs } = source;
  const parts: string[] = [];
  let from = start;
  let angles = 0;
  for (let at = start; at < end; at++) {
    const char = code[at] as string;
    if (char === '<') angles += 1;
    if (char === '>' && code[at - 1] !== '=') angles -= 1;
    if (char === ',' && angles === 0) {
      parts.push(code.slice(from, at).trim());
      from = at + 1;
    }
    at = pairs.get(at) ?? at;
  }
  parts.push(code.slice(from, end).trim());
  return parts.filter((part) => part !== '');
}

/** Where the function ends whose parameters end before `at`; nothing when it is none. */
function endAfterParameters(source: Source, at: number, name: string): number | undefined {
  const { code } = source;
  const next = skipSpace(code, at);
  if (code.startsWith('=>', next)) return endAfterArrow(source, next);
  if (CONTROL.has(name)) return undefined;
  if (code[next] === '{') return endOfBody(source, next);
  return code[next] === ':' ? endAfterReturnType(source, next + 1) : undefined;
}

function endAfterArrow(source: Source, arrow: number): number {
  const body = skipSpace(source.code, arrow + 2);
  return (source.code[body] === '{' ? endOfBody(source, body) : undefined) ?? arrow + 2;
}

function endOfBody(source: Source, open: number): number | undefined {
  const close = source.pairs.get(open);
  return close === undefined ? undefined : close + 1;
}

function endAfterReturnType(source: Source, from: number): number | undefined {
  const { code, pairs } = source;
  // Whether a type may begin here: a brace or bracket then belongs to it.
  let typeBegins = true;
  let functionType = false;
  let at = skipSpace(code, from);
  while (at < code.length) {
    const char = code[at] as string;
    if (code.startsWith('=>', at)) {
      if (!functionType) return endAfterArrow(source, at);
      functionType = false;
      typeBegins = true;
      at += 2;
    } else if (char === '{' && !typeBegins) {
      return endOfBody(source, at);
    } else if (char === '{' || char === '(' || char === '[') {
      functionType = char === '(' && typeBegins;
      typeBegins = false;
      at = (pairs.get(at) ?? code.length) + 1;
    } else if (/[\w$]/.test(char)) {
      const word = /^[\w$]+/.exec(code.slice(at, at + 80))?.[0] ?? char;
      if (STATEMENT.has(word)) return undefined;
      typeBegins = TYPE_WORDS.has(word);
      at += word.length;
    } else if (char === "'" || char === '"') {
      typeBegins = false;
      at = code.indexOf(char, at + 1) + 1;
    } else if (/[|&?:<>,.-]/.test(char)) {
      if (char === ',' && !insideAngles(code, from, at)) return undefined;
      typeBegins = /[|&?:<,]/.test(char);
      at += 1;
    } else {
      return undefined;
    }
    at = skipSpace(code, at);
  }
  return undefined;
}

function insideAngles(code: string, from: number, at: number): boolean {
  const before = code.slice(from, at).replaceAll('=>', '');
  return before.split('<').length > before.split('>').length;
}
