import assert from 'node:assert/strict';
import test from 'node:test';
import {
  describeStrike,
  drawSchedule,
  NEMESES,
  type NemesisName,
  REGION_NEMESES,
  type Strike,
} from '../../src/chaos/schedule.ts';
import { parsePartition } from '../../src/host/partition.ts';
import { nameOf, viewOf, type WorldView } from '../../src/host/view.ts';
import { factsOf, founded, sampleOf, topology } from '../support/world-views.ts';

const globals = topology.nodes.filter(({ kind }) => kind === 'global').map(({ name }) => name);
const gateways = topology.nodes.filter(({ kind }) => kind === 'region').map(({ name }) => name);
const regions = topology.regions.map(({ name, copies }) => ({
  name,
  copies: copies.map((id) => nameOf(topology, id)),
}));
const groups = topology.groups.map(({ name, members }) => ({
  name,
  members: members.map((id) => nameOf(topology, id)),
}));

function draw(seed: number, nemeses: readonly NemesisName[] = NEMESES, forMs = 120_000): readonly Strike[] {
  return drawSchedule({ seed, forMs, nemeses, globals, gateways, regions, groups });
}

function view(): WorldView {
  const led = groups.map(({ name }, place) => [name, { leader: place + 1, term: 1 }] as const);
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf(Object.fromEntries(led), { placement: founded() }), undefined, around);
}

test('the same seed draws the same faults, and another seed others', () => {
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('faults come in order, last a while and end within the span', () => {
  for (let seed = 0; seed < 50; seed++) {
    const strikes = draw(seed, NEMESES, 30_000);
    assert.ok(strikes.length > 3);
    strikes.forEach(({ atMs, forMs }, place) => {
      assert.ok(forMs >= 500 && atMs + forMs <= 30_000);
      assert.ok(atMs > (strikes[place - 1]?.atMs ?? 0));
    });
  }
});

test('only the nemeses that were asked for come, and each of them does', () => {
  const wanted: readonly NemesisName[] = ['kill', 'ring'];
  const drawn = new Set(draw(1, wanted).map(({ nemesis }) => nemesis));
  assert.deepEqual([...drawn].sort(), ['kill', 'ring']);
  const all = new Set([1, 2, 3, 4, 5, 6].flatMap((seed) => draw(seed).map(({ nemesis }) => nemesis)));
  assert.deepEqual([...all].sort(), [...NEMESES].sort());
});

test('what befalls regions lasts long enough for a successor, now and then', () => {
  const strikes = [1, 2, 3].flatMap((seed) => draw(seed, REGION_NEMESES));
  assert.ok(strikes.some(({ forMs }) => forMs > 6_000));
  const cuts = strikes.flatMap(({ deed }) => (deed.kind === 'links' ? deed.cuts : []));
  assert.ok(cuts.some((cut) => /^primary:\w[\w-]* > replicas:/.test(cut)));
  assert.ok(cuts.some((cut) => /^global-1,.* > primary:/.test(cut)));
});

test('a primary that shall lose its tail is cut off from its replicas, and killed while it is', () => {
  const [cut, ...later] = draw(5, ['lose-tail']);
  assert.ok(cut?.deed.kind === 'links');
  const [primary = '', replicas] = cut.deed.cuts.flatMap((sides) => sides.split(' / '));
  assert.equal(replicas, primary.replace('primary', 'replicas'));
  const kill = later.find(({ deed }) => deed.kind === 'process' && deed.nodes.includes(primary));
  assert.ok(kill !== undefined);
  assert.ok(kill.atMs > cut.atMs && kill.atMs < cut.atMs + cut.forMs);
});

test('region nodes are victims of what may befall any node', () => {
  const deeds = [1, 2, 3].flatMap((seed) => draw(seed, ['kill', 'slow-disk'])).map(({ deed }) => deed);
  const victims = new Set(deeds.flatMap((deed) => (deed.kind === 'links' ? [] : deed.nodes)));
  for (const victim of ['leader:economy', 'primary:eu', 'replica:asia', 'global-3']) {
    assert.ok(victims.has(victim), victim);
  }
});

test('fewer voters are still three, of a group that more hold', () => {
  for (const { deed } of draw(4, ['fewer-voters'])) {
    assert.ok(deed.kind === 'change' && deed.operation === 'reconfigure');
    const group = groups.find(({ name }) => name === deed.of);
    assert.ok(group !== undefined && group.members.length > 3, deed.of);
    assert.equal(new Set(deed.nodes).size, 3);
    assert.ok(deed.nodes.every((node) => group.members.includes(node)));
  }
});

test('leadership of groups and regions is handed to members and copies of theirs', () => {
  const deeds = [1, 2].flatMap((seed) => draw(seed, ['hand-over'])).map(({ deed }) => deed);
  const held = new Map([
    ...groups.map(({ name, members }) => [name, members] as const),
    ...regions.map(({ name, copies }) => [name, copies] as const),
  ]);
  const kinds = new Set<string>();
  for (const deed of deeds) {
    assert.ok(deed.kind === 'change' && deed.nodes.length === 1);
    assert.ok(deed.nodes.every((node) => held.get(deed.of)?.includes(node)));
    kinds.add(deed.operation);
  }
  assert.deepEqual([...kinds].sort(), ['promote', 'transfer']);
});

test('a span too short for any fault has none', () => {
  assert.deepEqual(draw(1, NEMESES, 1_200), []);
});

test('every cut that is drawn is one that an operator could ask for', () => {
  const now = view();
  for (let seed = 0; seed < 20; seed++) {
    for (const strike of draw(seed)) {
      assert.match(describeStrike(strike), /^ +\d+\.\d s +\d+\.\d s {2}\S/);
      if (strike.deed.kind !== 'links') continue;
      for (const cut of strike.deed.cuts) {
        const parsed = parsePartition(now, cut, strike.deed.fault);
        assert.equal(parsed.kind, 'cut', cut);
        assert.ok(parsed.kind === 'cut' && parsed.links.length > 0, cut);
      }
    }
  }
});

test('in a ring every node keeps exactly its two neighbours', () => {
  const now = view();
  const [ring] = draw(3, ['ring']);
  assert.ok(ring?.deed.kind === 'links');
  const cut = ring.deed.cuts.flatMap((text) => {
    const parsed = parsePartition(now, text, ring.deed.kind === 'links' ? ring.deed.fault : never());
    return parsed.kind === 'cut' ? parsed.links : [];
  });
  for (const node of globals) {
    assert.equal(cut.filter(({ from }) => from === node).length, globals.length - 3, node);
  }
});

test('in a bridge one node reaches everybody', () => {
  const [bridge] = draw(3, ['bridge']);
  assert.ok(bridge?.deed.kind === 'links');
  const named = bridge.deed.cuts.join().split(/[ ,/]+/).filter((word) => word !== '');
  assert.equal(new Set(named).size, globals.length - 1);
});

function never(): never {
  throw new Error('it is one of links');
}
