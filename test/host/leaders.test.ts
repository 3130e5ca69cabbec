// Changes of leaders, counted and told.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Leaders } from '../../src/host/leaders.ts';
import { sampleOf } from '../support/world-views.ts';

const GROUPS = ['economy'];
const led = (leader: number, term: number) => sampleOf({ economy: { leader, term } });
const nobody = sampleOf({});

test('the first leader is no change', () => {
  const leaders = new Leaders();
  assert.deepEqual(leaders.note(GROUPS, nobody), []);
  assert.deepEqual(leaders.note(GROUPS, led(2, 1)), []);
  assert.deepEqual(leaders.note(GROUPS, led(2, 1)), []);
  assert.equal(leaders.changes, 0);
});

test('a new leader is told once, with its term and who led before', () => {
  const leaders = new Leaders();
  leaders.note(GROUPS, led(2, 1));
  assert.deepEqual(leaders.note(GROUPS, led(4, 2)), [
    'economy: global-4 leads in term 2 (before: global-2, 1)',
  ]);
  assert.deepEqual(leaders.note(GROUPS, led(4, 2)), []);
  assert.equal(leaders.changes, 1);
});

test('the same leader in a new term is a change: there was an election', () => {
  const leaders = new Leaders();
  leaders.note(GROUPS, led(2, 1));
  leaders.note(GROUPS, led(2, 3));
  assert.equal(leaders.changes, 1);
});

test('a group without a leader is told once, and again when one is seen', () => {
  const leaders = new Leaders();
  leaders.note(GROUPS, led(2, 1));
  assert.equal(leaders.note(GROUPS, nobody).length, 1);
  assert.deepEqual(leaders.note(GROUPS, nobody), []);
  assert.match(leaders.note(GROUPS, led(2, 1))[0] ?? '', /leads again/);
  assert.equal(leaders.changes, 0);
});

test('a former leader that is seen again after the new one is no change', () => {
  const leaders = new Leaders();
  leaders.note(GROUPS, led(4, 5));
  assert.deepEqual(leaders.note(GROUPS, led(2, 4)), []);
  assert.equal(leaders.changes, 0);
});
