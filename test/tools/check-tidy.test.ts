// The tidy check against trees with one planted fault each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkTidy } from '../../tools/check-tidy.ts';

const HEADER = '// A part of the world that is here to be checked.\n';

type Files = Readonly<Record<string, string>>;

function found(files: Files, exceptions: Parameters<typeof checkTidy>[1] = []): string {
  return checkTidy(new Map(Object.entries(files)), exceptions)
    .map(({ path, line, text }) => `${path}:${line} ${text}`)
    .join('\n');
}

function lines(count: number): string {
  return '  x();\n'.repeat(count);
}

test('a tidy tree passes', () => {
  const files: Files = {
    'src/world/land-plot.ts': `${HEADER}export function area(a: number): number {\n  return a;\n}\n`,
    'test/world/land-plot.test.ts': `${HEADER}test('a plot has an area', () => {});\n`,
    'tools/launch.cjs': `'use strict';\n${HEADER}`,
    'bin/bluemarble.js': `#!/usr/bin/env node\n${HEADER}`,
    'docs/start.md': 'See [it](../README.md#first), `src/world/`, `npm test`, `src/world/land-plot`.\n',
    'README.md': 'Read [on](docs/start.md) or [there](https://example.org/a.md).\n',
  };
  assert.equal(found(files), '');
});

/** One planted fault: the code after the header, and what must be said about its line. */
const planted: readonly (readonly [name: string, code: string, line: number, said: RegExp])[] = [
  ['a line too long', `const x = '${'x'.repeat(110)}';\n`, 2, /has 123 columns/],
  ['white space at an end', 'const x = 1; \n', 2, /ends in white space/],
  ['a tab', '\tconst x = 1;\n', 2, /has a tab/],
  ['an open task', '\n// TODO: mend this\n', 3, /open task without an issue number/],
  ['a silenced check', '/* eslint-disable */\n', 2, /silences a check/],
  ['a type error told to be ignored', '// @ts-ignore\n', 2, /silences a check/],
  ['a type error expected', '// @ts-expect-error\n', 2, /only tests may/],
  ['an empty catch', 'try {\n  f();\n} catch (error) {\n}\n', 4, /empty catch/],
  ['an empty catch without a name', 'try {\n  f();\n} catch {}\n', 4, /empty catch/],
  ['a promise whose failure is dropped', 'f().catch(() => {});\n', 2, /empty catch/],
  ['a printed line', 'console.log(1);\n', 2, /only cli does/],
  ['any as a type', 'let x: any;\n', 2, /says any/],
  ['any as an argument of a type', 'let x: Map<string, any>;\n', 2, /says any/],
  ['any as a cast', 'const x = y as any;\n', 2, /says any/],
  ['a value said to be there', 'const x = y!.z;\n', 2, /says !/],
  ['a list entry said to be there', 'const x = y[0]!;\n', 2, /says !/],
  ['an enum', 'export enum Colour { Red }\n', 2, /declares an enum/],
  ['a constant enum', 'const enum Colour { Red }\n', 2, /declares an enum/],
  ['a namespace', 'export namespace World {}\n', 2, /declares a namespace/],
  ['a parameter property', 'class A {\n  constructor(readonly x: number) {}\n}\n', 3, /parameter property/],
  ['a private word', 'class A {\n  private x = 1;\n}\n', 3, /says private/],
  ['a decorator', '@sealed\nclass A {}\n', 2, /has a decorator/],
  ['five parameters', 'function f(a: A, b: B, c: C<1, 2>, d: D, e: E): void {}\n', 2, /takes 5 parameters/],
  ['five parameters of an arrow', 'const f = (a, b, c, d, e) => a;\n', 2, /takes 5 parameters/],
  ['a long function', `function f(): void {\n${lines(60)}}\n`, 2, /f has 62 lines/],
  ['a long arrow', `const f = (): void => {\n${lines(60)}};\n`, 2, /has 62 lines/],
  ['a long class', `class Big {\n${'  x = 1;\n'.repeat(300)}}\n`, 2, /Big has 302 lines/],
  ['a long file', 'x();\n'.repeat(500), 1, /has 501 lines/],
  ['a debugger', 'debugger;\n', 2, /debugger/],
];

for (const [name, code, line, said] of planted) {
  test(`${name} is found`, () => {
    const text = found({ 'src/world/land.ts': HEADER + code });
    assert.match(text, new RegExp(`^src/world/land.ts:${line} `, 'm'));
    assert.match(text, said);
  });
}

const harmless: readonly (readonly [name: string, code: string])[] = [
  ['an open task with an issue number', '// TODO(#12): mend this\n'],
  ['a catch that says why', 'try {\n  f();\n} catch {\n  // Gone already, as wanted.\n}\n'],
  ['a call of any and a negation', 'if (a !== b && !c) Promise.any([d]);\n'],
  ['a forbidden form in a string', "const x = 'let y: any = z!.w; console.log(1)';\n"],
  ['a field named any', 'interface A {\n  readonly any: number;\n}\n'],
  ['a function of sixty lines', `function f(): void {\n${lines(58)}}\n`],
];

for (const [name, code] of harmless) {
  test(`${name} is left alone`, () => {
    assert.equal(found({ 'src/world/land.ts': HEADER + code }), '');
  });
}

test('a file must open with a sentence, not with code, a banner or a word', () => {
  const first = (text: string): string => found({ 'src/world/land.ts': text });
  assert.match(first('export {};\n'), /opens without a comment/);
  assert.match(first('\nexport {};\n// Too late, but a sentence.\n'), /opens without a comment/);
  assert.equal(found({ 'test/world/land.test.ts': "test('land is dry', () => {});\n" }), '');
  assert.match(first('// Copyright 2026 The authors of the world.\n'), /opens with a banner/);
  assert.match(first('/*****************\n * Land and water.\n */\n'), /opens with a banner/);
  assert.match(first('// Land.\n'), /no sentence/);
});

test('names are kebab-case and say what is in the file', () => {
  const named = (path: string): string => found({ [path]: HEADER });
  assert.match(named('src/world/LandPlot.ts'), /use kebab-case/);
  assert.match(named('src/world/land_plot.ts'), /use kebab-case/);
  assert.match(named('src/world/utils.ts'), /name what is in it/);
  assert.match(named('src/world/land-manager.ts'), /name what is in it/);
  assert.match(named('src/helpers/land.ts'), /name what is in it/);
  assert.equal(named('src/adapters/node/data-folder.ts'), '');
});

test('cli prints, tests list many cases in one describe, tests may expect a type error', () => {
  assert.equal(found({ 'src/cli/main.ts': `${HEADER}console.log(1);\n` }), '');
  assert.equal(found({ 'test/a.test.ts': `${HEADER}describe('a', () => {\n${lines(70)}});\n` }), '');
  const expecting = `${HEADER}// @ts-expect-error a node is no player\nf();\n`;
  assert.equal(found({ 'test/a.test.ts': expecting }), '');
});

test('an exception excuses one rule in one file, and must be needed', () => {
  const exception = { path: 'src/world/land.ts', rule: 'columns', reason: 'a table' } as const;
  const long = `${HEADER}const x = '${'x'.repeat(110)}';\n`;
  assert.equal(found({ 'src/world/land.ts': long }, [exception]), '');
  assert.match(found({ 'src/world/sea.ts': long, 'src/world/land.ts': long }, [exception]), /^src.world.sea/);
  assert.match(found({ 'src/world/land.ts': HEADER }, [exception]), /excuses nothing: remove it/);
});

test('a document that points at nothing is found, by link and by path', () => {
  const text = found({
    'docs/start.md':
      'a\n[b](missing.md)\n`src/gone.ts`\n`src/*.ts` `other/gone.ts`\n```\n[c](gone.md)\n```\n',
  });
  assert.match(text, /^docs\/start\.md:2 links to missing\.md/m);
  assert.match(text, /^docs\/start\.md:3 names src\/gone\.ts/m);
  assert.equal(text.split('\n').length, 2);
});
test('what a node tells operators and no document explains is found', () => {
  const code =
    `${HEADER}function note(o: Told): void {\n  o.log('warn', 'gone-astray', {});\n` +
    `  o.name('bluemarble_lag_entries');\n}\n`;
  const file = { 'src/runtime/land-plot.ts': code };
  const text = found(file);
  assert.match(text, /^src\/runtime\/land-plot\.ts:3 tells operators of gone-astray, /m);
  assert.match(text, /^src\/runtime\/land-plot\.ts:4 tells operators of lag_entries, /m);
  assert.equal(found({ ...file, 'docs/operating.md': '| `gone-astray`, `lag_entries` |\n' }), '');
});
