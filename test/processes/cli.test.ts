// The command line as people and scripts meet it: help, mistakes, and what must be changed first.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { validateTopology } from '../../src/services/topology/topology-rules.ts';
import { parseTopology } from '../../src/services/topology/topology.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { smallTopology } from '../support/small-topology.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function run(...words: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, NO_COLOR: '1' };
  const done = spawnSync(process.execPath, [...process.execArgv, MAIN, ...words], {
    encoding: 'utf8',
    env,
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bm-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Refused before anything runs: one sentence on standard error, nothing on standard output. */
function assertRefused(done: ReturnType<typeof run>, sentence: RegExp): void {
  assert.equal(done.code, 2, done.err);
  assert.equal(done.out, '');
  assert.match(done.err, sentence);
  assert.equal(done.err.trimEnd().split('\n').length, 1, done.err);
}

/** What the overview says of each command. */
function summaries(): readonly { readonly command: string; readonly summary: string }[] {
  const [, list = ''] = run('--help').out.split('Commands:\n');
  const lines = list.slice(0, list.indexOf('\n\n')).split('\n');
  return lines.map((line) => {
    const [, command = '', summary = ''] = /^ {2}(\S+)(?: \S+)* {2,}(\S.*)$/.exec(line) ?? assert.fail(line);
    return { command, summary };
  });
}

test('every command has a help with examples', () => {
  const listed = summaries().map(({ command }) => command);
  assert.ok(listed.includes('checkpoint') && listed.includes('heal'), listed.join());
  for (const command of listed.filter((each) => each !== 'help')) {
    const { code, out } = run(command, '--help');
    assert.equal(code, 0, command);
    assert.match(out, new RegExp(`Examples?:\\n(?:  bluemarble .*\\n)*  bluemarble ${command}`));
    assert.match(out, /Exit codes: 0 /, command);
  }
});

test('the overview has one line for each command, all in one style', () => {
  for (const { command, summary } of summaries()) assert.match(summary, /^[a-z].*[^.]$/, command);
});

test('the overview lists what people use, and not what the supervisor uses', () => {
  const { code, out } = run('--help');
  assert.equal(code, 0);
  assert.match(out, /\n {2}restart /);
  assert.doesNotMatch(out, /\n {2}node /);
});

test('the version is printed alone', () => {
  const { code, out } = run('--version');
  assert.equal(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+\S*\n$/);
});

test('an unknown command is a wrong usage, and the nearest one is suggested', () => {
  const { code, err } = run('statsu');
  assert.equal(code, 2);
  assert.match(err, /Did you mean status\?/);
});

test('options without a command are those of up', () => {
  const { code, err } = run('--for', '3 fortnights');
  assert.equal(code, 2);
  assert.match(err, /--for.*500ms, 30s, 5m or 2h/);
});

test('values that no option takes are wrong usage, with what would be right', () => {
  for (const wrong of ['--players=-1', '--players=1.5', '--port=80', '--seed=x']) {
    const { code, err } = run('up', wrong);
    assert.equal(code, 2, err);
    assert.match(err, /whole number from \d+ to \d+/);
  }
  assert.equal(run('kill').code, 2);
});

test('faults on links that contradict each other, or are none, are wrong usage', () => {
  for (const [words, sentence] of [
    [['--jitter', '20ms'], /--jitter goes with --delay/],
    [['--reset', '--delay', '20ms'], /--reset.*--delay/],
    [['--reset', '--loss', '5'], /--reset.*--loss/],
    [['--loss', '0'], /from 0\.1 to 100/],
    [['--loss', '0.05'], /with one decimal place at most/],
    [['--loss', '100.1'], /from 0\.1 to 100/],
  ] as const) {
    const { code, out, err } = run('partition', 'eu / rest', ...words);
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, sentence);
  }
});

test('defaults are shown as they are written', () => {
  const { out } = run('chaos', '--help');
  assert.match(out, /\(default: 60s\)/);
  assert.equal(out.split('lossy-links').length, 2, 'each nemesis is named once');
});

test('commands for a running world say so where there is none', (t) => {
  const folder = freshFolder(t);
  for (const words of [['status'], ['kill', 'eu'], ['restart', 'all']]) {
    const { code, out, err } = run(...words, '--data', folder);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /^No world runs in .*bluemarble up/);
  }
  assertRefused(run('players', '--data', folder), /No world runs in/);
});

test('a folder that holds something else is refused and left as it was', (t) => {
  const folder = freshFolder(t);
  writeFileSync(join(folder, 'letter.txt'), 'dear');
  assertRefused(run('up', '--data', folder), /holds "letter.txt" and no world: .*--data/);
  assert.deepEqual(readdirSync(folder), ['letter.txt']);
});

test('a folder that can not be one, or not be written, is refused', (t) => {
  const file = join(freshFolder(t), 'file');
  writeFileSync(file, '');
  assertRefused(run('up', '--data', file), /--data/);
  assertRefused(run('up', '--data', join(file, 'inside')), /--data/);
});

test('worlds that are damaged, or of a newer version, are refused', (t) => {
  const folder = freshFolder(t);
  const worlds: readonly (readonly [string, RegExp])[] = [
    ['{"format":2}', /has format 2 .*newer BlueMarble/],
    ['{"format":1,"basePort":7400,"topology":{}}', /is damaged: topology\.world/],
    ['{"form', /can not be read/],
    ['[]', /not one of ours/],
  ];
  for (const [text, sentence] of worlds) {
    writeFileSync(join(folder, 'world.json'), text);
    assertRefused(run('up', '--data', folder), sentence);
    assert.deepEqual(readdirSync(folder), ['world.json']);
  }
});

test('a port in use is named, with the option that moves the world', async (t) => {
  const folder = join(freshFolder(t), 'world');
  const base = await freeBasePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(base + 51, '127.0.0.1', resolve));
  t.after(() => server.close());
  const done = run('up', '--data', folder, '--port', String(base));
  assertRefused(done, new RegExp(`Port ${base + 51} is in use: .*--port`));
  mkdirSync(folder, { recursive: true });
  assert.deepEqual(readdirSync(folder), []);
});

test('a topology file that makes no world on this machine is refused, and nothing is left', async (t) => {
  const folder = freshFolder(t);
  const file = join(folder, 'my.json');
  const data = join(folder, 'world');
  const start = (topology?: object): ReturnType<typeof run> => {
    if (topology !== undefined) writeFileSync(file, JSON.stringify(topology));
    return run('up', '--topology', file, '--data', data);
  };
  assertRefused(start(), /There is no topology file .*my\.json: name another one/);
  writeFileSync(file, '{');
  assertRefused(start(), /my\.json can not be read as JSON/);
  const small = smallTopology({ basePort: await freeBasePort(), gateways: 0 });
  assertRefused(start({ ...small, extra: 1 }), /topology has the unknown field "extra"/);
  assertRefused(start({ ...small, regions: [] }), /describes no world that can be run: There are no regions/);
  const nodes = small.nodes.map((node) => ({ ...node, host: '10.0.0.5' }));
  assertRefused(start({ ...small, nodes }), /global-1 has the host 10\.0\.0\.5 .*write 127\.0\.0\.1/);
  assert.deepEqual(readdirSync(folder), ['my.json']);
});

test('the topology that is printed to start from can be read again', () => {
  const { code, out } = run('topology');
  assert.equal(code, 0);
  assert.deepEqual(validateTopology(parseTopology(JSON.parse(out)), stockFeatures), []);
});
