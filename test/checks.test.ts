// The checks of the whole tree, as tests: types, layers, tidiness.
//
// `npm test -- --checks` runs only these.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { checkLayers } from '../tools/check-layers.ts';
import { checkTidy } from '../tools/check-tidy.ts';
import { readTree, type Tree, type Violation } from '../tools/tree.ts';

const root: string = join(import.meta.dirname, '..');
const tree: Tree = readTree(root);

test('every file type-checks', () => {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '--noEmit', '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});

test('every import keeps to the floors and rooms of the architecture', () => {
  noneIn(checkLayers(tree));
});

test('every file and document is tidy', () => {
  noneIn(checkTidy(tree));
});

function noneIn(violations: readonly Violation[]): void {
  const lines = violations.map(({ path, line, text }) => `${path}:${line} ${text}`);
  if (lines.length > 0) assert.fail(`${lines.length} to mend:\n${lines.join('\n')}`);
}
