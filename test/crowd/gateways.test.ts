import assert from 'node:assert/strict';
import test from 'node:test';
import { gatewaysOf } from '../../src/crowd/gateways.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import { smallTopology } from '../support/small-topology.ts';

const portsOf = (urls: readonly string[]): readonly number[] => urls.map((url) => Number(new URL(url).port));

test('without pure gateways the players of a region come through its own node', () => {
  const seed = seedTopology({ world: 'w', basePort: 7_400 });
  for (const number of [1, 2, 3]) {
    assert.deepEqual(portsOf(gatewaysOf(seed, 'eu', number)), [7_408, 7_406, 7_407, 7_409]);
  }
});

test('pure gateways and the own node share the players of a region in turn, the others stand by', () => {
  const topology = smallTopology({ basePort: 7_400, gateways: 2 });
  const [own, spare, west, gates] = [7_405, 7_406, 7_404, [7_407, 7_408]];
  assert.deepEqual(portsOf(gatewaysOf(topology, 'east', 3)), [own, ...gates, west, spare]);
  assert.deepEqual(portsOf(gatewaysOf(topology, 'east', 4)), [...gates, own, west, spare]);
  assert.equal(portsOf(gatewaysOf(topology, 'east', 5))[0], gates[1]);
});
