// What the kernel is told of faults on links.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { apart, kernelRules } from '../../src/chaos/kernel-network.ts';
import { HEALTHY } from '../../src/host/network.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { LinkFault } from '../../src/wire/link-faults.ts';

const topology = apart(seedTopology({ world: 'w' }));

/** The rules on the way from `global-1` to `global-2`. */
function rulesOf(fault: Partial<LinkFault>): readonly string[] {
  const link = { ...HEALTHY, ...fault, to: nodeId(2) };
  const rules = kernelRules(topology, new Map([['global-1', [link]]])).split('\n');
  return rules.filter((rule) => rule.includes('saddr'));
}

test('a cut is a rule for one direction between two addresses, and no other', () => {
  const way = 'ip saddr 127.0.1.1 ip daddr 127.0.1.2 meta l4proto tcp';
  assert.deepEqual(rulesOf({ cut: 'silent' }), [`${way} drop`]);
  assert.deepEqual(rulesOf({ cut: 'reset' }), [`${way} reject with tcp reset`]);
  assert.deepEqual(rulesOf({}), []);
});

test('a packet that is not lost is told for how long it is held back', () => {
  const [loss, mark] = rulesOf({ lossPerMille: 120, delayMs: 3, jitterMs: 9 });
  assert.match(loss ?? '', /numgen random mod 1000 < 120 drop$/);
  // The jitter is no longer than the delay: nothing arrives before it left.
  assert.match(mark ?? '', new RegExp(`meta mark set ${3 * 65_536 + 3}$`));
});

test('each load replaces the table of the one before', () => {
  const [first, second] = kernelRules(topology, new Map()).split('\n');
  assert.deepEqual([first, second], ['table ip bluemarble {}', 'delete table ip bluemarble']);
});
