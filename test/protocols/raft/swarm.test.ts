// Raft under random faults: every seed mixes losses, cuts, crashes and checkpoints, then heals.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../../src/base/random.ts';
import { Cluster, type Member } from '../../support/raft-cluster.ts';

const SEEDS = Number(process.env['RAFT_SEEDS'] ?? 60);
const FIRST = Number(process.env['RAFT_FIRST_SEED'] ?? 1);

function torment(seed: number): void {
  const random = new Random(`swarm ${seed}`);
  const cluster = new Cluster({
    size: random.chance(1, 2) ? 3 : 5,
    spare: random.pick([0, 2]) ?? 0,
    seed,
    delayMsMax: random.pick([1, 3, 20]) ?? 1,
    syncMsMax: random.pick([0, 2, 15]) ?? 0,
    installMsMax: random.pick([0, 20, 1_000]) ?? 0,
    lost: random.pick([0, 20, 100]) ?? 0,
    doubled: random.pick([0, 50]) ?? 0,
  });
  const acknowledged = new Map<number, string>();
  const waiting: { readonly index: number; readonly term: number; readonly text: string }[] = [];
  for (let round = 0; round < 120; round++) {
    const leaders = cluster.live.filter((member) => member.node.role === 'leader');
    for (const leader of leaders) {
      const count = random.integer(0, 4);
      for (let i = 0; i < count; i++) {
        const text = `${seed}/${round}/${i}/${leader.id}`;
        const index = cluster.propose(leader, text);
        if (index !== undefined) waiting.push({ index, term: leader.node.status.term, text });
      }
    }
    disturb(cluster, random);
    cluster.run(random.integer(1, 60));
    for (const { index, term, text } of waiting) {
      const holder = cluster.live.find((m) => m.appliedIndex >= index);
      const entry = holder?.applied.find((applied) => applied.index === index);
      if (entry?.term === term) acknowledged.set(index, text);
    }
  }
  heal(cluster);
  cluster.until(() => converged(cluster), 20_000, `seed ${seed}: all members agree after healing`, );
  for (const member of members(cluster)) {
    const texts = new Map(member.applied.map((e) => [e.index, new TextDecoder().decode(e.data)]));
    for (const [index, text] of acknowledged) assert.equal(texts.get(index), text);
  }
}

function disturb(cluster: Cluster, random: Random): void {
  const victim = random.pick([...cluster.members.values()]);
  if (victim === undefined) return;
  const dice = random.integer(0, 19);
  if (dice === 0 && victim.alive) {
    cluster.crash(victim);
    if (random.chance(1, 2)) {
      for (const other of cluster.live) cluster.peerLost(other, victim.id);
    }
  } else if (dice <= 3 && !victim.alive) {
    cluster.restart(victim);
  } else if (dice === 4) {
    cluster.cut = (from, to) => from === victim.id || to === victim.id;
  } else if (dice === 5) {
    cluster.cut = (_, to) => to === victim.id;
  } else if (dice === 6) {
    const half = cluster.ids.length / 2;
    cluster.cut = (from, to) => from !== victim.id && to !== victim.id && from > half !== to > half;
  } else if (dice <= 9) {
    cluster.cut = () => false;
  } else if (dice <= 11 && victim.alive) {
    cluster.checkpoint(victim, random.integer(0, 10));
  } else if (dice === 12 && victim.alive) {
    cluster.act(victim, (node) => node.transferAway(cluster.nowMs));
  } else if (dice === 13 && cluster.members.size > cluster.ids.length) {
    exchange(cluster, random);
  } else if (dice === 14 && [...cluster.members.values()].every(({ stored }) => !stored.healUntil)) {
    cluster.damage(victim, victim.appliedIndex - random.integer(0, 20));
  }
}

/** Whoever leads is asked to make any three to five of all members the voters. */
function exchange(cluster: Cluster, random: Random): void {
  const line = [...cluster.members.keys()];
  const target = Array.from({ length: random.integer(3, 5) }, () => {
    return line.splice(random.integer(0, line.length - 1), 1)[0] ?? 0;
  });
  if (cluster.leader !== undefined) cluster.reconfigure(cluster.leader, target);
}

function heal(cluster: Cluster): void {
  cluster.cut = () => false;
  cluster.lost = 0;
  cluster.doubled = 0;
  for (const member of cluster.members.values()) if (!member.alive) cluster.restart(member);
  cluster.run(3_000);
  const { leader } = cluster;
  assert.ok(leader, 'a leader after healing');
  assert.ok(cluster.propose(leader, 'last') !== undefined, 'it takes proposals');
}

function converged(cluster: Cluster): boolean {
  const { leader } = cluster;
  if (leader === undefined) return false;
  const { last } = leader.node.status;
  const { outgoing, learners } = leader.node.status.membership;
  if (outgoing.length > 0 || learners.length > 0) return false;
  return members(cluster).every((member) => member.appliedIndex === last);
}

/** Those who vote by now: others may have been left behind anywhere. */
function members(cluster: Cluster): Member[] {
  const voters = cluster.leader?.node.status.membership.incoming ?? [];
  return cluster.live.filter(({ id }) => voters.includes(id));
}

test('no mix of faults, changes of members and damage breaks an invariant or stops a healed group', () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      torment(seed);
    } catch (cause) {
      throw new Error(`seed ${seed} (RAFT_FIRST_SEED=${seed} RAFT_SEEDS=1)`, { cause });
    }
  }
});
