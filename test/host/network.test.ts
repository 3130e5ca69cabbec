// Partitions as operators write them, and the faults that nodes are told of.
import assert from 'node:assert/strict';
import test from 'node:test';
import { between, HEALTHY, Network, oneWay } from '../../src/host/network.ts';
import { parsePartition } from '../../src/host/partition.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { smallTopology } from '../support/small-topology.ts';
import { placesOf, wanDelays } from '../../src/host/wan.ts';
import type { LinkFaults } from '../../src/wire/link-faults.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

const SILENT = { ...HEALTHY, cut: 'silent' } as const;

function view(): WorldView {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf({ economy: { leader: 2, term: 7 } }), undefined, around);
}

function waysOf(text: string): readonly string[] {
  const cut = parsePartition(view(), text, SILENT);
  assert.ok(cut.kind === 'cut', text);
  return cut.links.map(({ from, to }) => `${from} ${to}`).sort();
}

function told(base: ConstructorParameters<typeof Network>[0]['base'] = []): {
  readonly network: Network;
  readonly latest: Map<string, LinkFaults['links']>;
} {
  const latest = new Map<string, LinkFaults['links']>();
  const network = new Network({ topology, base, tell: (node, { links }) => latest.set(node, links) });
  return { network, latest };
}

test('sides are cut in both directions, and a node on no side is not', () => {
  assert.deepEqual(waysOf('global-1, global-2 / eu'), [
    'eu global-1',
    'eu global-2',
    'global-1 eu',
    'global-2 eu',
  ]);
});

test('an arrow cuts one direction only', () => {
  assert.deepEqual(waysOf('leader:economy > global-1'), ['global-2 global-1']);
});

test('the rest is every node that no side names, and more than two sides are possible', () => {
  assert.equal(waysOf('global-1 / rest').length, 2 * 8);
  assert.equal(waysOf('global-1 / eu / asia').length, 6);
});

test('what is no partition is refused with a sentence', () => {
  const wrong = [
    '',
    'global-1',
    'global-1 / mars',
    'global-1 / global-1,eu',
    'rest / rest',
    'a > b > c',
    'global-1 > eu / asia',
    'all / rest',
    'global-1 /',
    `global-1 / ${'x'.repeat(2_000)}`,
  ];
  for (const text of wrong) {
    const cut = parsePartition(view(), text, SILENT);
    assert.equal(cut.kind === 'unknown' && cut.sentence.endsWith('.'), true, text);
  }
});

test('each node is told what befalls its own frames, and told again when it is over', () => {
  const { network, latest } = told();
  network.lay('cut', oneWay(['global-1'], ['global-2'], SILENT));
  assert.deepEqual([...latest.keys()], ['global-1']);
  assert.deepEqual(latest.get('global-1'), [{ to: 2, ...SILENT }]);
  assert.deepEqual(network.toldAtStart('global-1')?.links, latest.get('global-1'));
  assert.equal(network.toldAtStart('global-2'), undefined);
  network.lift('cut');
  assert.deepEqual(latest.get('global-1'), []);
  assert.deepEqual(network.faults, []);
});

test('faults on one link add up, and healing takes all of them off', () => {
  const { network, latest } = told();
  const slow = { ...HEALTHY, delayMs: 50, lossPerMille: 500 };
  network.lay('one', oneWay(['global-1'], ['eu'], slow));
  network.lay('two', between([['global-1'], ['eu']], { ...slow, jitterMs: 5 }));
  assert.deepEqual(latest.get('global-1'), [
    { to: 8, cut: 'no', delayMs: 100, jitterMs: 5, lossPerMille: 750 },
  ]);
  assert.deepEqual(network.heal(), ['one', 'two']);
  assert.deepEqual([latest.get('global-1'), latest.get('eu')], [[], []]);
});

test('a fault beyond the most is refused, and one that is renewed is not', () => {
  const { network } = told();
  const links = oneWay(['eu'], ['asia'], SILENT);
  for (let i = 0; i < 16; i++) assert.ok(network.lay(`fault ${i}`, links));
  assert.equal(network.lay('another', links), false);
  assert.ok(network.lay('fault 3', links));
});

test('the distances of the planet stay when faults are healed', () => {
  const { network, latest } = told(wanDelays(topology));
  network.lay('cut', oneWay(['eu'], ['asia'], SILENT));
  network.heal();
  assert.equal(latest.get('eu')?.find(({ to }) => to === 9)?.delayMs, 115);
  assert.equal(latest.get('eu')?.length, topology.nodes.length - 1);
  assert.deepEqual(network.faults, []);
});

test('region nodes stand where their region is, and gateways without one in turn', () => {
  const seed = placesOf(topology);
  for (const { name } of topology.regions) assert.equal(seed.get(name), name);
  const small = placesOf(smallTopology({ basePort: 7_400, gateways: 1 }));
  const nodes = ['west', 'east', 'spare'].map((name) => small.get(name));
  assert.deepEqual(nodes, ['na-east', 'asia', 'na-east']);
  assert.equal(small.get('gate-1'), 'asia');
});

test('global nodes are spread over the regions, and a link is as long in both directions', () => {
  const places = placesOf(topology);
  const spread = ['global-1', 'global-2', 'global-3', 'global-4'].map((name) => places.get(name));
  assert.equal(new Set(spread).size, 4);
  const ways = wanDelays(topology);
  const delays = new Map(ways.map(({ from, to, fault }) => [`${from} ${to}`, fault.delayMs]));
  for (const [way, delayMs] of delays) {
    assert.equal(delays.get(way.split(' ').reverse().join(' ')), delayMs, way);
    assert.ok(delayMs >= 1);
  }
});
