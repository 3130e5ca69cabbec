import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { readLines } from '../../src/adapters/node/history-file.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { InvalidInputError } from '../../src/base/errors.ts';

const root: string = fs.mkdtempSync(join(tmpdir(), 'bluemarble-verify-'));
after(() => fs.rmSync(root, { recursive: true }));
let files = 0;

function file(content: string | Uint8Array): string {
  const path = join(root, `${++files}.jsonl`);
  fs.writeFileSync(path, content);
  return path;
}

function linesOf(path: string, lineBytesMax: number = 1 << 20): readonly string[] {
  return [...readLines(path, lineBytesMax)].flatMap(({ lines }) => lines);
}

/** Runs the command as `main` would. */
function verify(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const script = `
    import { Command } from 'commander';
    import { verifyCommand } from ${JSON.stringify(import.meta.resolve('../../src/cli/verify.ts'))};
    const program = new Command('bluemarble');
    verifyCommand(program);
    await program.parseAsync(process.argv.slice(1), { from: 'user' });
  `;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=bm-source', '--input-type=module', '-e', script, 'verify', ...words],
    { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') },
  );
  return { code: status, out: stdout, err: stderr };
}

const WRITE = `{"type":"init","model":"register"}
{"process":1,"type":"invoke","f":"write","value":1,"time":0}
{"process":1,"type":"ok","f":"write","time":1}
{"process":2,"type":"invoke","f":"read","time":2}
`;
const READ = '{"process":2,"type":"ok","f":"read","value":1,"time":3}\n';

test('a sound history ends with 0, and its report goes to standard output', () => {
  const { code, out, err } = verify(file(WRITE + READ));
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^model register: 2 operations[^]*\nOK: [^\n]+\n$/);
});

test('a violated history ends with 1, as JSON too', () => {
  const { code, out } = verify(file(WRITE + READ.replace('"value":1', '"value":2')), '--json');
  assert.equal(code, 1);
  const report: unknown = JSON.parse(out);
  assert.equal(Object(report).verdict, 'violated');
});

test('what can not be judged ends with 2 and a sentence', () => {
  for (const [words, sentence] of [
    [[file(`${WRITE}{"process"`)], /line 5 is no JSON/],
    [[file(WRITE.split('\n').slice(1).join('\n'))], /names no model in its first line/],
    [[file(WRITE), '--model', 'bank'], /the model bank knows no write/],
  ] as const) {
    const { code, out, err } = verify(...words);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, sentence);
  }
});

test('an empty history ends with 3: it proves nothing', () => {
  const { code, out } = verify(file(''), '--model', 'bank');
  assert.equal(code, 3);
  assert.match(out, /UNKNOWN: it holds no answer/);
  for (const nothing of ['', '\n', '{"type":"init"}\n']) {
    const unnamed = verify(file(nothing));
    assert.equal(unnamed.code, 3, unnamed.err);
    assert.match(unnamed.out, /UNKNOWN: it holds no answer/);
  }
});

test('a value nested without end is refused with its line', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const { code, err } = verify(file(WRITE + READ.replace(':1,', `:${deep},`)));
  assert.equal(code, 2);
  assert.match(err, /line 5 has a value that is nested deeper than 64/);
});

test('a search whose budget ends first ends with 3', () => {
  const adds = [2, 4, 8, 16].map(
    (process) => `{"process":${process},"type":"invoke","f":"add","value":${process},"time":0}\n`,
  );
  const read = '{"process":9,"type":"invoke","f":"read","time":1}\n{"process":9,"type":"ok","f":"read",';
  const history = file(`${adds.join('')}${read}"value":7,"time":2}\n`);
  assert.equal(verify(history, '--model', 'counter', '--states', '0').code, 3);
  assert.equal(verify(history, '--model', 'counter').code, 1);
});

test('lines are read across blocks, with and without a last line feed', () => {
  const lines = Array.from({ length: 300 }, (_, i) => String(i).repeat(3_000));
  assert.deepEqual(linesOf(file(`${lines.join('\n')}\n`)), lines);
  assert.deepEqual(linesOf(file(lines.join('\n'))), lines);
  assert.deepEqual(linesOf(file('')), []);
  assert.deepEqual(linesOf(file('a\n\nb')), ['a', '', 'b']);
});

test('a character that lies across two blocks stays whole', () => {
  const text = `${'x'.repeat((1 << 20) - 1)}\u00e9`;
  assert.deepEqual(linesOf(file(text), 1 << 22), [text]);
});

test('a line without end, and bytes that are no text, are refused', () => {
  const long = file(`a\n${'x'.repeat(3 << 20)}`);
  assert.throws(() => linesOf(long), (error) => {
    assert.ok(error instanceof InvalidInputError);
    assert.match(error.message, /^line 2 is longer than/);
    return true;
  });
  assert.throws(() => linesOf(file(new Uint8Array([65, 10, 255, 10]))), InvalidInputError);
});

test('what is no file is refused with what to do', () => {
  assert.throws(() => linesOf(join(root, 'absent')), StartError);
  assert.throws(() => linesOf(root), StartError);
});
