import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { Random } from '../../../src/base/random.ts';
import { encodeMembership } from '../../../src/protocols/raft/entry-codec.ts';
import type { Entry, Membership } from '../../../src/protocols/raft/messages.ts';
import { RaftNode } from '../../../src/protocols/raft/node.ts';
import { RAFT_DEFAULTS } from '../../../src/protocols/raft/state.ts';
import { emptyRecovered } from '../../../src/runtime/journal.ts';
import { Configurations, haveMajorities } from '../../../src/sim/checks/configurations.ts';
import { GroupHistory } from '../../../src/sim/checks/group-history.ts';
import { type Invariant, Verdicts } from '../../../src/sim/checks/violation.ts';

const nodes = (...ids: readonly number[]): Membership['incoming'] => ids.map(nodeId);
const founders = nodes(1, 2, 3);
const members = (part: Partial<Membership>): Membership => {
  return { incoming: founders, outgoing: [], learners: [], retiring: [], ...part };
};
const joint = members({ incoming: nodes(2, 3, 4), outgoing: founders });

function named(index: number, term: number, membership: Membership): Entry {
  return { index, term, kind: 'configuration', timeMs: 1, data: encodeMembership(membership) };
}

const noop = (index: number, term: number): Entry => {
  return { index, term, kind: 'noop', timeMs: 1, data: new Uint8Array(0) };
};

/** A member whose log is this; its first `committed` entries are. */
function judge(log: readonly Entry[], committed: number): {
  readonly broken: Invariant | undefined;
  readonly votersAt: (index: number) => readonly (readonly number[])[];
} {
  const verdicts = new Verdicts();
  const history = new GroupHistory('group', verdicts);
  const configurations = new Configurations(founders, history, verdicts);
  const node = new RaftNode(
    { ...RAFT_DEFAULTS, self: nodeId(1), voters: founders, random: new Random(1) },
    { ...emptyRecovered(), hardState: { term: 9, votedFor: undefined }, entries: log },
    0,
  );
  for (const entry of log.slice(0, committed)) history.commits({ node: 1, term: entry.term }, entry);
  configurations.check(configurations.learn(node), node);
  return {
    broken: verdicts.first?.invariant,
    votersAt: (index) => {
      const { incoming, outgoing } = configurations.votersOf(node, index);
      return [incoming, outgoing];
    },
  };
}

test('voters are those that the log names at an index, the founders before', () => {
  const { broken, votersAt } = judge([noop(1, 1), noop(2, 1), named(3, 1, joint)], 2);
  assert.equal(broken, undefined);
  assert.deepEqual(votersAt(2), [founders, []]);
  assert.deepEqual(votersAt(3), [nodes(2, 3, 4), founders]);
});

test('a change before anything of the leader’s own term is committed is a violation', () => {
  const log = [noop(1, 1), noop(2, 2), named(3, 2, joint)];
  assert.equal(judge(log, 2).broken, undefined);
  assert.equal(judge(log, 1).broken, 'CFG');
});

test('members that follow others which are not committed are a violation', () => {
  const learning = members({ learners: nodes(4), retiring: nodes(1) });
  const log = [noop(1, 1), named(2, 1, learning), named(3, 1, joint)];
  assert.equal(judge(log, 2).broken, undefined);
  assert.equal(judge(log, 1).broken, 'CFG');
});

test('new voters without the joint phase, or other ones after it, are a violation', () => {
  const then = (next: Membership): Invariant | undefined =>
    judge([noop(1, 1), named(2, 1, joint), named(3, 1, next)], 2).broken;
  assert.equal(then(members({ incoming: nodes(2, 3, 4) })), undefined);
  assert.equal(then(members({ incoming: nodes(2, 3, 5) })), 'CFG');
  assert.equal(judge([noop(1, 1), named(2, 1, members({ incoming: nodes(1, 2) }))], 1).broken, 'CFG');
});

test('in a joint phase both sets need their majority', () => {
  const has = (...ids: readonly number[]): boolean => haveMajorities(joint, (id) => ids.includes(id));
  assert.equal(has(2, 3), true);
  assert.equal(has(3, 4, 1), true);
  assert.equal(has(2, 4), false);
  assert.equal(has(1, 2), false);
});
