import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { describeReport, NO_MODEL, reportOf } from '../../src/verify/report.ts';
import { historyOf, told } from '../support/histories.ts';

test('a report counts what it judged, and concludes', () => {
  const history = told('1 write 1\n1 = @1\n2 write 2\n2 ?\n3 write 3\n3 x\n3 read\n3 = 1 @1');
  const report = reportOf(history, 'register');
  const { verdict, operations, failed, uncertain, processes } = report;
  assert.deepEqual({ verdict, operations, failed, uncertain, processes }, {
    verdict: 'ok',
    operations: 3,
    failed: 1,
    uncertain: 1,
    processes: 3,
  });
  assert.deepEqual(report.order, { agrees: 1 });
  assert.equal(describeReport(report).at(-1), 'OK: everything that was checked holds.');
});

test('a violation is told with its lines, the answer, what was open and what was tried', () => {
  const text = describeReport(reportOf(told('1 write 1\n1 =\n2 write 2\n3 read\n3 = 7\n2 ='), 'register'));
  assert.deepEqual(text.slice(3), [
    'VIOLATED  the history (3 operations): no order explains this answer',
    '  line 4-5: process 3: read -> 7',
    '  it was tried on:',
    '    2',
    '    1',
    '  open at the same time:',
    '    line 3-6: process 2: write 2 -> ok',
    '  took effect before it, the last of 2:',
    '    line 1-2: process 1: write 1 -> ok',
    '    line 3-6: process 2: write 2 -> ok',
    'VIOLATED: what was promised was not kept.',
  ]);
});

test('a broken invariant makes a report a violation, also without a model', () => {
  const report = reportOf(told('1 write 1\n1 = @5\n1 read\n1 = 0 @4'), NO_MODEL);
  assert.equal(report.verdict, 'violated');
  assert.deepEqual(report.invariants.map(({ name, held }) => [name, held]), [
    ['reads of a session never go back', true],
    ['a session reads its own writes', false],
  ]);
});

test('where nothing was answered, or nothing judges it, nothing was proved', () => {
  const empty = historyOf([]);
  const unanswered = told('1 write 1\n1 ?\n2 write 2\n3 read\n3 x');
  const unjudged = told('1 write 1\n1 =');
  const nothing = [
    [empty, 'register'],
    [empty, 'bank'],
    [unanswered, 'register'],
    [unjudged, NO_MODEL],
  ] as const;
  for (const [history, model] of nothing) {
    const report = reportOf(history, model);
    assert.equal(report.verdict, 'unknown', model);
    assert.match(describeReport(report).at(-1) ?? '', /^UNKNOWN: it holds no answer/);
  }
});

test('observations are no operations of the model, and are judged beside it', () => {
  const history = historyOf([
    { process: 1, type: 'invoke', f: 'add', value: 1 },
    { process: 1, type: 'ok', f: 'add' },
    ...['n1', 'n2'].flatMap((node): Parameters<typeof historyOf>[0] => [
      { process: 2, type: 'invoke', f: 'primary', key: 'eu', value: { epoch: 4, node } },
      { process: 2, type: 'ok', f: 'primary', key: 'eu' },
    ]),
  ]);
  const { verdict, parts, invariants } = reportOf(history, 'counter');
  assert.equal(verdict, 'violated');
  assert.equal(parts.ok, 1);
  assert.deepEqual(invariants, [
    { name: 'one primary per epoch', held: false, broken: ['eu epoch 4 had two primaries: n1 and n2'] },
  ]);
});

type Unreadable = readonly [what: string, model: string, text: string, sentence: RegExp];

const unreadable: readonly Unreadable[] = [
  ['a model that nobody knows', 'banana', '1 read\n1 = 1', /no model "banana": name one of reg/],
  ['an operation that the model does not know', 'bank', '1 write 1\n1 =', /line 1: .* knows no write/],
  ['a reason that the model does not know', 'register', '1 cas [1,2]\n1 ! full', /record .* fail/],
  ['an answer where there is none', 'register', '1 write 1\n1 = 2', /line 1, answered in 2: write is/],
  [
    'an answer of the wrong kind',
    'counter',
    '1 read\n1 = "x"',
    /needs a count as its answer, a whole number/,
  ],
  ['a field that does not belong', 'bank', '1 deposit {"from":"a","amount":1}\n1 =', /unknown field "from"/],
  ['an initial state of the wrong kind', 'bank', 'init {"a":-1}\n1 read\n1 = {}', /^the initial state needs/],
];

for (const [what, model, text, sentence] of unreadable) {
  test(`a history can not be judged because of ${what}`, () => {
    assert.throws(() => reportOf(told(text), model), (error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  });
}
