// Data folders: which one an id was met with, and that no other is ever heard under it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError } from '../../../src/base/errors.ts';
import { type NodeId, nodeId } from '../../../src/base/id.ts';
import type { Incarnations } from '../../../src/services/topology/incarnations.ts';
import { replaceNode } from '../../../src/services/topology/replacement.ts';
import { seedTopology, type Topology } from '../../../src/services/topology/topology.ts';
import { bornIn, memoryStore } from '../../support/incarnations.ts';

const { groups, ...rest } = seedTopology({ world: 'w' });
/** Only the economy, of five. */
const FIVE: Topology = { ...rest, groups: groups.filter(({ name }) => name === 'economy') };
const [ONE, TWO, THREE, FOUR, FIFTH] = [1, 2, 3, 4, 5].map(nodeId) as [
  NodeId, NodeId, NodeId, NodeId, NodeId,
];

/** What happens when two nodes meet for the first time: each is told what the other knows. */
function meet(a: NodeId, one: Incarnations, b: NodeId, other: Incarnations): readonly string[] {
  if (!other.admits(a, one.own) || !one.admits(b, other.own)) return ['refused'];
  return [one.hear(b, other.tell()), other.hear(a, one.tell())];
}

/** Node 1 is settled by 2, 3 and 4; 5 never met it. */
function settledByThree(): Map<NodeId, Incarnations> {
  const nodes = new Map([ONE, TWO, THREE, FOUR, FIFTH].map((id) => [id, bornIn(FIVE, id, id)]));
  for (const other of [TWO, THREE, FOUR]) meet(ONE, at(nodes, ONE), other, at(nodes, other));
  return nodes;
}

function at(nodes: ReadonlyMap<NodeId, Incarnations>, id: NodeId): Incarnations {
  const node = nodes.get(id);
  assert.ok(node !== undefined);
  return node;
}

test('a newborn node is settled once a majority of the others has written it down', () => {
  const [one, two, three, four] = [ONE, TWO, THREE, FOUR].map((id) => bornIn(FIVE, id, id));
  assert.ok(one && two && three && four);
  assert.deepEqual(meet(ONE, one, TWO, two), ['heard', 'heard']);
  assert.deepEqual(meet(ONE, one, THREE, three), ['heard', 'heard']);
  assert.equal(one.own.isSettled, false);
  assert.deepEqual(meet(ONE, one, FOUR, four), ['settled', 'heard']);
  assert.equal(one.own.isSettled, true);
});

test('a node that knows it was settled is so again after a restart, and asks nobody', () => {
  const store = memoryStore();
  const one = bornIn(FIVE, ONE, 1, store);
  for (const id of [TWO, THREE, FOUR]) meet(ONE, one, id, bornIn(FIVE, id, id));
  const before = store.writes();
  const again = bornIn(FIVE, ONE, 99, store);
  assert.deepEqual(again.own, one.own);
  again.tell();
  assert.equal(store.writes(), before);
});

test('a wiped folder is refused by whoever knew the one before, and told that it is a stranger', () => {
  const nodes = settledByThree();
  const wiped = bornIn(FIVE, ONE, 77);
  assert.equal(at(nodes, TWO).admits(ONE, wiped.own), false);
  assert.equal(wiped.hear(TWO, at(nodes, TWO).tell()), 'stranger');
});

test('one that nobody told of the first folder can not settle the second', () => {
  const nodes = settledByThree();
  const wiped = bornIn(FIVE, ONE, 77);
  assert.deepEqual(meet(ONE, wiped, FIFTH, at(nodes, FIFTH)), ['heard', 'heard']);
  assert.equal(wiped.own.isSettled, false);
  // The right folder, which is settled, is heard again also where the wrong one came first.
  assert.equal(at(nodes, FIFTH).admits(ONE, at(nodes, ONE).own), true);
  assert.equal(at(nodes, FIFTH).admits(ONE, wiped.own), false);
});

test('whoever missed the first meeting learns of it from the others', () => {
  const nodes = settledByThree();
  meet(TWO, at(nodes, TWO), FIFTH, at(nodes, FIFTH));
  assert.equal(at(nodes, FIFTH).admits(ONE, bornIn(FIVE, ONE, 77).own), false);
});

test('the memory outlives those who are replaced, one after the other', () => {
  const nodes = settledByThree();
  let topology = FIVE;
  let members = [TWO, THREE, FOUR, FIFTH];
  for (const old of [TWO, THREE, FOUR]) {
    const replaced = replaceNode(topology, old);
    ({ topology } = replaced);
    members = members.filter((id) => id !== old);
    const fresh = bornIn(topology, replaced.id, replaced.id);
    // Node 1 is not reached by any of them.
    for (const id of members) {
      const known = at(nodes, id).tell();
      const other = bornIn(topology, id, id, { found: () => known, keep: () => undefined });
      nodes.set(id, other);
      meet(replaced.id, fresh, id, other);
    }
    assert.equal(fresh.own.isSettled, true);
    nodes.set(replaced.id, fresh);
    members.push(replaced.id);
  }
  const wiped = bornIn(topology, ONE, 77);
  const refusing = members.filter((id) => !at(nodes, id).admits(ONE, wiped.own));
  assert.ok(refusing.length >= 3, String(refusing));
});

test('nodes that are no members of any group may come in any folder', () => {
  const one = bornIn(FIVE, ONE, 1);
  const eu = nodeId(8);
  assert.equal(one.admits(eu, bornIn(FIVE, eu, 1).own), true);
  assert.equal(one.admits(eu, bornIn(FIVE, eu, 2).own), true);
});

test('what was kept and can not be read is damage', () => {
  const store = { found: () => ({ node: 1 }), keep: () => undefined };
  assert.throws(() => bornIn(FIVE, ONE, 1, store), CorruptionError);
});
