// Log replication, commits, reads, snapshots and transfers, keyed to the sections of Ongaro's thesis.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { DIGEST_NONE } from '../../../src/protocols/raft/digests.ts';
import { type Entry, type Message, UNCOMMITTED_BYTES_MAX } from '../../../src/protocols/raft/messages.ts';
import { RaftNode } from '../../../src/protocols/raft/node.ts';
import { RAFT_DEFAULTS } from '../../../src/protocols/raft/state.ts';
import { Random } from '../../../src/base/random.ts';
import { Cluster, type Member } from '../../support/raft-cluster.ts';

const texts = (member: Member): string[] =>
  member.applied.filter((e) => e.kind === 'command').map((e) => new TextDecoder().decode(e.data));

const others = (cluster: Cluster, leader: Member): Member[] =>
  cluster.live.filter((member) => member.id !== leader.id);

test('3.5: a proposal reaches every member, in order, once', () => {
  const cluster = new Cluster({ size: 5, seed: 1, doubled: 200 });
  const leader = cluster.elect();
  const proposed = Array.from({ length: 50 }, (_, i) => `command ${i}`);
  for (const text of proposed) cluster.propose(leader, text);
  cluster.run(300);
  for (const member of cluster.live) assert.deepEqual(texts(member), proposed);
});

test('3.5: an entry is committed once a majority has it on disk, whoever is missing', () => {
  const cluster = new Cluster({ size: 5, seed: 2 });
  const leader = cluster.elect();
  const [a, b] = others(cluster, leader);
  assert.ok(a && b);
  cluster.crash(a);
  cluster.crash(b);
  const index = cluster.propose(leader, 'three of five');
  cluster.run(50);
  assert.equal(leader.appliedIndex, index);
});

test('3.5: without a majority nothing is committed', () => {
  const cluster = new Cluster({ size: 3, seed: 3 });
  const leader = cluster.elect();
  cluster.run(100);
  const { commit } = leader.node;
  for (const member of others(cluster, leader)) cluster.crash(member);
  cluster.propose(leader, 'alone');
  cluster.run(100);
  assert.equal(leader.node.commit, commit);
});

test('3.5: a follower answers `matched` only for what its disk holds', () => {
  const random = new Random('f');
  const options = { ...RAFT_DEFAULTS, self: nodeId(2), voters: [1, 2, 3].map(nodeId), random };
  const snapshot = {
    index: 0,
    term: 0,
    timeMs: 0,
    membership: { incoming: [], outgoing: [], learners: [], retiring: [] },
    digest: 0,
  };
  const hardState = { term: 1, votedFor: undefined };
  const node = new RaftNode(options, { hardState, snapshot, entries: [] }, 0);
  const entry = { index: 1, term: 1, kind: 'noop', timeMs: 1, data: new Uint8Array(0) } as const;
  const append = { kind: 'append', term: 1, round: 0, prevIndex: 0, prevTerm: 0 } as const;
  const sent = { sentMs: 0, roundTripMs: 0 };
  node.receive(nodeId(1), { ...append, ...sent, commit: 1, entries: [entry] }, 1);
  const effects = node.collect();
  assert.equal(effects.write?.entries.length, 1);
  assert.deepEqual(effects.sendNow, []);
  const reply = effects.sendAfterWrite[0]?.message;
  assert.deepEqual(reply?.kind === 'append-reply' && reply.result, { kind: 'matched', index: 1 });
});

test('3.5: a late, shorter append does not cut what a newer one has brought', () => {
  const cluster = new Cluster({ size: 3, seed: 4 });
  const leader = cluster.elect();
  cluster.run(100);
  const before = cluster.sent.length;
  for (let i = 0; i < 5; i++) cluster.propose(leader, `${i}`);
  cluster.run(100);
  const [follower] = others(cluster, leader);
  assert.ok(follower);
  const { last } = follower.node.status;
  const first = cluster.sent
    .slice(before)
    .find((s) => s.to === follower.id && s.message.kind === 'append' && s.message.entries.length > 0);
  assert.ok(first);
  cluster.deliver(leader.id, follower, first.message);
  assert.equal(follower.node.status.last, last);
});

test('3.5: a follower with a divergent tail takes the leader’s log instead', () => {
  const cluster = new Cluster({ size: 3, seed: 5 });
  const old = cluster.elect();
  cluster.run(100);
  cluster.cut = (from, to) => from === old.id || to === old.id;
  for (let i = 0; i < 20; i++) cluster.propose(old, `lost ${i}`);
  cluster.until(
    () => cluster.leader !== undefined && cluster.leader.id !== old.id,
    3_000,
    'another leader',
  );
  const leader = cluster.leader as Member;
  cluster.propose(leader, 'kept');
  cluster.run(100);
  cluster.cut = () => false;
  cluster.run(1_000);
  assert.deepEqual(texts(old), ['kept']);
  assert.equal(old.node.status.last, leader.node.status.last);
});

test('3.6.2: an entry of an older term is not committed by counting (figure 3.7)', () => {
  const cluster = new Cluster({ size: 5, seed: 6, raft: { appendEntriesMax: 1 } });
  const [one, two, three, four, five] = cluster.live;
  assert.ok(one && two && three && four && five);
  const lead = (member: Member, votes: readonly Member[]): void => {
    cluster.cut = () => true;
    cluster.run(RAFT_DEFAULTS.electionMsMin);
    cluster.cut = (_, to, { kind }) => kind === 'append' || !votes.some(({ id }) => id === to);
    // Once more where the others had a newer term.
    for (let tries = 0; tries < 2 && member.node.role !== 'leader'; tries++) {
      cluster.act(member, (node) => node.campaignNow(cluster.nowMs));
      cluster.run(10);
    }
    assert.equal(member.node.role, 'leader');
  };
  lead(one, cluster.live);
  cluster.cut = () => false;
  cluster.run(100);
  // (a) The entry reaches node 2 alone.
  cluster.cut = (_, to) => to > 2;
  const index = cluster.propose(one, 'of an older term') ?? 0;
  cluster.run(10);
  cluster.crash(one);
  // (b) Node 5 leads the next term, and what it appends reaches nobody.
  lead(five, [three, four, five]);
  cluster.run(5);
  cluster.crash(five);
  // (c) Node 1 leads again: its older entry reaches node 3, and so a majority, its newer one does not.
  cluster.restart(one);
  lead(one, [one, two, three]);
  const { term } = one.node.status;
  const isNew = (message: Message): boolean =>
    message.kind === 'append' && message.entries.some((entry) => entry.term === term);
  cluster.cut = (_, to, message) => to > 3 || isNew(message);
  cluster.run(60);
  const holders = cluster.live.filter(({ stored }) => stored.entries.some((entry) => entry.index === index));
  assert.deepEqual(holders, [one, two, three]);
  assert.ok(one.node.commit < index);
  // (d) Node 5 leads once more, and what was no promise is gone.
  cluster.crash(one);
  cluster.restart(five);
  lead(five, [two, three, four, five]);
  cluster.cut = () => false;
  cluster.propose(five, 'kept');
  cluster.run(200);
  for (const member of cluster.live) assert.deepEqual(texts(member), ['kept']);
});

test('a pipeline that lost every answer goes on after the link heals, without new proposals', () => {
  const cluster = new Cluster({ size: 3, seed: 7 });
  const leader = cluster.elect();
  cluster.run(100);
  const [deaf] = others(cluster, leader);
  assert.ok(deaf);
  cluster.cut = (from, to, message) =>
    from === deaf.id && to === leader.id && message.kind === 'append-reply';
  for (let i = 0; i < 200; i++) {
    cluster.propose(leader, `${i}`);
    cluster.run(2);
  }
  cluster.cut = () => false;
  cluster.run(1_000);
  const member = leader.node.status.members.find(({ node }) => node === deaf.id);
  assert.equal(member?.match, leader.node.status.last);
});

test('an append that was answered makes room for the next one, however small the window', () => {
  const cluster = new Cluster({ size: 3, seed: 7, raft: { inFlightAppendsMax: 1, appendEntriesMax: 1 } });
  const leader = cluster.elect();
  for (let i = 0; i < 20; i++) cluster.propose(leader, `${i}`);
  cluster.run(500);
  for (const member of cluster.live) assert.equal(texts(member).length, 20);
});

test('row 25: where two logs part is found with one question for each term in them', () => {
  const cluster = new Cluster({ size: 3, seed: 18 });
  const log = (terms: readonly number[]): Entry[] =>
    terms.flatMap((term) => Array.from({ length: 40 }, () => term)).map((term, i) => {
      return { index: i + 1, term, kind: 'command', timeMs: 1, data: Uint8Array.of(term) };
    });
  const [odd, even] = [[1, 3, 5, 7, 9, 11], [1, 2, 4, 6, 8, 10]];
  for (const member of [...cluster.live]) {
    cluster.crash(member);
    const entries = log(member.id === 3 ? even : odd);
    member.stored = { hardState: { term: 11, votedFor: undefined }, snapshot: undefined, entries };
    cluster.restart(member);
  }
  cluster.elect();
  const third = cluster.member(3);
  cluster.until(() => third.appliedIndex > 6 * 40, 5_000, 'the third has the same log');
  const conflicts = cluster.sent.filter(
    ({ message }) => message.kind === 'append-reply' && message.result.kind === 'conflict',
  );
  assert.ok(conflicts.length > 0);
  assert.ok(conflicts.length <= odd.length + even.length + 2, `${conflicts.length} questions`);
});

test('proposals beyond the limit of uncommitted bytes are refused, not queued', () => {
  const cluster = new Cluster({ size: 3, seed: 8 });
  const leader = cluster.elect();
  cluster.cut = () => true;
  const large = 'x'.repeat(200_000);
  let taken = 0;
  while (cluster.propose(leader, large) !== undefined) taken += 1;
  assert.equal(taken, Math.floor(UNCOMMITTED_BYTES_MAX / large.length));
});

test('6.4: a read sees every command acknowledged before it was asked', () => {
  const cluster = new Cluster({ size: 3, seed: 9 });
  const leader = cluster.elect();
  const index = cluster.propose(leader, 'written');
  cluster.run(100);
  assert.ok(cluster.read(leader, 1));
  cluster.run(100);
  const served = leader.readsServed.find(({ ticket }) => ticket === 1);
  assert.ok(served?.index !== undefined && index !== undefined && served.index >= index);
});

test('6.4: a leader that was cut off serves no read, even if the link heals', () => {
  const cluster = new Cluster({ size: 3, seed: 10 });
  const old = cluster.elect();
  cluster.run(100);
  assert.ok(cluster.read(old, 6));
  cluster.run(20);
  assert.equal(old.readsServed.length, 1, 'its members have answered a round');
  cluster.cut = (from, to) => from === old.id || to === old.id;
  assert.ok(cluster.read(old, 7));
  cluster.run(2_000);
  cluster.cut = () => false;
  cluster.run(1_000);
  assert.deepEqual(
    old.readsServed.filter(({ ticket }) => ticket === 7),
    [{ ticket: 7, index: undefined }],
  );
});

test('6.4: an answer to what a leader sent in an earlier term of its own confirms no read', () => {
  const cluster = new Cluster({ size: 3, seed: 15 });
  const leader = cluster.elect();
  const [follower] = others(cluster, leader);
  assert.ok(follower);
  let late: Message | undefined;
  cluster.cut = (from, to, message) => {
    if (from === leader.id && to === follower.id && message.kind === 'append') late = message;
    return false;
  };
  for (const ticket of [1, 2, 3, 4, 5]) {
    cluster.read(leader, ticket);
    cluster.run(20);
  }
  cluster.cut = () => true;
  cluster.until(() => leader.node.role !== 'leader', 5_000, 'it steps down');
  cluster.cut = () => false;
  cluster.act(leader, (node) => node.campaignNow(cluster.nowMs));
  cluster.until(() => leader.node.role === 'leader', 100, 'it leads again');
  cluster.run(20);
  assert.ok(late);
  cluster.deliver(leader.id, follower, late);
  cluster.run(20);
  cluster.cut = () => true;
  assert.ok(cluster.read(leader, 99));
  cluster.run(20);
  assert.deepEqual(leader.readsServed.filter(({ ticket }) => ticket === 99), []);
});

test('6.4: a new leader serves no read before an entry of its own term is committed', () => {
  const cluster = new Cluster({ size: 3, seed: 11 });
  cluster.cut = () => true;
  const candidate = cluster.member(1);
  cluster.act(candidate, (node) => node.campaignNow(cluster.nowMs));
  cluster.run(3);
  const { term } = candidate.node.status;
  cluster.deliver(nodeId(2), candidate, { kind: 'vote-reply', term, granted: true });
  assert.equal(candidate.node.role, 'leader');
  assert.ok(cluster.read(candidate, 1));
  cluster.deliver(nodeId(2), candidate, {
    kind: 'append-reply',
    term,
    round: 1,
    result: { kind: 'matched', index: 0 },
    sentMs: cluster.nowMs,
    digest: DIGEST_NONE,
    stateHash: DIGEST_NONE,
  });
  assert.deepEqual(candidate.readsServed, []);
});

test('5.1: an empty follower is brought up by a snapshot in chunks and goes on with the log', () => {
  const cluster = new Cluster({ size: 3, seed: 12 });
  const leader = cluster.elect();
  const [late] = others(cluster, leader);
  assert.ok(late);
  cluster.crash(late);
  late.stored = { hardState: late.stored.hardState, snapshot: undefined, entries: [] };
  for (let i = 0; i < 40; i++) cluster.propose(leader, `${i} ${'y'.repeat(20_000)}`);
  cluster.run(500);
  cluster.checkpoint(leader, 0);
  cluster.restart(late);
  cluster.until(() => late.appliedIndex === leader.appliedIndex, 5_000, 'the follower has caught up');
  assert.ok(cluster.sent.some(({ message }) => message.kind === 'snapshot' && message.offset > 0));
  cluster.propose(leader, 'after');
  cluster.run(200);
  assert.deepEqual(texts(late), texts(leader));
});

test('5.1: a snapshot behind which the log was cut off meanwhile is passed over for another one', () => {
  const cluster = new Cluster({ size: 3, seed: 12 });
  const leader = cluster.elect();
  const [late] = others(cluster, leader);
  assert.ok(late);
  for (let i = 0; i < 20; i++) cluster.propose(leader, `${i}`);
  cluster.run(500);
  cluster.crash(late);
  const [first] = leader.applied;
  assert.ok(first);
  const membership = leader.node.membershipAt(first.index);
  for (let i = 0; i < 20; i++) cluster.propose(leader, `more ${i}`);
  cluster.run(500);
  cluster.checkpoint(leader, 0);
  leader.node.provideSnapshot({ ...first, membership, digest: 0, state: new Uint8Array() });
  cluster.restart(late);
  cluster.until(() => late.appliedIndex === leader.appliedIndex, 5_000, 'the follower has caught up');
});

test('5.1: a member that installs a snapshot votes, is not elected, and then follows who was', () => {
  const cluster = new Cluster({ size: 3, seed: 12, installMsMax: 60_000 });
  const old = cluster.elect();
  const [late, other] = others(cluster, old);
  assert.ok(late && other);
  cluster.crash(late);
  late.stored = { hardState: late.stored.hardState, snapshot: undefined, entries: [] };
  for (let i = 0; i < 40; i++) cluster.propose(old, `${i}`);
  cluster.run(500);
  cluster.checkpoint(old, 0);
  cluster.restart(late);
  cluster.until(() => late.installing !== undefined, 5_000, 'the snapshot has arrived');
  cluster.crash(old);
  cluster.act(late, (node) => node.campaignNow(cluster.nowMs));
  assert.equal(late.node.role, 'follower');
  cluster.until(() => other.node.role === 'leader', 5_000, 'the other is elected with its vote');
  assert.ok(late.installing !== undefined, 'all this while the snapshot is being installed');
  cluster.propose(other, 'after');
  cluster.until(() => late.appliedIndex > 41, 70_000, 'the snapshot is installed');
  cluster.run(500);
  assert.deepEqual(texts(late), texts(other));
});

test('5.1: a snapshot does not keep a divergent tail, not even at its last index', () => {
  const cluster = new Cluster({ size: 3, seed: 13 });
  const old = cluster.elect();
  cluster.run(100);
  cluster.cut = (from, to) => from === old.id || to === old.id;
  for (let i = 0; i < 10; i++) cluster.propose(old, `lost ${i}`);
  cluster.run(2_000);
  const leader = cluster.leader as Member;
  for (let i = 0; i < 10; i++) cluster.propose(leader, `kept ${i}`);
  cluster.run(200);
  cluster.checkpoint(leader, 0);
  cluster.cut = () => false;
  cluster.until(() => old.appliedIndex === leader.appliedIndex, 5_000, 'the old leader follows');
  assert.deepEqual(texts(old), texts(leader));
});

test('3.10: leadership is handed over without an election timeout and without losing anything', () => {
  const cluster = new Cluster({ size: 5, seed: 14 });
  const old = cluster.elect();
  for (let i = 0; i < 10; i++) cluster.propose(old, `${i}`);
  cluster.run(50);
  cluster.act(old, (node) => assert.ok(node.transferAway(cluster.nowMs)));
  assert.equal(cluster.propose(old, 'too late'), undefined);
  cluster.until(
    () => cluster.leader !== undefined && cluster.leader.id !== old.id,
    100,
    'the successor leads at once',
  );
  cluster.run(500);
  for (const member of cluster.live) assert.equal(texts(member).length, 10);
});

test('3.10: a transfer to a member that does not answer is given up, and the leader goes on', () => {
  const cluster = new Cluster({ size: 3, seed: 15 });
  const leader = cluster.elect();
  cluster.run(100);
  cluster.cut = (_, __, message) => message.kind === 'timeout-now';
  cluster.act(leader, (node) => node.transferAway(cluster.nowMs));
  cluster.run(400);
  assert.equal(leader.node.role, 'leader');
  assert.notEqual(cluster.propose(leader, 'again'), undefined);
});

test('entries carry a time that never runs backwards, whatever the leaders’ clocks say', () => {
  const cluster = new Cluster({ size: 3, seed: 16 });
  const leader = cluster.elect();
  leader.node.propose(new Uint8Array([1]), 5_000);
  leader.node.propose(new Uint8Array([2]), 1_000);
  cluster.act(leader, () => {});
  cluster.run(100);
  const times = leader.applied.filter((e) => e.kind === 'command').map((e) => e.timeMs);
  assert.deepEqual(times, [5_000, 5_000]);
});

test('3.10: leadership goes to the node that was named, and refusals say why not', () => {
  const cluster = new Cluster({ size: 3, spare: 1, seed: 17 });
  const leader = cluster.elect();
  cluster.run(100);
  const [target, other] = others(cluster, leader).filter(({ id }) => id <= 3);
  assert.ok(target && other);
  const ask = (member: Member, id: number): unknown => member.node.transferTo(nodeId(id), cluster.nowMs);
  assert.deepEqual(ask(target, other.id), { kind: 'not-leader', leader: leader.id });
  assert.deepEqual(ask(leader, leader.id), { kind: 'refused', cause: 'leads-already' });
  assert.deepEqual(ask(leader, 4), { kind: 'refused', cause: 'no-voter' });
  cluster.act(leader, () => assert.deepEqual(ask(leader, target.id), { kind: 'begun' }));
  assert.deepEqual(ask(leader, other.id), { kind: 'refused', cause: 'transferring' });
  cluster.until(() => cluster.leader?.id === target.id, 100, 'the named one leads');
  cluster.run(300);
  assert.notEqual(cluster.propose(target, 'by the named one'), undefined);
});

test('3.10: a leader that has handed over takes commands, and hands over again, when it leads again', () => {
  const cluster = new Cluster({ size: 3, seed: 17 });
  const leader = cluster.elect();
  cluster.run(100);
  const [target] = others(cluster, leader);
  assert.ok(target);
  const handOver = (from: Member, to: Member): void => {
    cluster.act(from, (node) => assert.deepEqual(node.transferTo(to.id, cluster.nowMs), { kind: 'begun' }));
    cluster.until(() => cluster.leader === to, 100, 'the named one leads');
    cluster.run(100);
  };
  handOver(leader, target);
  handOver(target, leader);
  assert.notEqual(cluster.propose(leader, 'the flag died with the term'), undefined);
  handOver(leader, target);
});
