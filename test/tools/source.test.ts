// The scan of a source: what is code, and what only looks like it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findClasses, findFunctions } from '../../tools/functions.ts';
import { lineAt, scan } from '../../tools/source.ts';

/** The code of a text with the blanks squeezed, so that expectations can be read. */
function codeOf(text: string): string {
  return scan(text).code.replace(/ +/g, ' ').trim();
}

test('comments and strings are blanked, and lines stay where they were', () => {
  const text = "a; // Date\n/* Date\n */ b('Date', \"Date\");";
  const { code } = scan(text);
  assert.equal(code.length, text.length);
  assert.equal(code.includes('Date'), false);
  assert.equal(lineAt(code, code.indexOf('b(')), 3);
});

test('a quote inside a comment and a comment inside a quote open nothing', () => {
  assert.equal(codeOf("// it's\nDate"), 'Date');
  assert.equal(codeOf("x('//'); Date"), "x(' '); Date");
});

test('code nested in a template is code, text around it is not', () => {
  assert.equal(codeOf('`Date ${now({ a: `Date ${1}` })} Date`; b'), '` {now({ a: ` {1}` })} `; b');
});

test('a regular expression is blanked and a division is not', () => {
  assert.equal(codeOf("x.match(/'[/']Date/g); y"), 'x.match(/ /g); y');
  assert.equal(codeOf("(a) / b / 'c'"), "(a) / b / ' '");
  assert.equal(codeOf('return /"/; Date'), 'return / /; Date');
});

test('an escaped quote does not end its string', () => {
  assert.equal(codeOf("x('it\\'s Date'); y"), "x(' '); y");
});

test('brackets find their partners across lines', () => {
  const { code, pairs } = scan("f(')', [1,\n2])");
  assert.equal(pairs.get(code.indexOf('(')), code.length - 1);
});

test('functions are found in each of their forms', () => {
  const text = `
function one(a: number, b = f(1, 2)): asserts a is number { }
const two = (a: Map<string, number>, ...rest: readonly [number, number][]): void => { };
class Three {
  #four({ a, b }: { a: number; b: number }): { readonly c: number } | undefined { }
  // The type that it returns counts as a function of its own.
  get five(): (x: number) => void { }
  async *[Symbol.asyncIterator]() { }
}
call((a) => a + 1);
`;
  assert.deepEqual(
    findFunctions(scan(text)).map(({ name, parameters }) => `${name}/${parameters.length}`),
    [
      'one/2',
      'a function/2',
      '#four/1',
      'five/0',
      'a function/1',
      'a function/0',
      'a function/1',
    ],
  );
});

test('blocks, calls, conditions and labels are no functions', () => {
  const text = `
if (a) { b(1, 2, 3, 4, 5); }
for (const x of y) { }
switch (f(a)) { case g(a, b, c, d, e): { } }
const z = a ? f(1, 2, 3, 4, 5) : { };
const w = a ? f(1, 2, 3, 4, 5) : g(1);
try { } catch (e) { }
`;
  assert.deepEqual(findFunctions(scan(text)), []);
});

test('a function ends with its body, whatever its return type holds', () => {
  const text = 'function f(): Promise<{ a: 1 }> {\n  g();\n}\nh();';
  const [found] = findFunctions(scan(text));
  assert.equal(found === undefined ? 0 : lineAt(text, found.end), 3);
});

test('a class ends with its body', () => {
  const [found] = findClasses(scan('export class A extends B {\n  x = {};\n}\n'));
  assert.equal(found?.name, 'A');
});
