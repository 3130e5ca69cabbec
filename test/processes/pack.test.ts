// The published package, unpacked where a user would have it: built JavaScript only, types included.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { packInto } from '../../tools/pack.ts';

const root: string = join(import.meta.dirname, '../..');
const user: string = mkdtempSync(join(tmpdir(), 'bluemarble-user-'));
process.on('exit', () => rmSync(user, { recursive: true, force: true }));
const installed: string = join(user, 'node_modules/bluemarble');
const archive: string = packInto(user);
run('tar', '-xzf', archive, '-C', user);
mkdirSync(dirname(installed));
renameSync(join(user, 'package'), installed);
const manifest: {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
} & Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
// Only what the manifest names, so that a dependency which it forgets is missed here.
for (const name of Object.keys(manifest.dependencies)) {
  const place = join(user, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), place);
}
writeFileSync(join(user, 'package.json'), '{ "type": "module" }');

/** Runs in the user's folder, and returns what it printed. */
function run(file: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(file, words, { cwd: user, encoding: 'utf8' });
  assert.equal(status, 0, `${file} ${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test('the manifest serves users: no scripts, nothing private, no Node of its own', () => {
  for (const key of ['private', 'scripts', 'devDependencies', 'optionalDependencies']) {
    assert.equal(manifest[key], undefined, key);
  }
});

test('the installed command says its version', () => {
  const said = run(process.execPath, join(installed, 'bin/bluemarble.js'), '--version');
  assert.equal(said.trim(), manifest.version);
});

for (const name of ['bluemarble', 'bluemarble/client', 'bluemarble/raft']) {
  test(`${name} can be imported where types are not stripped`, () => {
    const program = `console.log(Object.keys(await import('${name}')).length > 0)`;
    const said = run(process.execPath, '--no-strip-types', '--input-type=module', '--eval', program);
    assert.equal(said, 'true\n');
  });
}

test('the types reach a user who checks strictly', () => {
  const program = "import { connect } from 'bluemarble/client';\nimport 'bluemarble';\nvoid connect;\n";
  writeFileSync(join(user, 'game.ts'), program);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024'];
  run(process.execPath, compiler, ...options, '--skipLibCheck', 'game.ts');
});
