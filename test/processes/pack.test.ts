// The published package, unpacked where a user would have it: built JavaScript only, types included.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
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

function checkTypes(file: string, ...more: readonly string[]): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck'];
  run(process.execPath, compiler, ...options, ...more, file);
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

for (const name of ['bluemarble', 'bluemarble/client', 'bluemarble/raft', 'bluemarble/feature']) {
  test(`${name} can be imported where types are not stripped`, () => {
    const program = `console.log(Object.keys(await import('${name}')).length > 0)`;
    const said = run(process.execPath, '--no-strip-types', '--input-type=module', '--eval', program);
    assert.equal(said, 'true\n');
  });
}

test('every document that the sources and the README name is in the package', () => {
  const files = readdirSync(join(installed, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(installed, 'src', name));
  const named = [...files, join(installed, 'README.md')].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([path]) => path),
  );
  assert.ok(named.includes('docs/histories.md'));
  for (const path of new Set(named)) assert.ok(existsSync(join(installed, path)), path);
});

test('the feature of docs/own-features.md is checked strictly and keeps its promise when simulated', () => {
  const page = readFileSync(join(installed, 'docs/own-features.md'), 'utf8');
  const listed = [...page.matchAll(/^```ts\n\/\/ ([a-z-]+\.ts)\n([^]*?)^```$/gm)];
  assert.deepEqual(listed.map(([, name]) => name), ['auction.ts', 'my-world.ts', 'play.ts']);
  for (const [, name = '', source = ''] of listed) writeFileSync(join(user, name), source);
  for (const file of ['my-world.ts', 'play.ts']) {
    checkTypes(file, '--allowImportingTsExtensions', '--verbatimModuleSyntax');
  }
  const words = ['sim', '--world', './my-world.ts', '--seeds', '4'];
  const said = run(process.execPath, join(installed, 'bin/bluemarble.js'), ...words);
  assert.match(said, /every promise was kept\ndecided calls of your features: auction [1-9]\d*\n$/);
});

test('the types reach a user who checks strictly', () => {
  const program = "import { connect } from 'bluemarble/client';\nimport 'bluemarble';\nvoid connect;\n";
  writeFileSync(join(user, 'game.ts'), program);
  checkTypes('game.ts');
});
