// Members that lost entries of their disk, and members that became something else.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { DIGEST_EVERY, Digests } from '../../../src/protocols/raft/digests.ts';
import { IN_FLIGHT_BYTES_MAX } from '../../../src/protocols/raft/messages.ts';
import { Progress } from '../../../src/protocols/raft/progress.ts';
import { Cluster, type Member } from '../../support/raft-cluster.ts';

const followers = (cluster: Cluster, leader: Member): Member[] =>
  cluster.live.filter((member) => member.id !== leader.id);

test('row 44: a member that lost entries does not vote before it holds as much again', () => {
  const cluster = new Cluster({ size: 3, seed: 1 });
  const leader = cluster.elect();
  const [damaged, behind] = followers(cluster, leader);
  assert.ok(damaged && behind);
  cluster.run(100);
  cluster.cut = (from, to) => from === behind.id || to === behind.id;
  const index = cluster.propose(leader, 'on the leader and on the damaged one') ?? 0;
  cluster.run(100);
  assert.ok(leader.node.commit >= index);
  cluster.damage(damaged, 1);
  cluster.crash(leader);
  cluster.cut = () => false;
  cluster.restart(damaged);
  cluster.run(10_000);
  assert.equal(cluster.leader, undefined, 'these two must not decide: one forgot, one never knew');
  cluster.restart(leader);
  cluster.until(() => cluster.leader !== undefined, 3_000, 'who knows it leads');
  cluster.until(() => damaged.node.status.healUntil === 0, 2_000, 'the damaged one is whole');
  cluster.run(50);
  assert.equal(damaged.stored.healUntil, 0);
  assert.ok(damaged.appliedIndex >= index);
});

test('row 44: a healed member votes again, also after another restart', () => {
  const cluster = new Cluster({ size: 3, seed: 2 });
  const leader = cluster.elect();
  const [damaged] = followers(cluster, leader);
  assert.ok(damaged);
  for (let i = 0; i < 30; i++) cluster.propose(leader, `${i}`);
  cluster.run(100);
  cluster.damage(damaged, 5);
  cluster.restart(damaged);
  cluster.until(() => damaged.node.status.healUntil === 0, 2_000, 'it is whole');
  cluster.run(50);
  cluster.crash(damaged);
  cluster.restart(damaged);
  cluster.run(300);
  cluster.crash(leader);
  cluster.until(() => cluster.leader !== undefined, 3_000, 'it votes');
});

test('row 44: a member heals through a snapshot as well', () => {
  const cluster = new Cluster({ size: 3, seed: 3 });
  const leader = cluster.elect();
  const [damaged] = followers(cluster, leader);
  assert.ok(damaged);
  for (let i = 0; i < 30; i++) cluster.propose(leader, `${i}`);
  cluster.run(100);
  cluster.checkpoint(leader, 0);
  cluster.damage(damaged, 5);
  cluster.restart(damaged);
  cluster.until(() => damaged.node.status.healUntil === 0, 3_000, 'it is whole');
  assert.equal(damaged.appliedIndex, leader.appliedIndex);
});

test('a member that a majority contradicts is told to stop; without a majority nobody is', () => {
  const voters = { incoming: [1, 2, 3].map(nodeId), outgoing: [] };
  const digests = new Digests();
  digests.note(nodeId(1), { index: DIGEST_EVERY, value: 7 });
  digests.note(nodeId(2), { index: DIGEST_EVERY, value: 8 });
  assert.deepEqual(digests.divergent(voters, DIGEST_EVERY), []);
  digests.note(nodeId(3), { index: DIGEST_EVERY, value: 7 });
  assert.deepEqual(digests.divergent(voters, DIGEST_EVERY), [2]);
});

test('a divergent follower stops, and a divergent leader too, be it by its replies or by its state', () => {
  for (const wrong of ['leader', 'follower'] as const) {
    for (const what of ['replies', 'state'] as const) {
      const cluster = new Cluster({ size: 3, seed: 4 });
      const leader = cluster.elect();
      cluster.run(100);
      const odd = wrong === 'leader' ? leader : followers(cluster, leader)[0];
      assert.ok(odd);
      for (const member of cluster.live) {
        const value = member === odd ? 1 : 2;
        cluster.act(member, (node) => node.noteDigest(what, { index: DIGEST_EVERY, value }));
      }
      cluster.run(200);
      for (const member of cluster.live) {
        assert.equal(member.divergedAt, member === odd ? DIGEST_EVERY : undefined);
      }
    }
  }
});

test('a digest of replies and a hash of the state at one place are no contradiction', () => {
  const cluster = new Cluster({ size: 3, seed: 4 });
  const leader = cluster.elect();
  cluster.run(100);
  for (const member of cluster.live) {
    const what = member === leader ? 'replies' : 'state';
    const value = member === leader ? 1 : 2;
    cluster.act(member, (node) => node.noteDigest(what, { index: DIGEST_EVERY, value }));
  }
  cluster.run(200);
  assert.ok(cluster.live.every(({ divergedAt }) => divergedAt === undefined));
});

test('a follower is sent no more than the bytes that may be on their way', () => {
  const progress = new Progress(1, 0);
  let sent = 0;
  while (progress.canSend) {
    progress.sent(progress.next, 512 * 1024);
    sent += 512 * 1024;
  }
  assert.equal(sent, IN_FLIGHT_BYTES_MAX);
  progress.matched(1);
  assert.ok(progress.canSend);
});
