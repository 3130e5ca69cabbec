// Timeouts that follow the distance, disks that hang, and who leads when.
import assert from 'node:assert/strict';
import test from 'node:test';
import { DIGEST_NONE } from '../../../src/protocols/raft/digests.ts';
import { Cluster } from '../../support/raft-cluster.ts';
import {
  Lateness,
  pacedElectionMs,
  PACED_ELECTION_MS_MAX,
  smoothed,
} from '../../../src/protocols/raft/pace.ts';

test('timeouts are ten round trips between the wished one and three seconds', () => {
  assert.equal(pacedElectionMs(150, 2), 150);
  assert.equal(pacedElectionMs(150, 110), 1_100);
  assert.equal(pacedElectionMs(150, 900), PACED_ELECTION_MS_MAX);
});

test('one late answer hardly counts, and a short one counts at once', () => {
  assert.equal(smoothed(undefined, 80), 80);
  assert.equal(smoothed(2, 82), 12);
  assert.equal(smoothed(80, 2), 41);
});

test('how late a leader speaks is remembered for a while', () => {
  const lateness = new Lateness();
  lateness.note(-20, 0);
  assert.equal(lateness.ms, 0);
  lateness.note(60, 1_000);
  lateness.note(2, 2_500);
  assert.equal(lateness.ms, 60);
  lateness.note(2, 3_000);
  assert.equal(lateness.ms, 30);
  lateness.note(40, 3_100);
  assert.equal(lateness.ms, 40);
});

test('a leader that has been late is missed later, and in time all the same', () => {
  const cluster = new Cluster({ size: 3, seed: 6 });
  const leader = cluster.elect();
  cluster.run(1_000);
  const standStill = (ms: number): boolean => {
    cluster.sent.length = 0;
    leader.frozen = true;
    cluster.run(ms);
    leader.frozen = false;
    const missed = cluster.sent.some(({ message }) => message.kind === 'pre-vote');
    cluster.run(300);
    return missed;
  };
  assert.equal(standStill(120), false);
  assert.equal(standStill(200), false, 'it was late before');
  assert.equal(cluster.leader?.id, leader.id);
  assert.equal(standStill(400), true);
});

test('the answer to a snapshot, which is not timed, makes nobody seem far away', () => {
  const cluster = new Cluster({ size: 3, seed: 7 });
  const leader = cluster.elect();
  cluster.run(5_000);
  const { term, roundTripMs } = leader.node.status;
  const [other] = cluster.live.filter(({ id }) => id !== leader.id);
  assert.ok(other);
  const result = { kind: 'matched', index: 0 } as const;
  const untimed = { round: 0, sentMs: 0, digest: DIGEST_NONE, stateHash: DIGEST_NONE };
  for (let i = 0; i < 3; i++) {
    cluster.deliver(other.id, leader, { kind: 'append-reply', term, result, ...untimed });
    cluster.run(60);
  }
  assert.ok(leader.node.status.roundTripMs <= roundTripMs + 5, `${leader.node.status.roundTripMs} ms`);
});

test('9.3: a group across oceans elects a leader and stays calm', () => {
  const cluster = new Cluster({ size: 5, seed: 1, delayMsMin: 80, delayMsMax: 170 });
  cluster.until(() => cluster.leader !== undefined, 30_000, 'a leader across oceans');
  cluster.run(5_000);
  const { leader } = cluster;
  assert.ok(leader);
  const { term } = leader.node.status;
  for (let i = 0; i < 20; i++) {
    cluster.propose(leader, `${i}`);
    cluster.run(3_000);
  }
  assert.equal(cluster.leader?.node.status.term, term);
  assert.equal(leader.deposed, 0);
  cluster.crash(leader);
  cluster.until(() => cluster.leader !== undefined, 15_000, 'a successor');
});

test('rows 14 and 15: a leader whose disk hangs gives way, and the group goes on', () => {
  const cluster = new Cluster({ size: 3, seed: 2 });
  const old = cluster.elect();
  cluster.run(300);
  old.diskHangs = true;
  cluster.propose(old, 'never on its own disk');
  cluster.until(
    () => cluster.leader !== undefined && cluster.leader.id !== old.id,
    2 * 150 + 100,
    'another leads after two shortest timeouts',
  );
  assert.equal(old.node.role, 'follower');
  assert.equal(cluster.propose(old, 'refused'), undefined);
  cluster.run(3_000);
  assert.notEqual(cluster.leader?.id, old.id, 'a member with such a disk does not campaign');
  const { leader } = cluster;
  assert.ok(leader);
  const index = cluster.propose(leader, 'goes on') ?? 0;
  cluster.run(100);
  assert.ok(leader.node.commit >= index);
});

test('row 14: a process that its disk has stopped altogether is replaced by the timer', () => {
  const cluster = new Cluster({ size: 3, seed: 3 });
  const old = cluster.elect();
  cluster.run(300);
  old.frozen = true;
  cluster.until(
    () => cluster.live.some((member) => !member.frozen && member.node.role === 'leader'),
    2 * 300,
    'another leads within two longest timeouts',
  );
});

test('row 15: a follower whose disk is slow costs nobody an election', () => {
  const cluster = new Cluster({ size: 3, seed: 4 });
  const leader = cluster.elect();
  cluster.run(300);
  const slow = cluster.live.find(({ id }) => id !== leader.id);
  assert.ok(slow);
  slow.diskHangs = true;
  const { term } = leader.node.status;
  for (let i = 0; i < 40; i++) {
    cluster.propose(leader, `${i}`);
    cluster.run(50);
  }
  assert.equal(leader.node.commit, leader.node.status.last);
  assert.equal(cluster.leader?.node.status.term, term);
  const known = leader.node.status.members.find(({ node }) => node === slow.id);
  assert.ok((known?.match ?? 0) < leader.node.commit, 'what its disk lacks is not counted');
  slow.diskHangs = false;
  cluster.run(300);
  assert.equal(slow.appliedIndex, leader.appliedIndex);
});

test('a leader that hears answers only through a slow disk of one of two still hears its quorum', () => {
  const cluster = new Cluster({ size: 3, seed: 5 });
  const leader = cluster.elect();
  cluster.run(300);
  const [slow, away] = cluster.live.filter(({ id }) => id !== leader.id);
  assert.ok(slow && away);
  cluster.crash(away);
  cluster.propose(leader, 'pending');
  slow.diskHangs = true;
  cluster.run(2_000);
  assert.equal(leader.node.role, 'leader');
});
