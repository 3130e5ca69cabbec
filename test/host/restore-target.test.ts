import assert from 'node:assert/strict';
import test from 'node:test';
import { parseRestoreTarget } from '../../src/host/restore-target.ts';

const time = (text: string): unknown => ({ kind: 'time', ms: Date.UTC(2026, 10, 27, ...clockOf(text)) });
const clockOf = (text: string): [number, number, number] => {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return [hours, minutes, seconds];
};

test('a number is a place of the log', () => {
  assert.deepEqual(parseRestoreTarget('1234'), { kind: 'sequence', sequence: 1234 });
});

test('a time is of UTC, whether or not it says so', () => {
  assert.deepEqual(parseRestoreTarget('2026-11-27'), time('00:00:00'));
  for (const text of ['2026-11-27T08:15', '2026-11-27T08:15:00', '2026-11-27T08:15:00Z']) {
    assert.deepEqual(parseRestoreTarget(text), time('08:15:00'), text);
  }
});

test('a time may name its zone', () => {
  assert.deepEqual(parseRestoreTarget('2026-11-27T10:15:30+02:00'), time('08:15:30'));
});

test('what is neither a place nor a time is neither', () => {
  const wrong = ['', 'yesterday', '-1', '1e3', '2026-11', '2026-13-01', '2026-11-27T25:00', '2026-11-27Z'];
  for (const text of wrong) {
    assert.equal(parseRestoreTarget(text), undefined, text);
  }
});
