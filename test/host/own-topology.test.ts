import assert from 'node:assert/strict';
import test from 'node:test';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { asGrown, asNew, movedBy } from '../../src/host/own-topology.ts';
import { printTopology } from '../../src/host/topology-file.ts';
import {
  type NodePlan,
  parseTopology,
  seedTopology,
  type Topology,
} from '../../src/services/topology/topology.ts';
import { smallTopology } from '../support/small-topology.ts';

const read = (topology: Topology): Topology => parseTopology(JSON.parse(JSON.stringify(topology)));
const small = (gateways: number, basePort = 7_400): Topology => read(smallTopology({ basePort, gateways }));
const own = (topology: Topology) => ({ file: 'my.json', topology, basePort: 7_400 });
const world = (topology: Topology) => ({ folder: '/world', topology });
const withNode = (topology: Topology, id: number, change: Partial<NodePlan>): Topology => ({
  ...topology,
  nodes: topology.nodes.map((node) => (node.id === id ? { ...node, ...change } : node)),
});

test('what is printed to start from is the same topology when it is read', () => {
  const seed = seedTopology({ world: 'mine' });
  assert.deepEqual(parseTopology(JSON.parse(printTopology(seed))), seed);
});

test('a world goes on with the topology that it has, wherever its ports were moved', () => {
  assert.deepEqual(asGrown(world(small(1)), own(small(1))), small(1));
  assert.deepEqual(asGrown(world(movedBy(small(1), 1_000)), own(small(1))), small(1));
});

test('a world takes further gateways from a file, whatever their ports', () => {
  const grown = withNode(small(2), 8, { httpPort: 7_000 });
  assert.deepEqual(asGrown(world(small(0)), own(grown)), grown);
});

test('a world takes from a file how its groups are read', () => {
  const read = { reads: 'any', leaseDriftPerMille: 10 } as const;
  const grown = { ...small(1), groups: small(1).groups.map((group) => ({ ...group, ...read })) };
  assert.deepEqual(asGrown(world(small(0)), own(grown)), grown);
  assert.deepEqual(asGrown(world(grown), own(small(1))), small(1));
});

test('a world takes nothing else from a file, and is told what to do', () => {
  const { nodes, groups, regions } = small(1);
  const others: readonly Topology[] = [
    { ...small(1), world: 'other' },
    { ...small(1), nodes: nodes.filter(({ name }) => name !== 'gate-1') },
    { ...small(1), nodes: nodes.map((node) => ({ ...node, httpPort: node.httpPort + node.id })) },
    { ...small(1), groups: groups.slice(1) },
    { ...small(1), regions: regions.map((region) => ({ ...region, tickMs: 50 })) },
    withNode(small(2), 8, { kind: 'global' }),
  ];
  for (const other of others) {
    assert.throws(
      () => asGrown(world(small(1)), own(other)),
      (cause) => cause instanceof StartError && /^The world in .*my\.json.*--data\.$/.test(cause.message),
    );
  }
});

test('a new world is not made of the topology of one whose members were exchanged', () => {
  const topology = small(0);
  assert.equal(asNew(own(topology)), topology);
  const groups = topology.groups.map((group) => ({ ...group, founders: [...group.members].reverse() }));
  const exchanged = own({ ...topology, groups });
  assert.throws(() => asNew(exchanged), /auth in my\.json has other founders than members/);
});
