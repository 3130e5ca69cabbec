import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import {
  committedIndex,
  countVotes,
  hasQuorum,
  majority,
  type Voters,
} from '../../src/base/quorum.ts';

const nodes = (...ids: number[]): readonly NodeId[] => ids.map(nodeId);
const one = (...ids: number[]): Voters => ({ incoming: nodes(...ids), outgoing: [] });
const votes = (granted: number[], refused: number[] = []): ReadonlyMap<NodeId, boolean> =>
  new Map([
    ...nodes(...granted).map((id) => [id, true] as const),
    ...nodes(...refused).map((id) => [id, false] as const),
  ]);
const anyVoters: fc.Arbitrary<Voters> = fc.record({
  incoming: fc.uniqueArray(fc.integer({ min: 1, max: 9 }).map(nodeId), { minLength: 1, maxLength: 7 }),
  outgoing: fc.uniqueArray(fc.integer({ min: 1, max: 9 }).map(nodeId), { maxLength: 7 }),
});

test('a majority is more than half', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4]);
});

test('two majorities of the same voters always share one', () => {
  for (let size = 1; size <= 9; size++) assert.ok(2 * majority(size) > size);
});

test('an election is won by a majority, lost when none is left to win it, else open', () => {
  assert.equal(countVotes(one(1, 2, 3), votes([1])), 'pending');
  assert.equal(countVotes(one(1, 2, 3), votes([1, 3])), 'won');
  assert.equal(countVotes(one(1, 2, 3), votes([1], [2])), 'pending');
  assert.equal(countVotes(one(1, 2, 3), votes([1], [2, 3])), 'lost');
  assert.equal(countVotes(one(1, 2, 3, 4), votes([1, 2], [3, 4])), 'lost');
});

test('the votes of those who are not voters count for nothing', () => {
  assert.equal(countVotes(one(1, 2, 3), votes([1, 7, 8, 9])), 'pending');
});

test('during a change of membership both sets must agree, and either can refuse', () => {
  const joint: Voters = { incoming: nodes(1, 2, 3), outgoing: nodes(3, 4, 5) };
  assert.equal(countVotes(joint, votes([1, 2])), 'pending');
  assert.equal(countVotes(joint, votes([1, 2, 3])), 'pending');
  assert.equal(countVotes(joint, votes([1, 2, 3, 4])), 'won');
  assert.equal(countVotes(joint, votes([1, 2, 3], [4, 5])), 'lost');
  assert.equal(committedIndex(joint, (node) => (node <= 3 ? 9 : 4)), 4);
});

test('an index is committed exactly when a majority of each set has reached it', () => {
  fc.assert(
    fc.property(anyVoters, fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }), (voters, at) => {
      const reached = (node: NodeId): number => at[node] ?? 0;
      const holds = (set: readonly NodeId[], index: number): boolean =>
        set.length === 0 ||
        set.filter((node) => reached(node) >= index).length >= majority(set.length);
      const index = committedIndex(voters, reached);
      assert.ok(holds(voters.incoming, index) && holds(voters.outgoing, index));
      assert.ok(!(holds(voters.incoming, index + 1) && holds(voters.outgoing, index + 1)));
    }),
  );
});

test('a quorum answers exactly when its votes would win', () => {
  fc.assert(
    fc.property(anyVoters, fc.uniqueArray(fc.integer({ min: 1, max: 9 })), (voters, answering) => {
      const won = countVotes(voters, votes(answering)) === 'won';
      assert.equal(
        hasQuorum(voters, (node) => answering.includes(node)),
        won,
      );
    }),
  );
});

test('nobody is no quorum', () => {
  assert.equal(hasQuorum(one(), () => true), false);
  assert.equal(countVotes(one(), votes([1])), 'lost');
  assert.equal(committedIndex(one(), () => 5), 0);
});
