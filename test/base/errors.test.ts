import assert from 'node:assert/strict';
import test from 'node:test';
import { done, invariant, InvariantError, rejected } from '../../src/base/errors.ts';

test('a promise that holds is silent, a broken one names itself', () => {
  invariant(true, 'never seen');
  assert.throws(() => invariant(false, 'gold is whole'), (error) => {
    assert.ok(error instanceof InvariantError);
    assert.equal(error.message, 'gold is whole');
    return true;
  });
});

test('a refusal has a detail only when it was given one', () => {
  assert.deepEqual(rejected('not-yours'), { kind: 'rejected', reason: 'not-yours' });
  assert.deepEqual(rejected('not-yours', 'item 7'), {
    kind: 'rejected',
    reason: 'not-yours',
    detail: 'item 7',
  });
  assert.deepEqual(done(null), { kind: 'done', value: null });
});
