// A source file as the checks see it: the code apart from its comments, strings and patterns.
//
// TypeScript 7 has no library interface for a syntax tree, so `check-layers` and `check-tidy` read the
// text themselves, through this one careful scan. It knows comments, quotes, templates with their nested
// code, and regular expressions; it does not know types.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Source {
  readonly text: string;
  /** As long as `text`, with the same lines; comments and what stands between quotes are spaces. */
  readonly code: string;
  readonly comments: readonly Span[];
  /** For each opening bracket in `code`, the place of its partner. */
  readonly pairs: ReadonlyMap<number, number>;
}

/** Words after which a slash begins a regular expression and not a division. */
const BEFORE_PATTERN: ReadonlySet<string> = new Set(
  'return typeof case in of delete void throw new else do instanceof yield await'.split(' '),
);

export function scan(text: string): Source {
  const comments: Span[] = [];
  const blanks: Span[] = [];
  const templateDepths: number[] = [];
  let depth = 0;
  let last = -1;
  let at = text.startsWith('#!') ? endOfLine(text, 0) : 0;
  if (at > 0) comments.push({ start: 0, end: at });
  while (at < text.length) {
    const char = text[at] as string;
    const start = at;
    if (char === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
      at = text[at + 1] === '/' ? endOfLine(text, at) : endOfBlock(text, at);
      comments.push({ start, end: at });
      continue;
    }
    at += 1;
    if (char === "'" || char === '"') {
      at = endOfString(text, at, char);
    } else if (char === '/' && beginsPattern(text, last)) {
      at = endOfPattern(text, at);
    } else if (char === '`' || (char === '}' && templateDepths.at(-1) === depth)) {
      if (char === '}') templateDepths.pop();
      at = endOfTemplateText(text, at);
      if (text[at - 1] === '{') templateDepths.push(depth);
    } else if (char === '{') {
      depth += 1;
    } else if (char === '}') {
      depth -= 1;
    }
    if (at - start > 2) blanks.push({ start: start + 1, end: at - 1 });
    if (char.trim() !== '') last = at - 1;
  }
  const code = blank(text, [...comments, ...blanks]);
  return { text, code, comments, pairs: pairUp(code) };
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** The first place from `at` on that is not white space. */
export function skipSpace(code: string, at: number): number {
  let next = at;
  while (next < code.length && (code[next] as string).trim() === '') next += 1;
  return next;
}

/** The last place before `at` that is not white space, or -1. */
export function skipSpaceBack(code: string, at: number): number {
  let before = at - 1;
  while (before >= 0 && (code[before] as string).trim() === '') before -= 1;
  return before;
}

/** The word that ends at `last` (included), or nothing. */
export function wordEndingAt(code: string, last: number): string {
  let start = last;
  while (start >= 0 && /[\w$#]/.test(code[start] as string)) start -= 1;
  return code.slice(start + 1, last + 1);
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function endOfBlock(text: string, at: number): number {
  const end = text.indexOf('*/', at + 2);
  return end < 0 ? text.length : end + 2;
}

function endOfString(text: string, at: number, quote: string): number {
  let next = at;
  while (next < text.length && text[next] !== quote && text[next] !== '\n') {
    next += text[next] === '\\' ? 2 : 1;
  }
  return next + 1;
}

/** Just after the closing back-tick, or after the brace that opens nested code. */
function endOfTemplateText(text: string, at: number): number {
  let next = at;
  while (next < text.length && text[next] !== '`') {
    if (text.startsWith('${', next)) return next + 2;
    next += text[next] === '\\' ? 2 : 1;
  }
  return next + 1;
}

function endOfPattern(text: string, at: number): number {
  let next = at;
  let inClass = false;
  while (next < text.length && text[next] !== '\n' && (inClass || text[next] !== '/')) {
    if (text[next] === '[') inClass = true;
    if (text[next] === ']') inClass = false;
    next += text[next] === '\\' ? 2 : 1;
  }
  return next + 1;
}

function beginsPattern(text: string, last: number): boolean {
  if (last < 0) return true;
  const before = text[last] as string;
  if (/[\w$]/.test(before)) return BEFORE_PATTERN.has(wordEndingAt(text, last));
  return !/[)\]}'"`]/.test(before);
}

function blank(text: string, spans: readonly Span[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, start), text.slice(start, end).replace(/[^\n]/g, ' '));
    at = end;
  }
  pieces.push(text.slice(at));
  return pieces.join('');
}

function pairUp(code: string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    const char = code[at] as string;
    if (char === '(' || char === '[' || char === '{') open.push(at);
    else if (char === ')' || char === ']' || char === '}') {
      const partner = open.pop();
      if (partner !== undefined) pairs.set(partner, at);
    }
  }
  return pairs;
}
