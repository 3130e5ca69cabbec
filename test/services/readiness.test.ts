import assert from 'node:assert/strict';
import test from 'node:test';

import { nodeId } from '../../src/base/id.ts';
import { Readiness } from '../../src/services/readiness.ts';
import type { GroupStatus } from '../../src/wire/status.ts';

function status(change: Partial<GroupStatus>): GroupStatus {
  return {
    group: 'economy',
    role: 'follower',
    term: 1,
    leader: nodeId(2),
    commit: 0,
    applied: 0,
    last: 0,
    snapshot: 0,
    stateHash: 0,
    hashedIndex: 0,
    waiting: 0,
    reads: 0,
    members: [],
    ...change,
  };
}

test('a node is not ready before it has applied what was committed', () => {
  const readiness = new Readiness();
  assert.equal(readiness.judge([status({ commit: 100, applied: 20 })]), false);
  assert.equal(readiness.judge([status({ commit: 150, applied: 99 })]), false);
  assert.equal(readiness.judge([status({ commit: 160, applied: 100 })]), true);
});

test('a node is not ready while one of its groups has no leader', () => {
  const readiness = new Readiness();
  const groups = [status({}), status({ group: 'auth', leader: undefined })];
  assert.equal(readiness.judge(groups), false);
  assert.equal(readiness.judge([status({}), status({ group: 'auth' })]), true);
  assert.equal(readiness.judge(groups), false);
});
