import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { type History, HistoryReader, LINE_LENGTH_MAX } from '../../src/verify/history.ts';

function read(...lines: readonly string[]): History {
  const reader = new HistoryReader();
  for (const line of lines) reader.line(line);
  return reader.finish();
}

function refused(lines: readonly string[], sentence: RegExp): void {
  assert.throws(() => read(...lines), (error) => {
    assert.ok(error instanceof InvalidInputError, String(error));
    assert.match(error.message, sentence);
    return true;
  });
}

const INVOKE = '{"process":1,"type":"invoke","f":"write","key":"x","value":5,"time":0}';
const OK = '{"process":1,"type":"ok","f":"write","key":"x","time":1,"order":7}';

test('an invocation and its completion become one operation', () => {
  const history = read('{"type":"init","model":"register","value":3}', INVOKE, OK);
  assert.equal(history.model, 'register');
  assert.equal(history.initial.common, 3);
  assert.deepEqual(history.operations, [
    {
      process: '1',
      f: 'write',
      key: 'x',
      input: 5,
      isKnown: true,
      rejected: undefined,
      result: undefined,
      order: 7,
      invokedLine: 2,
      returnedLine: 3,
      invokedTime: 0,
      returnedTime: 1,
    },
  ]);
});

test('what was never completed, or as info, is of unknown fate and never returns', () => {
  const info = INVOKE.replace('"process":1', '"process":2');
  const { operations, uncertain } = read(INVOKE, info, info.replace('invoke', 'info'));
  assert.equal(uncertain, 2);
  assert.deepEqual(operations.map(({ returnedLine }) => returnedLine), [Infinity, Infinity]);
});

test('what certainly had no effect is left out and counted', () => {
  const history = read(INVOKE, OK.replace('"ok"', '"fail"'), INVOKE.replace('"time":0', '"time":2'));
  assert.equal(history.failed, 1);
  assert.deepEqual(history.operations.map(({ invokedLine }) => invokedLine), [3]);
});

test('a rejection is information and no value', () => {
  const rejected = OK.replace('"time"', '"value":{"rejected":"no-room"},"time"');
  const [operation] = read(INVOKE, rejected).operations;
  assert.equal(operation?.rejected, 'no-room');
  assert.equal(operation?.result, undefined);
});

test('keys may have initial states of their own', () => {
  const { initial } = read('{"type":"init","value":1}', '{"type":"init","key":"x","value":2}', INVOKE);
  assert.equal(initial.common, 1);
  assert.equal(initial.byKey.get('x'), 2);
});

test('a byte order mark and empty lines at the end are none of the history', () => {
  assert.equal(read(`\uFEFF${INVOKE}`, OK, '', '\r').operations.length, 1);
});

test('what numbers a double can not tell apart may be written as text', () => {
  const [operation] = read(INVOKE.replace('5', '"9007199254740993"')).operations;
  assert.equal(operation?.input, '9007199254740993');
  const at = (time: string): string => INVOKE.replace('"time":0', `"time":${time}`);
  assert.equal(read(at('1764230400000000001')).operations.length, 1, 'nanoseconds need no order');
});

/** A list in a list and so on. */
function nested(levels: number): string {
  return INVOKE.replace('5', `${'['.repeat(levels)}${']'.repeat(levels)}`);
}

test('a value may be nested 64 levels deep', () => {
  assert.equal(read(nested(64)).operations.length, 1);
});

const unusable: readonly (readonly [what: string, lines: readonly string[], sentence: RegExp])[] = [
  ['text that is no JSON', [INVOKE, '{"process":'], /^line 2 is no JSON/],
  ['an empty line', [INVOKE, '', OK], /^line 2 is no JSON/],
  ['a mark within', [INVOKE, `\uFEFF${OK}`], /^line 2 is no JSON/],
  ['a value too deep', [INVOKE, OK, nested(65)], /^line 3 has a value that is nested deeper than 64/],
  ['a value far too deep', [nested(400_000)], /^line 1 has a value that is nested deeper than 64/],
  ['a number too large', [INVOKE.replace('5', '9007199254740993')], /^line 1 .* beyond 9007199254740991/],
  ['a number too small', [INVOKE.replace('5', '[{"a":-1e16}]')], /^line 1 .* write it as text/],
  ['a number that is none', [INVOKE.replace('5', '1e999')], /^line 1 .* write it as text/],
  ['an init value too large', ['{"type":"init","value":{"a":1e999}}'], /^line 1 .* write it as text/],
  ['JSON that is no object', ['[1]'], /^line 1 is no object/],
  ['a type that nobody knows', [INVOKE.replace('invoke', 'begin')], /^line 1 has none of the types/],
  ['a field that nobody knows', [INVOKE.replace('"key"', '"kee"')], /^line 1 has the unknown field "kee"/],
  ['an invocation without f', [INVOKE.replace('"f":"write",', '')], /^line 1 has no "f"/],
  ['a process that is no name', [INVOKE.replace('1,', '1.5,')], /^line 1 has no "process"/],
  ['an event without time', [INVOKE.replace(',"time":0', '')], /^line 1 has no "time"/],
  ['time that runs backwards', [INVOKE.replace('"time":0', '"time":2'), OK], /^line 2 is earlier/],
  ['two open operations of a process', [INVOKE, INVOKE], /^line 2 invokes, but process 1 .* since line 1/],
  ['a completion of nothing', [OK], /^line 1 completes, but process 1 has nothing open/],
  ['a second completion', [INVOKE, OK, OK], /^line 3 completes, but process 1 has nothing open/],
  ['another f', [INVOKE, OK.replace('write', 'read')], /^line 2 completes other than what line 1/],
  ['another key', [INVOKE, OK.replace('"x"', '"y"')], /^line 2 completes other than what line 1/],
  ['an order that is no place', [INVOKE, OK.replace('7', '7.5')], /^line 2 has an order that is no/],
  ['an order before the answer', [INVOKE.replace('"time"', '"order":1,"time"')], /^line 1 claims/],
  ['an init line behind events', [INVOKE, '{"type":"init","value":1}'], /^line 2 is an init line/],
  ['two init lines', ['{"type":"init","value":1}', '{"type":"init","value":2}'], /^line 2 is a second/],
  ['two models', ['{"type":"init","model":"a"}', '{"type":"init","model":"b"}'], /^line 2 names a second/],
  ['a line without end', [`"${'x'.repeat(LINE_LENGTH_MAX)}"`], /^line 1 has \d+ characters/],
];

for (const [what, lines, sentence] of unusable) {
  test(`a history is unusable, with the number of the line, because of ${what}`, () => {
    refused(lines, sentence);
  });
}
