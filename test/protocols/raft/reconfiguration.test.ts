// Changes of membership, keyed to chapter 4 of Ongaro's thesis and to what went wrong elsewhere.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { decodeMembership } from '../../../src/protocols/raft/entry-codec.ts';
import { PROMOTION_AFTER_MS } from '../../../src/protocols/raft/reconfiguration.ts';
import { Cluster, type Member } from '../../support/raft-cluster.ts';

const voters = (member: Member): readonly number[] =>
  [...member.node.status.membership.incoming].sort((a, b) => a - b);

/** The change is over: `member` knows these voters, alone, and that it is decided. */
function isSettled(member: Member, wanted: readonly number[]): boolean {
  const { incoming, outgoing, learners } = member.node.status.membership;
  const same = incoming.length === wanted.length && wanted.every((id) => incoming.includes(nodeId(id)));
  return same && outgoing.length === 0 && learners.length === 0;
}

const isLearning = (member: Member): boolean =>
  member.node.status.membership.learners.length > 0;

const isJoint = (member: Member): boolean => member.node.status.membership.outgoing.length > 0;

function settle(cluster: Cluster, wanted: readonly number[]): void {
  cluster.until(
    () => cluster.leader !== undefined && isSettled(cluster.leader, wanted),
    5_000,
    `the voters are ${wanted.join(', ')}`,
  );
  cluster.run(200);
}

/** Seats the leadership at node 1. */
function leadByOne(cluster: Cluster): Member {
  const one = cluster.member(1);
  cluster.act(one, (node) => node.campaignNow(cluster.nowMs));
  cluster.until(() => cluster.leader === one, 1_000, 'node 1 leads');
  cluster.run(100);
  return one;
}

test('4.2.1, row 39: a node that comes is a learner until it holds the log, and only then votes', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 1 });
  const leader = leadByOne(cluster);
  for (let i = 0; i < 50; i++) cluster.propose(leader, `${i}`);
  const newcomer = cluster.member(4);
  cluster.cut = (from, to) => from === newcomer.id || to === newcomer.id;
  assert.equal(cluster.reconfigure(leader, [1, 2, 3, 4]).kind, 'begun');
  cluster.run(2_000);
  assert.deepEqual(leader.node.status.membership.learners, [4]);
  assert.deepEqual(voters(leader), [1, 2, 3]);
  cluster.crash(cluster.member(2));
  assert.notEqual(cluster.propose(leader, 'two of three are enough'), undefined);
  cluster.run(100);
  assert.equal(leader.node.commit, leader.node.status.last);
  cluster.cut = () => false;
  const healedMs = cluster.nowMs;
  settle(cluster, [1, 2, 3, 4]);
  assert.ok(cluster.nowMs - healedMs >= PROMOTION_AFTER_MS);
  assert.equal(newcomer.appliedIndex, leader.appliedIndex);
});

test('row 39: the copy of a learner does not count for the commit', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 19 });
  const leader = leadByOne(cluster);
  assert.equal(cluster.reconfigure(leader, [1, 2, 3, 4]).kind, 'begun');
  cluster.run(50);
  cluster.cut = (_, to) => to === 2 || to === 3;
  const index = cluster.propose(leader, 'by the leader and the learner') ?? 0;
  cluster.run(50);
  assert.equal(cluster.member(4).node.status.last, index);
  assert.deepEqual(leader.node.status.membership.learners, [4]);
  assert.ok(leader.node.commit < index);
});

test('a learner whose link breaks again and again becomes a voter, since it is near all along', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 11 });
  const leader = leadByOne(cluster);
  assert.equal(cluster.reconfigure(leader, [1, 2, 3, 4]).kind, 'begun');
  for (let i = 0; i < 60; i++) {
    cluster.peerLost(leader, nodeId(4));
    cluster.propose(leader, `${i}`);
    cluster.run(20);
  }
  assert.deepEqual(voters(leader), [1, 2, 3, 4]);
});

test('4.3: one member is exchanged for another in one change', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 2 });
  const leader = leadByOne(cluster);
  cluster.crash(cluster.member(3));
  assert.equal(cluster.reconfigure(leader, [1, 2, 4]).kind, 'begun');
  settle(cluster, [1, 2, 4]);
  const kinds = leader.applied.filter((e) => e.kind === 'configuration');
  const steps = kinds.map((entry) => decodeMembership(entry.data));
  assert.deepEqual(
    steps.map((step) => [step.incoming.length, step.outgoing.length, step.learners.length]),
    [
      [3, 0, 1],
      [3, 3, 0],
      [3, 0, 0],
    ],
  );
  cluster.crash(cluster.member(2));
  cluster.propose(leader, 'by nodes 1 and 4');
  cluster.run(100);
  assert.equal(cluster.member(4).appliedIndex, leader.node.status.last);
});

test('row 35: no change before the leader has committed an entry of its own term', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 3 });
  leadByOne(cluster);
  const two = cluster.member(2);
  cluster.cut = (_, __, message) => message.kind === 'append' || message.kind === 'append-reply';
  cluster.act(two, (node) => node.campaignNow(cluster.nowMs));
  cluster.act(cluster.member(1), (node) => node.transferAway(cluster.nowMs));
  cluster.run(400);
  cluster.act(two, (node) => node.campaignNow(cluster.nowMs));
  cluster.until(() => two.node.role === 'leader', 1_000, 'node 2 leads');
  assert.deepEqual(cluster.reconfigure(two, [1, 2, 3, 4]), { kind: 'refused', cause: 'term-not-open' });
  cluster.cut = () => false;
  cluster.until(() => two.node.commit === two.node.status.last, 1_000, 'its term is open');
  assert.equal(cluster.reconfigure(two, [1, 2, 3, 4]).kind, 'begun');
});

test('4.1: one change at a time; learners that never catch up can be called off', () => {
  const cluster = new Cluster({ size: 3, spare: 2, seed: 4 });
  const leader = leadByOne(cluster);
  cluster.crash(cluster.member(4));
  cluster.reconfigure(leader, [1, 2, 3, 4]);
  assert.deepEqual(cluster.reconfigure(leader, [1, 2, 3, 4]), { kind: 'unchanged' });
  const pending = { kind: 'refused', cause: 'change-pending' };
  assert.deepEqual(cluster.reconfigure(leader, [1, 2, 3]), pending);
  cluster.run(100);
  assert.deepEqual(cluster.reconfigure(leader, [1, 2, 3, 4, 5]), pending);
  assert.equal(cluster.reconfigure(leader, [1, 2, 3]).kind, 'begun');
  settle(cluster, [1, 2, 3]);
  assert.equal(cluster.reconfigure(leader, [1, 2, 3, 5]).kind, 'begun');
  settle(cluster, [1, 2, 3, 5]);
});

test('a change whose learner died for good gives way to one that names another in its place', () => {
  const cluster = new Cluster({ size: 3, spare: 2, seed: 44 });
  const leader = leadByOne(cluster);
  cluster.crash(cluster.member(3));
  cluster.crash(cluster.member(4));
  assert.equal(cluster.reconfigure(leader, [1, 2, 4]).kind, 'begun');
  cluster.run(600);
  assert.deepEqual(leader.node.status.membership.learners, [4]);
  assert.equal(cluster.reconfigure(leader, [1, 2, 5]).kind, 'begun');
  settle(cluster, [1, 2, 5]);
});

test('memberships that can not be are refused in words', () => {
  const cluster = new Cluster({ size: 3, seed: 5 });
  const leader = leadByOne(cluster);
  const refused = (target: readonly number[]): unknown => cluster.reconfigure(leader, target);
  assert.deepEqual(refused([]), { kind: 'refused', cause: 'no-voters' });
  assert.deepEqual(refused([1, 1, 2]), { kind: 'refused', cause: 'voter-twice' });
  assert.deepEqual(refused([1, 2, 3, 4, 5, 6, 7, 8]), { kind: 'refused', cause: 'too-many-voters' });
  assert.deepEqual(refused([10, 11, 12, 13, 14, 15, 16]), { kind: 'refused', cause: 'too-many-voters' });
  assert.deepEqual(refused([3, 2, 1]), { kind: 'unchanged' });
  assert.deepEqual(cluster.reconfigure(cluster.member(2), [1, 2]), { kind: 'not-leader', leader: 1 });
});

test('row 36: an uncommitted change of members is in force again after a restart', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 6 });
  const leader = leadByOne(cluster);
  cluster.cut = () => true;
  cluster.reconfigure(leader, [1, 2]);
  assert.ok(isJoint(leader));
  cluster.run(10);
  cluster.crash(leader);
  cluster.restart(leader);
  assert.ok(isJoint(leader));
  assert.ok(leader.node.status.commit < leader.node.status.last);
});

test('row 36: a change that is overwritten by another leader’s log is no longer in force', () => {
  const cluster = new Cluster({ size: 3, seed: 7 });
  const old = leadByOne(cluster);
  cluster.cut = (from, to) => from === old.id || to === old.id;
  cluster.reconfigure(old, [1, 2]);
  cluster.run(1_500);
  assert.ok(isJoint(old));
  cluster.cut = () => false;
  cluster.run(1_000);
  assert.ok(isSettled(old, [1, 2, 3]));
});

test('row 37: a new leader in the joint phase commits it under both majorities and ends it', () => {
  const cluster = new Cluster({ size: 3, spare: 2, seed: 8 });
  const leader = leadByOne(cluster);
  cluster.reconfigure(leader, [1, 4, 5]);
  cluster.until(() => isJoint(leader), 2_000, 'the joint phase begins');
  // The joint entry reaches 2 and 4: a majority of neither side with their leader gone.
  cluster.cut = (_, to) => to === 3 || to === 5 || to === 1;
  cluster.run(20);
  assert.ok(isJoint(leader), 'it is not left while its entry is not committed by both');
  cluster.crash(leader);
  cluster.cut = () => false;
  settle(cluster, [1, 4, 5]);
  assert.notEqual(cluster.leader?.id, 1);
});

test('row 37: the joint phase goes on needing both majorities', () => {
  const cluster = new Cluster({ size: 3, spare: 2, seed: 9 });
  const leader = leadByOne(cluster);
  cluster.reconfigure(leader, [1, 4, 5]);
  cluster.cut = (_, to) => isJoint(leader) && (to === 2 || to === 3);
  cluster.until(() => isJoint(leader), 2_000, 'the joint phase begins');
  const index = cluster.propose(leader, 'held by the new majority only') ?? 0;
  cluster.run(150);
  assert.ok(leader.node.commit < index);
  cluster.cut = () => false;
  settle(cluster, [1, 4, 5]);
  assert.ok((cluster.leader?.node.commit ?? 0) >= index);
});

test('row 38: a leader that removes itself goes only when that is decided, and does not count itself', () => {
  const cluster = new Cluster({ size: 3, seed: 10 });
  const leader = leadByOne(cluster);
  // Only the leaving leader and node 2 get the last step: that is no majority of 2 and 3.
  cluster.cut = (_, to) => to === 3 && isSettled(leader, [2, 3]);
  cluster.reconfigure(leader, [2, 3]);
  cluster.until(() => isSettled(leader, [2, 3]), 1_000, 'the leave entry is in the log');
  const leave = leader.node.status.last;
  cluster.run(40);
  assert.ok(leader.node.commit < leave);
  assert.equal(leader.node.role, 'leader');
  cluster.cut = () => false;
  cluster.until(() => leader.node.role !== 'leader', 200, 'it has left');
  cluster.until(() => cluster.leader !== undefined, 100, 'its successor leads without a timeout');
  assert.ok(isSettled(cluster.leader as Member, [2, 3]));
  const { term } = (cluster.leader as Member).node.status;
  cluster.run(5_000);
  assert.equal(cluster.leader?.node.status.term, term, 'the one that left disturbs nobody');
});

test('row 12: a member that was removed without being told disturbs nobody', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 11 });
  const leader = leadByOne(cluster);
  const removed = cluster.member(3);
  cluster.cut = (from, to) => from === removed.id || to === removed.id;
  cluster.reconfigure(leader, [1, 2, 4]);
  settle(cluster, [1, 2, 4]);
  const { term } = leader.node.status;
  assert.deepEqual(voters(removed), [1, 2, 3], 'it does not know');
  cluster.cut = () => false;
  cluster.run(15_000);
  assert.equal(cluster.leader, leader);
  assert.equal(leader.node.status.term, term);
  assert.ok(cluster.sent.some((s) => s.from === removed.id && s.message.kind === 'pre-vote'));
});

test('row 13: a promoted member that does not know it yet still votes when asked', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 12 });
  const leader = leadByOne(cluster);
  const promoted = cluster.member(4);
  cluster.reconfigure(leader, [1, 2, 4]);
  cluster.cut = (_, to) => to === promoted.id && !isLearning(leader);
  const later = (): boolean => isJoint(cluster.member(2));
  cluster.until(later, 2_000, 'the others know that it votes');
  cluster.until(() => leader.node.status.membership.outgoing.length === 0, 500, 'the joint phase is over');
  assert.ok(!voters(promoted).includes(4), 'it does not know');
  // Nodes 1 and 2 are the majority of both sets; now 1 dies and 2 needs the vote of 4.
  cluster.crash(leader);
  cluster.cut = () => false;
  cluster.crash(cluster.member(3));
  cluster.until(() => cluster.leader?.id === 2, 3_000, 'node 2 is elected by the vote of 4');
  settle(cluster, [1, 2, 4]);
});

test('row 10: an uncommitted change on one half and a higher term on the other block nobody for ever', () => {
  const cluster = new Cluster({ size: 4, spare: 1, seed: 13 });
  const leader = leadByOne(cluster);
  // The change reaches only node 2, then the leader dies.
  cluster.cut = (from, to) => from === 1 && to !== 2;
  cluster.reconfigure(leader, [1, 2, 3]);
  cluster.run(10);
  assert.ok(isJoint(cluster.member(2)));
  cluster.crash(leader);
  // Nodes 3 and 4 are in a higher term, with the shorter log.
  cluster.cut = (from, to) => from === 2 || to === 2;
  for (const id of [3, 4, 3]) {
    cluster.act(cluster.member(id), (node) => node.campaignNow(cluster.nowMs));
    cluster.run(20);
  }
  const { term } = cluster.member(3).node.status;
  assert.ok(term > cluster.member(2).node.status.term);
  cluster.cut = () => false;
  cluster.until(() => cluster.leader !== undefined, 5_000, 'somebody leads');
  cluster.propose(cluster.leader as Member, 'and commits');
  cluster.until(() => cluster.member(4).appliedIndex > 0, 3_000, 'the group goes on');
});

test('a snapshot carries the members as of its index, and who receives it follows them', () => {
  const cluster = new Cluster({ size: 3, spare: 2, seed: 14 });
  const leader = leadByOne(cluster);
  cluster.reconfigure(leader, [1, 2, 4]);
  settle(cluster, [1, 2, 4]);
  for (let i = 0; i < 20; i++) cluster.propose(leader, `${i}`);
  cluster.run(100);
  cluster.checkpoint(leader, 0);
  cluster.reconfigure(leader, [1, 2, 4, 5]);
  settle(cluster, [1, 2, 4, 5]);
  const fifth = cluster.member(5);
  assert.ok((fifth.stored.snapshot?.index ?? 0) > 0);
  assert.deepEqual(fifth.stored.snapshot?.membership.incoming, [1, 2, 4]);
  cluster.crash(fifth);
  cluster.restart(fifth);
  assert.deepEqual(voters(fifth), [1, 2, 4, 5]);
});
