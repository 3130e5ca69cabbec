// The model `log`: one history that it must take, and for each rule one that it must refuse.
import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { HistoryReader } from '../../src/verify/history.ts';
import { LOG } from '../../src/verify/log/log.ts';
import { type Report, reportOf } from '../../src/verify/report.ts';

type Line = Readonly<Record<string, unknown>>;

interface Call {
  readonly process?: string;
  readonly f?: string;
  readonly key?: string;
  readonly value: unknown;
}

const INIT = { type: 'init', model: LOG } as const;
const REGION = { type: 'init', key: 'eu', value: 'regional' } as const;

function bid(gold: number, more: Partial<Call> & { readonly level?: string } = {}): Call {
  const { level, ...call } = more;
  return { process: 'ann', f: 'auction.bid', key: 'economy', value: { command: { gold }, level }, ...call };
}

function look(more: Partial<Call> = {}): Call {
  return { process: 'ann', f: 'auction.lots', key: 'economy', value: { query: null }, ...more };
}

function asked(call: Call): Line {
  return { ...call, type: 'invoke' };
}

function ended({ process, f, key }: Call, type: string, order?: number, value?: unknown): Line {
  return { process, f, key, type, order, value };
}

/** Asked, and answered with that place. */
function done(call: Call, order: number, value: unknown = null): readonly Line[] {
  return [asked(call), ended(call, 'ok', order, value)];
}

/** What the observer says of a place. */
function said(f: 'applied' | 'shown', call: Call, order: number, answer: unknown = null): readonly Line[] {
  const { command, query } = call.value as { readonly command?: unknown; readonly query?: unknown };
  const value = { process: call.process, f: call.f, args: command ?? query ?? null, answer };
  return observed(f, call.key, value, order);
}

function observed(f: string, key: string | undefined, value: unknown, order?: number): readonly Line[] {
  const line = { process: 'observer', f, key, value };
  return [{ ...line, type: 'invoke' }, { ...line, type: 'ok', order }];
}

function told(entries: number, key = 'economy'): readonly Line[] {
  return observed('log', key, { entries });
}

function judged(...lines: readonly (Line | readonly Line[])[]): Report {
  const reader = new HistoryReader();
  let time = 0;
  for (const line of lines.flat()) {
    const timed = 'process' in line ? { ...line, time: time++ } : line;
    reader.line(JSON.stringify(timed));
  }
  return reportOf(reader.finish(), LOG);
}

/** The invariants that a history breaks. */
function broken(...lines: readonly (Line | readonly Line[])[]): readonly string[] {
  return judged(...lines).invariants.filter(({ held }) => !held).map(({ name }) => name);
}

const [UNTRUE, SHARED, UNASKED, DISORDERED] = [
  'each answer is the one that the log has at its place',
  'no place in a log is answered to two calls',
  'what stands in a log was asked, and was not called unavailable',
  'places in a log keep the order of time',
] as const;
const BEN = { process: 'ben' } as const;

test('answers that stand in the log, and in its order, are what was promised', () => {
  const report = judged(
    INIT,
    asked(bid(1)),
    asked(bid(2, BEN)),
    ended(bid(2, BEN), 'ok', 2, { rejected: 'too-low' }),
    ended(bid(1), 'ok', 1, null),
    done(look(), 2, [1]),
    asked(bid(3)),
    ended(bid(3), 'info'),
    asked(bid(4, BEN)),
    ended(bid(4, BEN), 'fail'),
    said('applied', bid(1), 1),
    said('applied', bid(2, BEN), 2, { rejected: 'too-low' }),
    said('applied', bid(3), 4),
    said('shown', look(), 2, [1]),
    told(5),
  );
  assert.equal(report.verdict, 'ok');
  assert.deepEqual(report.invariants.map(({ name }) => name), [UNTRUE, SHARED, UNASKED, DISORDERED]);
});

test('an answer that the log does not give at its place is untrue', () => {
  const one = said('applied', bid(1), 1);
  assert.deepEqual(broken(INIT, done(bid(1), 1), told(1)), [UNTRUE]);
  assert.deepEqual(broken(INIT, done(bid(1), 1, { rejected: 'too-low' }), one, told(1)), [UNTRUE]);
  assert.deepEqual(broken(INIT, done(bid(2), 1), one, told(1)), [UNTRUE, UNASKED]);
  assert.deepEqual(broken(INIT, done(bid(1, BEN), 1), one, told(1)), [UNTRUE, UNASKED]);
  assert.deepEqual(broken(INIT, done(bid(1, { f: 'auction.open' }), 1), one, told(1)), [UNTRUE, UNASKED]);
  const unplaced = [asked(bid(1)), ended(bid(1), 'ok')];
  assert.deepEqual(broken(INIT, unplaced, one, told(1)), [UNTRUE, UNASKED]);
});

test('a reading of what the log does not show at its place is untrue', () => {
  const one = [...done(bid(1), 1), ...said('applied', bid(1), 1), ...told(1)];
  assert.deepEqual(broken(INIT, one, done(look(), 1, []), said('shown', look(), 1, [1])), [UNTRUE]);
  assert.deepEqual(broken(INIT, one, done(look(), 2, [1])), [UNTRUE], 'a place behind the last');
  assert.deepEqual(broken(INIT, one, done(look(), 1, [1]), said('shown', look(), 1, [1])), []);
});

test('one place is not answered to two calls, equal as they may be', () => {
  const twice = [...done(bid(1), 1), ...done(bid(1), 1)];
  assert.deepEqual(broken(INIT, twice, said('applied', bid(1), 1), told(1)), [SHARED, DISORDERED]);
});

test('what was called unavailable, or asked by nobody, does not stand in the log', () => {
  const one = [...done(bid(1), 1), ...said('applied', bid(1), 1)];
  const failed = [asked(bid(2)), ended(bid(2), 'fail')];
  assert.deepEqual(broken(INIT, one, failed, told(2)), []);
  assert.deepEqual(broken(INIT, one, failed, said('applied', bid(2), 2), told(2)), [UNASKED]);
  assert.deepEqual(broken(INIT, one, said('applied', bid(3), 2), told(2)), [UNASKED]);
});

test('a call of unknown fate has one place at most, behind what was known when it was asked', () => {
  const uncertain = [asked(bid(7)), ended(bid(7), 'info')];
  const before = [...done(bid(1, BEN), 3), ...said('applied', bid(1, BEN), 3)];
  assert.deepEqual(broken(INIT, before, uncertain, said('applied', bid(7), 4), told(4)), []);
  assert.deepEqual(broken(INIT, before, uncertain, told(4)), []);
  assert.deepEqual(broken(INIT, before, uncertain, said('applied', bid(7), 2), told(4)), [UNASKED]);
  const twice = [...said('applied', bid(7), 4), ...said('applied', bid(7), 5)];
  assert.deepEqual(broken(INIT, before, uncertain, twice, told(5)), [UNASKED]);
  assert.deepEqual(broken(INIT, before, uncertain, uncertain, twice, told(5)), []);
});

test('what was answered before another call was asked stands before it', () => {
  const both = [...said('applied', bid(1), 2), ...said('applied', bid(2, BEN), 1), ...told(2)];
  assert.deepEqual(broken(INIT, done(bid(1), 2), done(bid(2, BEN), 1), both), [DISORDERED]);
  assert.deepEqual(broken(INIT, asked(bid(1)), done(bid(2, BEN), 1), ended(bid(1), 'ok', 2), both), []);
  const one = [...done(bid(1), 2), ...said('applied', bid(1), 2), ...told(2)];
  const old = [...done(look(BEN), 1, []), ...said('shown', look(BEN), 1, [])];
  assert.deepEqual(broken(INIT, one, old), [DISORDERED], 'a reading is as new as what is known');
});

test('in a region a reading is as new as what its own session has seen', () => {
  const eu = { key: 'eu' } as const;
  const one = [...done(bid(1, eu), 2), ...said('applied', bid(1, eu), 2), ...told(2, 'eu')];
  const old = (process: string): readonly Line[] => [
    ...done(look({ ...eu, process }), 1, []),
    ...said('shown', look({ ...eu, process }), 1, []),
  ];
  assert.deepEqual(broken(INIT, REGION, one, old('ben')), []);
  assert.deepEqual(broken(INIT, REGION, one, old('ann')), [DISORDERED]);
});

test('a reading of a region that may be so old shows what was acknowledged before, beyond one disk', () => {
  const eu = { key: 'eu' } as const;
  const old = (msOld: number): readonly Line[] => {
    const reading = look({ ...eu, ...BEN, value: { query: null, msOld } });
    return [...done(reading, 1, []), ...said('shown', reading, 1, [])];
  };
  // Answered at time 1; the reading is asked for at time 2.
  const at = (level: string): readonly Line[] => [...done(bid(1, { ...eu, level }), 2)];
  const end = [...said('applied', bid(1, eu), 2), ...told(2, 'eu')];
  assert.deepEqual(broken(INIT, REGION, at('quorum'), old(0), end), [DISORDERED]);
  assert.deepEqual(broken(INIT, REGION, at('quorum'), old(1), end), [DISORDERED]);
  assert.deepEqual(broken(INIT, REGION, at('quorum'), old(2), end), []);
  assert.deepEqual(broken(INIT, REGION, at('one'), old(0), end), []);
});

test('what one disk acknowledged may be gone if its region owns up to it, and nothing else may', () => {
  const eu = { key: 'eu' } as const;
  const atOne = { ...eu, level: 'one' } as const;
  const lost = observed('lost', 'eu', { from: 1, to: 1 });
  const other = [...done(bid(9, { ...eu, ...BEN }), 1), ...said('applied', bid(9, { ...eu, ...BEN }), 1)];
  const end = told(1, 'eu');
  assert.deepEqual(broken(INIT, REGION, done(bid(1, atOne), 1), other, lost, end), []);
  assert.deepEqual(broken(INIT, REGION, done(bid(1, atOne), 1), other, end), [UNTRUE, DISORDERED]);
  assert.deepEqual(broken(INIT, REGION, done(bid(1, eu), 1), other, lost, end), [UNTRUE], 'at a quorum');
  const reading = done(look(eu), 1, [1]);
  assert.deepEqual(broken(INIT, REGION, reading, other, lost, end), []);
  // A late copy of it may have been applied again by who came after.
  const again = said('applied', bid(1, eu), 2);
  assert.deepEqual(broken(INIT, REGION, done(bid(1, atOne), 1), lost, again, told(2, 'eu')), []);
});

test('a log that nobody told of makes nothing sound', () => {
  const one = [...done(bid(1), 1), ...said('applied', bid(1), 1)];
  assert.equal(judged(INIT, one).verdict, 'unknown');
  assert.equal(judged(INIT, one, done(look(), 1, []), told(1)).verdict, 'unknown', 'of a reading');
  assert.equal(judged(INIT, one, told(1)).verdict, 'ok');
  assert.equal(judged(INIT).verdict, 'unknown');
});

test('lines that say nothing clear are refused', () => {
  const who = { process: 'ann', f: 'auction.bid', args: 1, answer: null };
  for (const lines of [
    done(bid(1, { value: { gold: 1 } }), 1),
    done(bid(1, { value: { command: 1, query: 1 } }), 1),
    observed('applied', 'economy', { ...who, process: undefined }, 1),
    observed('applied', 'economy', { ...who, order: 1 }, 1),
    observed('applied', 'economy', who),
    observed('lost', 'economy', { from: 1 }),
  ]) {
    assert.throws(() => judged(INIT, lines, told(1)), InvalidInputError);
  }
  assert.doesNotThrow(() => judged(INIT, observed('applied', 'economy', who, 1), told(1)));
});
