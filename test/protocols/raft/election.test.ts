// Elections, keyed to the sections of Ongaro's thesis.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import type { Message } from '../../../src/protocols/raft/messages.ts';
import { Cluster } from '../../support/raft-cluster.ts';

const kinds = (cluster: Cluster, kind: Message['kind']): number =>
  cluster.sent.filter(({ message }) => message.kind === kind).length;

test('3.4: a group without a leader elects one, and only one', () => {
  const cluster = new Cluster({ size: 5, seed: 1 });
  const leader = cluster.elect();
  cluster.run(1_000);
  assert.equal(cluster.leader?.id, leader.id);
  assert.equal(cluster.live.filter((member) => member.node.role === 'leader').length, 1);
});

test('3.4: while heartbeats arrive nobody campaigns', () => {
  const cluster = new Cluster({ size: 3, seed: 2 });
  const { term } = cluster.elect().node.status;
  cluster.run(500);
  const campaigns = kinds(cluster, 'pre-vote');
  cluster.run(60_000);
  assert.equal(kinds(cluster, 'pre-vote'), campaigns);
  assert.equal(cluster.leader?.node.status.term, term);
});

test('3.4: when the leader falls silent another takes over within two election timeouts', () => {
  const cluster = new Cluster({ size: 5, seed: 3 });
  const old = cluster.elect();
  cluster.crash(old);
  cluster.until(() => cluster.leader !== undefined, 700, 'a successor');
  assert.notEqual(cluster.leader?.id, old.id);
});

test('a lost link to the leader starts a campaign within tens of milliseconds', () => {
  const cluster = new Cluster({ size: 5, seed: 4 });
  const old = cluster.elect();
  cluster.run(1_000);
  cluster.crash(old);
  // A stream breaks after everything in it has arrived.
  cluster.run(3);
  const beganMs = cluster.nowMs;
  for (const member of cluster.live) cluster.peerLost(member, old.id);
  cluster.until(() => cluster.leader !== undefined, 140, 'a successor before any timer fires');
  assert.ok(cluster.nowMs - beganMs < 100);
});

test('a leader that falls silent is missed by all, and one of them campaigns', () => {
  for (let seed = 30; seed < 50; seed++) {
    const cluster = new Cluster({ size: 5, seed });
    const old = cluster.elect();
    cluster.run(1_000);
    cluster.sent.length = 0;
    old.frozen = true;
    const { nowMs } = cluster;
    const elected = (): boolean => cluster.live.some((m) => m !== old && m.node.role === 'leader');
    cluster.until(elected, 230, 'a successor after one election timeout');
    assert.ok(cluster.nowMs - nowMs >= 100, 'a leader may be silent for a while');
    const asking = cluster.sent.filter(({ message }) => message.kind === 'pre-vote');
    assert.equal(new Set(asking.map(({ from }) => from)).size, 1, `seed ${seed}`);
  }
});

test('a vote that was split is repeated soon, and not in step', () => {
  for (let seed = 50; seed < 70; seed++) {
    const cluster = new Cluster({ size: 5, seed });
    const old = cluster.elect();
    cluster.run(1_000);
    cluster.crash(old);
    cluster.run(3);
    for (const member of cluster.live) cluster.peerLost(member, old.id);
    const [one, two, three, four] = cluster.live;
    assert.ok(one && two && three && four);
    // Each hears one voter and itself, as when two campaign at the same moment.
    cluster.cut = (from, to) => (from === one.id || from === three.id) !== (to === one.id || to === three.id);
    for (const member of [one, two]) cluster.act(member, (node) => node.campaignNow(cluster.nowMs));
    cluster.run(10);
    assert.equal(cluster.leader, undefined);
    cluster.cut = () => false;
    cluster.until(() => cluster.leader !== undefined, 110, `seed ${seed}: a leader soon`);
  }
});

test('a member whom nobody answers asks less and less often', () => {
  const cluster = new Cluster({ size: 3, seed: 70 });
  const leader = cluster.elect();
  cluster.run(300);
  const lonely = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(lonely);
  cluster.cut = (from, to) => from === lonely.id || to === lonely.id;
  cluster.run(2_000);
  cluster.sent.length = 0;
  cluster.run(6_000);
  const asked = cluster.sent.filter(({ from, message }) => from === lonely.id && message.kind === 'pre-vote');
  assert.ok(asked.length <= 2 * (6_000 / 150), `${asked.length} questions in six seconds`);
});

test('a lost link does not cost a leader its place while the others still hear it', () => {
  const cluster = new Cluster({ size: 3, seed: 5 });
  const leader = cluster.elect();
  cluster.run(300);
  const { term } = leader.node.status;
  const follower = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(follower);
  cluster.peerLost(follower, leader.id);
  cluster.run(2_000);
  assert.equal(cluster.leader?.id, leader.id);
  assert.equal(leader.node.status.term, term);
});

test('3.4: a member votes once per term, also when it has stepped down, and after a restart', () => {
  const cluster = new Cluster({ size: 3, seed: 6 });
  const voter = cluster.member(1);
  const ask = (from: number): void =>
    cluster.deliver(nodeId(from), voter, {
      kind: 'vote',
      term: 7,
      lastIndex: 0,
      lastTerm: 0,
      transfer: false,
    });
  cluster.cut = () => true;
  ask(2);
  // It hears nobody, asks whether a campaign could be won, and is a follower of the same term again.
  cluster.until(() => voter.node.role === 'pre-candidate', 400, 'it misses a leader');
  ask(3);
  cluster.run(5);
  assert.equal(voter.node.status.term, 7);
  cluster.crash(voter);
  cluster.restart(voter);
  ask(3);
  cluster.run(5);
  const replies = cluster.sent.filter((s) => s.message.kind === 'vote-reply' && s.from === voter.id);
  assert.deepEqual(
    replies.map(({ to, message }) => [to, message.kind === 'vote-reply' && message.granted]),
    [
      [2, true],
      [3, false],
      [3, false],
    ],
  );
});

test('3.4: a vote leaves only after it is on the disk', () => {
  const cluster = new Cluster({ size: 3, seed: 7, syncMsMax: 1 });
  const voter = cluster.member(1);
  voter.node.receive(
    nodeId(2),
    { kind: 'vote', term: 3, lastIndex: 0, lastTerm: 0, transfer: false },
    cluster.nowMs,
  );
  const effects = voter.node.collect();
  assert.deepEqual(effects.write?.hardState, { term: 3, votedFor: 2 });
  assert.deepEqual(effects.sendNow, []);
  assert.equal(effects.sendAfterWrite[0]?.message.kind, 'vote-reply');
});

test('3.4: a repeated grant of one voter counts once', () => {
  const cluster = new Cluster({ size: 5, seed: 8 });
  cluster.cut = () => true;
  const candidate = cluster.member(1);
  cluster.act(candidate, (node) => node.campaignNow(cluster.nowMs));
  cluster.run(5);
  const { term } = candidate.node.status;
  for (let i = 0; i < 5; i++) {
    cluster.deliver(nodeId(2), candidate, { kind: 'vote-reply', term, granted: true });
  }
  assert.equal(candidate.node.role, 'candidate');
  cluster.deliver(nodeId(3), candidate, { kind: 'vote-reply', term, granted: true });
  assert.equal(candidate.node.role, 'leader');
});

test('3.4: a refusal is no vote', () => {
  const cluster = new Cluster({ size: 5, seed: 8 });
  cluster.cut = () => true;
  const candidate = cluster.member(1);
  cluster.act(candidate, (node) => node.campaignNow(cluster.nowMs));
  cluster.run(5);
  const { term } = candidate.node.status;
  for (const id of [2, 3]) {
    cluster.deliver(nodeId(id), candidate, { kind: 'vote-reply', term, granted: false });
  }
  assert.equal(candidate.node.role, 'candidate');
});

test('3.4: an answer of an older term elects nobody', () => {
  const cluster = new Cluster({ size: 3, seed: 9 });
  cluster.cut = () => true;
  const candidate = cluster.member(1);
  cluster.act(candidate, (node) => node.campaignNow(cluster.nowMs));
  const { term } = candidate.node.status;
  cluster.act(candidate, (node) => node.campaignNow(cluster.nowMs));
  cluster.run(2);
  cluster.deliver(nodeId(2), candidate, { kind: 'vote-reply', term, granted: true });
  assert.equal(candidate.node.role, 'candidate');
});

test('3.6.1: a member whose log is behind cannot be elected, a longer log of an older term neither', () => {
  const cluster = new Cluster({ size: 3, seed: 10 });
  const leader = cluster.elect();
  const behind = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(behind);
  cluster.cut = (from, to) => from === behind.id || to === behind.id;
  cluster.propose(leader, 'kept');
  cluster.run(50);
  const other = cluster.live.find((m) => m.id !== leader.id && m.id !== behind.id);
  assert.ok(other);
  const { last, term } = other.node.status;
  const answer = (lastIndex: number, lastTerm: number): boolean => {
    const before = cluster.sent.length;
    cluster.act(other, (node) => {
      node.receive(
        behind.id,
        { kind: 'vote', term: term + 5, lastIndex, lastTerm, transfer: true },
        cluster.nowMs,
      );
    });
    cluster.run(3);
    const reply = cluster.sent.slice(before).find((s) => s.message.kind === 'vote-reply')?.message;
    return reply?.kind === 'vote-reply' && reply.granted;
  };
  assert.equal(answer(last - 1, term), false);
  assert.equal(answer(last + 100, term - 1), false);
  assert.equal(answer(last, term), true);
});

test('9.6: a member that was cut off for long does not raise the term when it returns', () => {
  const cluster = new Cluster({ size: 3, seed: 11 });
  const leader = cluster.elect();
  const lonely = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(lonely);
  const { term } = leader.node.status;
  cluster.cut = (from, to) => from === lonely.id || to === lonely.id;
  cluster.run(30_000);
  cluster.cut = () => false;
  cluster.run(3_000);
  assert.equal(cluster.leader?.id, leader.id);
  assert.equal(cluster.leader?.node.status.term, term);
});

test('9.6: a member that alone does not hear the leader unseats nobody, though its log is as long', () => {
  const cluster = new Cluster({ size: 3, seed: 17 });
  const leader = cluster.elect();
  cluster.run(300);
  const lonely = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(lonely);
  const { term } = leader.node.status;
  cluster.cut = (from, to) => [from, to].every((id) => id === leader.id || id === lonely.id);
  cluster.run(3_000);
  assert.ok(cluster.sent.some(({ from, message }) => from === lonely.id && message.kind === 'pre-vote'));
  cluster.cut = () => false;
  cluster.run(1_000);
  assert.equal(cluster.leader, leader);
  assert.equal(leader.node.status.term, term);
});

test('6.2: a leader that no longer hears a majority steps down', () => {
  const cluster = new Cluster({ size: 5, seed: 12 });
  const leader = cluster.elect();
  cluster.cut = (from, to) => from === leader.id || to === leader.id;
  cluster.propose(leader, 'never acknowledged');
  cluster.run(500);
  assert.notEqual(leader.node.role, 'leader');
  assert.equal(leader.deposed, 1);
});

test('9.6: a leader that is heard by some but hears nobody is replaced', () => {
  const cluster = new Cluster({ size: 5, seed: 13 });
  const deaf = cluster.elect();
  cluster.cut = (_, to) => to === deaf.id;
  cluster.until(
    () => cluster.leader !== undefined && cluster.leader.id !== deaf.id,
    3_000,
    'a leader that hears',
  );
});

test('a process that stood still listens before it campaigns', () => {
  const cluster = new Cluster({ size: 3, seed: 14 });
  const leader = cluster.elect();
  const sleeper = cluster.live.find((member) => member.id !== leader.id);
  assert.ok(sleeper);
  const { nowMs } = cluster;
  sleeper.node.stalled(nowMs + 5_000);
  sleeper.node.tick(nowMs + 5_001);
  assert.deepEqual(sleeper.node.collect().sendNow, []);
});

test('a group of one leads itself once its vote is on disk', () => {
  const cluster = new Cluster({ size: 1, seed: 15 });
  const leader = cluster.elect();
  const index = cluster.propose(leader, 'alone');
  cluster.run(10);
  assert.equal(leader.appliedIndex, index);
});

test('a message from a node that is no member is not heard', () => {
  const cluster = new Cluster({ size: 3, seed: 16 });
  const leader = cluster.elect();
  const { term } = leader.node.status;
  cluster.deliver(nodeId(9), leader, { kind: 'vote-reply', term: term + 10, granted: false });
  assert.equal(leader.node.status.term, term);
});
