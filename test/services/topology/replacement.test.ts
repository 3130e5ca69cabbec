import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { readOperation } from '../../../src/services/calls/operation.ts';
import { replaceNode } from '../../../src/services/topology/replacement.ts';
import { parseTopology, seedTopology } from '../../../src/services/topology/topology.ts';
import { validateTopology } from '../../../src/services/topology/topology-rules.ts';
import { stockFeatures } from '../../../src/world/catalogue.ts';

const seed = seedTopology({ world: 'w' });

test('a replaced node keeps its place and gets an id above all that were ever used', () => {
  const once = replaceNode(seed, nodeId(3));
  assert.equal(once.id, 10);
  const twice = replaceNode(once.topology, once.id);
  assert.equal(twice.id, 11);
  assert.deepEqual(twice.topology.retired, [3, 10]);
  const place = twice.topology.nodes.find(({ name }) => name === 'global-3');
  assert.deepEqual(place, { ...seed.nodes[2], id: 11 });
  assert.deepEqual(validateTopology(twice.topology, stockFeatures), []);
});

test('members change with a replacement, founders never do', () => {
  const { topology } = replaceNode(replaceNode(seed, nodeId(3)).topology, nodeId(10));
  const [auth, economy] = topology.groups;
  assert.deepEqual([auth?.members, auth?.founders], [[1, 2, 11], [1, 2, 3]]);
  assert.deepEqual(economy?.founders, [1, 2, 3, 4, 5]);
  assert.deepEqual(parseTopology(JSON.parse(JSON.stringify(topology))), topology);
});

test('a topology that uses a retired id again is refused', () => {
  const { topology } = replaceNode(seed, nodeId(3));
  const nodes = topology.nodes.map((node) => (node.id === 10 ? { ...node, id: nodeId(3) } : node));
  assert.match(validateTopology({ ...topology, nodes }, stockFeatures).join(' '), /retired id 3/);
});

test('what the supervisor says of other things is no operation', () => {
  assert.equal(readOperation({ kind: 'link-faults', faults: [] }), undefined);
  assert.equal(readOperation('transfer'), undefined);
  const operation = { kind: 'transfer', group: 'auth', nodes: [1] };
  assert.deepEqual(readOperation(operation), operation);
});
