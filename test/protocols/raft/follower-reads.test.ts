// Reads at followers and by lease.
import assert from 'node:assert/strict';
import test from 'node:test';
import { DIGEST_NONE } from '../../../src/protocols/raft/digests.ts';
import type { Message } from '../../../src/protocols/raft/messages.ts';
import { Cluster, type Member } from '../../support/raft-cluster.ts';

const followers = (cluster: Cluster, leader: Member): Member[] =>
  cluster.live.filter((member) => member.id !== leader.id);

const served = (member: Member, ticket: number): (number | undefined)[] =>
  member.readsServed.filter((read) => read.ticket === ticket).map((read) => read.index);

/** A leader with a lease whom nobody answers any more, from the moment at which it sent its last append. */
function silenced(seed: number): {
  readonly cluster: Cluster;
  readonly leader: Member;
  readonly last: Extract<Message, { kind: 'append' }>;
} {
  const raft = { leaseDriftPerMille: 100 };
  const cluster = new Cluster({ size: 3, seed, delayMsMax: 0, syncMsMax: 0, raft });
  const leader = cluster.elect();
  cluster.propose(leader, 'x');
  cluster.run(300);
  const before = cluster.sent.length;
  cluster.until(() => cluster.sent.length > before, 100, 'a heartbeat');
  const last = cluster.sent[before]?.message;
  assert.ok(last?.kind === 'append' && last.sentMs === cluster.nowMs);
  cluster.run(1);
  cluster.cut = (_, to) => to === leader.id;
  return { cluster, leader, last };
}

const holds = (cluster: Cluster, leader: Member, ticket: number): boolean => {
  cluster.read(leader, ticket);
  return served(leader, ticket).length === 1;
};

test('6.4: a follower reads at an index that covers every command acknowledged before', () => {
  const cluster = new Cluster({ size: 3, seed: 1 });
  const leader = cluster.elect();
  const [follower] = followers(cluster, leader);
  assert.ok(follower);
  const index = cluster.propose(leader, 'written') ?? 0;
  cluster.run(100);
  assert.ok(cluster.read(follower, 1));
  cluster.run(100);
  const [at] = served(follower, 1);
  assert.ok(at !== undefined && at >= index);
});

test('6.4: a follower of a leader that was replaced is told nothing by it', () => {
  const cluster = new Cluster({ size: 3, seed: 2 });
  const old = cluster.elect();
  cluster.run(200);
  const [follower, other] = followers(cluster, old);
  assert.ok(follower && other);
  // The old leader still hears this follower, but no majority answers the round without it and `other`.
  cluster.cut = (from, to, message) =>
    from === other.id || to === other.id ? from === old.id || to === old.id : message.kind === 'append';
  cluster.read(follower, 5);
  cluster.run(2_000);
  assert.deepEqual(served(follower, 5), [undefined]);
});

test('a follower without a leader asks nobody, and a lost question is given up', () => {
  const cluster = new Cluster({ size: 3, seed: 3 });
  assert.equal(cluster.read(cluster.member(1), 1), false);
  const leader = cluster.elect();
  cluster.run(200);
  const [follower] = followers(cluster, leader);
  assert.ok(follower);
  cluster.cut = (_, __, message) => message.kind === 'read';
  assert.ok(cluster.read(follower, 2));
  cluster.run(1_000);
  assert.deepEqual(served(follower, 2), [undefined]);
});

test('an answer to a question of a former life fits no question of this one', () => {
  const cluster = new Cluster({ size: 3, seed: 4 });
  const leader = cluster.elect();
  cluster.run(200);
  const [follower] = followers(cluster, leader);
  assert.ok(follower);
  const numbers = (): number[] =>
    cluster.sent.flatMap(({ from, message }) =>
      message.kind === 'read' && from === follower.id ? [message.number] : [],
    );
  cluster.read(follower, 1);
  cluster.run(10);
  cluster.crash(follower);
  cluster.restart(follower);
  cluster.run(300);
  cluster.read(follower, 1);
  cluster.run(10);
  assert.equal(new Set(numbers()).size, 2);
});

test('row 33: a lease serves at once, without a round', () => {
  const cluster = new Cluster({ size: 3, seed: 5, raft: { leaseDriftPerMille: 100 } });
  const leader = cluster.elect();
  cluster.propose(leader, 'x');
  cluster.run(300);
  const rounds = cluster.sent.length;
  cluster.read(leader, 1);
  assert.equal(served(leader, 1).length, 1, 'without a round');
  assert.equal(cluster.sent.length, rounds);
});

test('row 33: a lease ends with silence, the sooner the further clocks may run apart', () => {
  const { cluster, leader } = silenced(5);
  // 150 ms at the least are promised, and nine tenths of them are sure.
  cluster.run(131);
  assert.ok(holds(cluster, leader, 2));
  cluster.run(5);
  assert.ok(!holds(cluster, leader, 3), 'by the clock of another it may be over');
});

test('row 33: a lease counts from the sending of what was answered, however late the answer', () => {
  const { cluster, leader, last } = silenced(8);
  cluster.run(85);
  const { term, round, sentMs, prevIndex: index } = last;
  const [result, digests] = [
    { kind: 'matched', index } as const,
    { digest: DIGEST_NONE, stateHash: DIGEST_NONE },
  ];
  for (const { id } of followers(cluster, leader)) {
    cluster.deliver(id, leader, { kind: 'append-reply', term, round, result, sentMs, ...digests });
  }
  cluster.run(45);
  assert.ok(holds(cluster, leader, 2));
  cluster.run(6);
  assert.ok(!holds(cluster, leader, 3), 'the question was asked too long ago');
});

test('row 33: a lease ends with a transfer and does not outlive a stall', () => {
  const cluster = new Cluster({ size: 3, seed: 6, raft: { leaseDriftPerMille: 100 } });
  const leader = cluster.elect();
  cluster.propose(leader, 'x');
  cluster.run(300);
  leader.node.stalled(cluster.nowMs);
  cluster.read(leader, 1);
  assert.deepEqual(served(leader, 1), []);
  cluster.run(200);
  cluster.read(leader, 2);
  assert.equal(served(leader, 2).length, 1);
  cluster.cut = (_, __, message) => message.kind === 'timeout-now';
  cluster.act(leader, (node) => node.transferAway(cluster.nowMs));
  cluster.read(leader, 3);
  assert.deepEqual(served(leader, 3), []);
});

test('row 33: with leases on, a member that has just started votes for nobody', () => {
  const cluster = new Cluster({ size: 3, seed: 7, raft: { leaseDriftPerMille: 100 } });
  const leader = cluster.elect();
  cluster.run(300);
  const [a, b] = followers(cluster, leader);
  assert.ok(a && b);
  cluster.crash(a);
  cluster.restart(a);
  const { term, last: lastIndex } = b.node.status;
  const lastTerm = term;
  cluster.run(100);
  cluster.sent.length = 0;
  cluster.deliver(b.id, a, { kind: 'vote', term: term + 1, lastIndex, lastTerm, transfer: false });
  cluster.run(5);
  const reply = cluster.sent.find(({ from, message }) => from === a.id && message.kind === 'vote-reply');
  assert.ok(reply?.message.kind === 'vote-reply' && !reply.message.granted);
});

test('row 33: with leases on, a lost link makes no member vote early', () => {
  const cluster = new Cluster({ size: 3, seed: 7, raft: { leaseDriftPerMille: 100 } });
  const leader = cluster.elect();
  cluster.run(300);
  const [a, b] = followers(cluster, leader);
  assert.ok(a && b);
  cluster.cut = (from, to) => from === leader.id || to === leader.id;
  // A stream breaks after everything in it has arrived.
  cluster.run(3);
  cluster.peerLost(a, leader.id);
  cluster.peerLost(b, leader.id);
  const beganMs = cluster.nowMs;
  cluster.until(
    () => cluster.live.some(({ id, node }) => id !== leader.id && node.role === 'leader'),
    2_000,
    'a successor',
  );
  assert.ok(cluster.nowMs - beganMs >= 100);
});
