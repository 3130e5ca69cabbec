import assert from 'node:assert/strict';
import test from 'node:test';

import { InvalidInputError } from '../../../src/base/errors.ts';
import { nodeId } from '../../../src/base/id.ts';
import { VOTERS_MAX } from '../../../src/protocols/raft/messages.ts';
import { soundTopology, validateTopology } from '../../../src/services/topology/topology-rules.ts';
import { parseTopology, seedTopology, type Topology } from '../../../src/services/topology/topology.ts';
import { stockFeatures } from '../../../src/world/catalogue.ts';
import { smallTopology } from '../../support/small-topology.ts';

const seed: Topology = seedTopology({ world: 'earth' });
const DEGREE = 10_000_000;

/** The only fault of a topology. */
function faultOf(topology: Topology): string {
  const faults = validateTopology(topology, stockFeatures);
  assert.equal(faults.length, 1, faults.join('\n'));
  return faults[0] ?? '';
}

function withGroup(number: number, change: Partial<Topology['groups'][number]>): Topology {
  const groups = seed.groups.map((group) =>
    group.number === number ? { ...group, ...change } : group,
  );
  return { ...seed, groups };
}

function withRegion(name: string, change: Partial<Topology['regions'][number]>): Topology {
  const regions = seed.regions.map((region) =>
    region.name === name ? { ...region, ...change } : region,
  );
  return { ...seed, regions };
}

function withNode(id: number, change: Partial<Topology['nodes'][number]>): Topology {
  const nodes = seed.nodes.map((node) => (node.id === id ? { ...node, ...change } : node));
  return { ...seed, nodes };
}

test('the seed topology keeps every rule', () => {
  assert.deepEqual(validateTopology(seed, stockFeatures), []);
});

test('the seed topology has three, five, three and five replicas and four regions', () => {
  const replicas = seed.groups.map(({ name, members }) => [name, members.length]);
  assert.deepEqual(replicas, [
    ['auth', 3],
    ['economy', 5],
    ['guild', 3],
    ['world', 5],
  ]);
  assert.deepEqual(seed.regions.map(({ name }) => name).sort(), ['asia', 'eu', 'na-east', 'na-west']);
  assert.equal(seed.nodes.length, 9);
});

test('the ports of a seed topology follow from its base port', () => {
  const { nodes } = seedTopology({ world: 'earth', basePort: 9_000 });
  assert.deepEqual([nodes[0]?.httpPort, nodes[0]?.peerPort], [9_001, 9_051]);
  assert.deepEqual([nodes[8]?.httpPort, nodes[8]?.peerPort], [9_009, 9_059]);
});

test('a topology is the same after a trip through a file', () => {
  assert.deepEqual(parseTopology(JSON.parse(JSON.stringify(seed))), seed);
});

test('a topology with an unknown field, a missing one or a wrong type names the place', () => {
  assert.throws(() => parseTopology({ ...seed, extra: 1 }), /topology has the unknown field "extra"$/);
  const regions = seed.regions.map((region) => ({ ...region, tickMillis: 50 }));
  assert.throws(
    () => parseTopology({ ...seed, regions }),
    /topology\.regions\[0\] has the unknown field "tickMillis"$/,
  );
  assert.throws(() => parseTopology({ world: 'earth' }), /topology.nodes must be a list/);
  assert.throws(() => parseTopology(withNode(1, { peerPort: 1.5 })), /topology.nodes\[0\].peerPort/);
  assert.throws(() => parseTopology('earth'), InvalidInputError);
});

test('two replicas are too few for a linearizable group', () => {
  const fault = faultOf(withGroup(1, { members: [nodeId(1), nodeId(2)] }));
  assert.match(fault, /auth has 2 replicas.*at least 3/);
});

test('three replicas on two nodes are two replicas', () => {
  const doubled = withGroup(1, { members: [nodeId(1), nodeId(2), nodeId(2)] });
  const faults = validateTopology(doubled, stockFeatures).join('\n');
  assert.match(faults, /auth has 2 replicas/);
  assert.match(faults, /names node 2 twice/);
});

test('four replicas are allowed', () => {
  const four = withGroup(1, { members: [1, 2, 3, 4].map(nodeId) });
  assert.deepEqual(validateTopology(four, stockFeatures), []);
});

test('more voters than a Raft group takes are too many', () => {
  const nodes = Array.from({ length: VOTERS_MAX + 1 }, (_, place) => ({
    id: nodeId(20 + place),
    name: `more-${place}`,
    kind: 'global' as const,
    host: '127.0.0.1',
    peerPort: 8_000 + place,
    httpPort: 8_100 + place,
  }));
  const grown = withGroup(1, { members: nodes.map(({ id }) => id) });
  const fault = faultOf({ ...grown, nodes: [...seed.nodes, ...nodes] });
  assert.match(fault, new RegExp(`at most ${VOTERS_MAX} may vote`));
});

test('a member must be a global node of the topology', () => {
  assert.match(faultOf(withGroup(1, { members: [1, 2, 77].map(nodeId) })), /77.*not in the topology/);
  assert.match(faultOf(withGroup(1, { members: [1, 2, 6].map(nodeId) })), /6.*not a global node/);
});

test('a feature is in exactly one group', () => {
  assert.match(faultOf(withGroup(3, { features: [] })), /"names" is in no group/);
  assert.match(
    faultOf(withGroup(1, { features: ['accounts', 'names'] })),
    /"names" is in group auth and in guild/,
  );
});

test('a feature that the world does not have is refused', () => {
  assert.match(faultOf(withGroup(3, { features: ['names', 'dragons'] })), /"dragons".*remove it/);
});

test('a feature that needs another one comes after it in the same group', () => {
  assert.match(
    faultOf(withGroup(2, { features: ['trade', 'holdings'] })),
    /"trade" needs "holdings": list that before it/,
  );
});

test('a gap between regions names its edges', () => {
  const fault = faultOf(withRegion('eu', { eastLon: 50 * DEGREE }));
  assert.match(fault, /between 50 and 60 degrees: widen eu/);
});

test('regions that overlap are named', () => {
  assert.match(faultOf(withRegion('eu', { eastLon: 70 * DEGREE })), /eu and asia overlap \(70 and 60/);
});

test('a region may cross the antimeridian', () => {
  const shifted: Topology = {
    ...seed,
    regions: seed.regions.map((region) => ({
      ...region,
      westLon: region.name === 'na-west' ? 170 * DEGREE : region.westLon,
      eastLon: region.name === 'asia' ? 170 * DEGREE : region.eastLon,
    })),
  };
  assert.deepEqual(validateTopology(shifted, stockFeatures), []);
});

test('the copies of one region may stretch over the whole globe', () => {
  const [first] = seed.regions;
  assert.ok(first !== undefined);
  const whole = { ...first, westLon: -180 * DEGREE, eastLon: 180 * DEGREE };
  assert.deepEqual(validateTopology({ ...seed, regions: [whole] }, stockFeatures), []);
  const none = validateTopology({ ...seed, regions: [] }, stockFeatures).join('\n');
  assert.match(none, /no regions/);
});

test('a region node may be first in several regions, or hold no copy at all', () => {
  const twice = withRegion('eu', { copies: [9, 8, 6].map(nodeId) });
  assert.deepEqual(validateTopology(twice, stockFeatures), []);
  const gateways = smallTopology({ basePort: 7_400, gateways: 2 });
  assert.deepEqual(validateTopology(gateways, stockFeatures), []);
});

test('each region has copies on three to seven region nodes', () => {
  const faults = (copies: readonly number[]): string =>
    validateTopology(withRegion('eu', { copies: copies.map(nodeId) }), stockFeatures).join('\n');
  assert.match(faults([8, 9, 1]), /eu is on node 1: name a node of kind region/);
  assert.match(faults([8, 9]), /eu has 2 copies: give it 3 to 7/);
  assert.match(faults([8, 9, 9]), /eu names node 9 twice/);
});

test('a region carries the regional features, all of them, and no other', () => {
  const held = ['chat', 'crafting'];
  const tooMany = withRegion('eu', { features: [...held, 'trade'] });
  assert.match(faultOf(tooMany), /eu holds "trade", which is no regional/);
  assert.match(faultOf(withRegion('eu', { features: ['chat'] })), /"crafting" is not in region eu/);
});

test('regions and groups share one row of numbers', () => {
  assert.match(faultOf(withRegion('eu', { number: 2 })), /Two groups or regions have the number 2/);
});

test('ports are from 1 to 65535 and nobody shares one', () => {
  assert.match(faultOf(withNode(1, { peerPort: 70_000 })), /70000: choose one from 1 to 65535/);
  assert.match(
    faultOf(withNode(1, { peerPort: 7_402 })),
    /httpPort of global-2 is 127.0.0.1:7402, as is the peerPort of global-1/,
  );
  assert.deepEqual(validateTopology(withNode(1, { host: '::1', peerPort: 7_402 }), stockFeatures), []);
});

test('names are short, plain and used once', () => {
  assert.match(faultOf(withNode(1, { name: 'Global 1' })), /node "Global 1" needs a name/);
  assert.match(faultOf(withNode(1, { name: 'all' })), /A node is called "all".*rename it/);
  assert.match(faultOf(withNode(1, { name: 'global-2' })), /Two nodes are called "global-2"/);
  assert.match(faultOf({ ...seed, world: '' }), /world "" needs a name/);
  assert.match(faultOf(withGroup(1, { number: 2 })), /Two groups or regions have the number 2/);
});

test('a topology that can not be run is refused with all of its faults', () => {
  const bad = { ...withGroup(1, { members: [nodeId(1)] }), world: '!' };
  assert.throws(
    () => soundTopology(JSON.parse(JSON.stringify(bad)), stockFeatures),
    (cause: unknown) =>
      cause instanceof InvalidInputError &&
      /world "!"/.test(cause.message) &&
      /1 replicas/.test(cause.message),
  );
});

test('groups are read at their leaders and without leases, unless a topology says otherwise', () => {
  const parsed = (change: object): Topology['groups'][number] | undefined => {
    const small = smallTopology({ basePort: 7_400, gateways: 0 });
    const groups = [{ ...small.groups[0], ...change }];
    return parseTopology(JSON.parse(JSON.stringify({ ...small, groups }))).groups[0];
  };
  const usual = parsed({});
  assert.deepEqual([usual?.reads, usual?.leaseDriftPerMille], ['leader', 0]);
  const tuned = parsed({ reads: 'any', leaseDriftPerMille: 10 });
  assert.deepEqual([tuned?.reads, tuned?.leaseDriftPerMille], ['any', 10]);
  for (const wrong of [{ reads: 'nearest' }, { leaseDriftPerMille: 301 }, { leaseDriftPerMille: -1 }]) {
    assert.throws(() => parsed(wrong), InvalidInputError);
  }
});

test('a topology that does not say how far copies may trail has the default, and none is below two', () => {
  const { lagEntriesMax, ...silent } = seed;
  assert.equal(lagEntriesMax, 100);
  assert.deepEqual(parseTopology(silent), parseTopology(seed));
  assert.equal(parseTopology({ ...seed, lagEntriesMax: 2 }).lagEntriesMax, 2);
  for (const wrong of [1, 1_000_001, 2.5, '100', null]) {
    assert.throws(() => parseTopology({ ...seed, lagEntriesMax: wrong }), InvalidInputError);
  }
});
