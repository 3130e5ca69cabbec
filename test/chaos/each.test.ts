import assert from 'node:assert/strict';
import test from 'node:test';
import { describeRows, eachReportOf, type Row, worstOf } from '../../src/chaos/each.ts';
import type { Drilled } from '../../src/chaos/run.ts';

function came(verdict: 'ok' | 'violated' | 'unknown'): Drilled {
  const counts = { done: 1_200, rejected: 3, unavailable: 2, uncertain: 1 };
  const times = { p50Ms: 1.2, p99Ms: 20.4, maxMs: 300.5 };
  return {
    seed: 7,
    verdict: { verdict, checks: [], histories: {} },
    story: { counts, ...times, leaderChanges: 4, promotions: 0, lostEntries: 0 },
    traces: { schedule: [], struck: [], files: ['gold.jsonl'], picture: 'seed-7.svg' },
    faults: 5,
    isStopped: false,
  };
}

const well: Row = { name: 'kill', seed: 7, code: 0, came: came('ok') };
const absent: Row = { name: 'clock', seed: 8, code: 2, came: 'there is no C compiler (cc)' };
const unknown: Row = { name: 'stop', seed: 9, code: 3, came: came('unknown') };
const broken: Row = { name: 'all', seed: 10, code: 1, came: came('violated') };

test('the table has a row for each drill, also for one that could not start', () => {
  const [, , ...rows] = describeRows([well, absent]);
  assert.deepEqual(rows, [
    '| kill | 7 | 5 | 1,200 | 3 | 2 | 1 | 1 / 20 / 301 | 4 | ok |',
    '| clock | 8 |  |  |  |  |  |  |  | not run |',
  ]);
});

test('the worst of all drills is what they end with: a violation, then what could not be run', () => {
  assert.equal(worstOf([well]), 0);
  assert.equal(worstOf([well, unknown]), 3);
  assert.equal(worstOf([unknown, absent, well]), 2);
  assert.equal(worstOf([broken, absent, unknown, well]), 1);
});

test('scripts are told the worst verdict and what every drill came to', () => {
  const report = JSON.parse(JSON.stringify(eachReportOf([well, absent, broken]))) as {
    readonly verdict: string;
    readonly drills: readonly Readonly<Record<string, unknown>>[];
  };
  assert.equal(report.verdict, 'violated');
  assert.deepEqual(report.drills.map(({ name, verdict }) => [name, verdict]), [
    ['kill', 'ok'],
    ['clock', undefined],
    ['all', 'violated'],
  ]);
  assert.equal(report.drills[1]?.['notRun'], 'there is no C compiler (cc)');
});
