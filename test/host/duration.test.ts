// Spans of time, read and written.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDuration, parseDuration, spanOf } from '../../src/host/duration.ts';

test('a span is a number with a unit', () => {
  assert.equal(parseDuration('500ms'), 500);
  assert.equal(parseDuration('30s'), 30_000);
  assert.equal(parseDuration('1.5m'), 90_000);
  assert.equal(parseDuration('2h'), 7_200_000);
});

test('anything else is no span', () => {
  for (const text of ['', '30', 's', '-1s', '0s', '0.0001ms', '1e3s', '30 s', '5d', '999999h']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test('spans are written in the unit that a person would choose', () => {
  assert.equal(formatDuration(0), '0.0 s');
  assert.equal(formatDuration(2_134), '2.1 s');
  assert.equal(formatDuration(59_949), '59.9 s');
  assert.equal(formatDuration(59_999), '1 min 00 s');
  assert.equal(formatDuration(245_000), '4 min 05 s');
  assert.equal(formatDuration(3_840_000), '1 h 04 min');
});

test('a span is written as it is read', () => {
  for (const ms of [1, 999, 1_000, 1_500, 300_000]) assert.equal(parseDuration(spanOf(ms)), ms);
  assert.equal(spanOf(300_000), '300s');
});
