import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../../src/base/errors.ts';
import { refuseUnsound, withOwnFeatures } from '../../../src/services/topology/own-features.ts';
import { validateTopology } from '../../../src/services/topology/topology-rules.ts';
import { seedTopology, type Topology } from '../../../src/services/topology/topology.ts';
import { stockFeatures } from '../../../src/world/catalogue.ts';
import type { Command, Feature, Query } from '../../../src/world/feature.ts';
import { holdings } from '../../../src/world/features/holdings.ts';

const SEED = seedTopology({ world: 'mine' });
const [give] = Object.values(holdings.commands) as [Command];
const [balance] = Object.values(holdings.queries) as [Query];

function named(name: string, rest: Partial<Feature> = {}): Feature {
  const promise = 'linearizable';
  const none = { commands: {}, queries: {}, needs: [], version: 1 };
  const { create, advance, save, load } = holdings as Feature;
  return { name, promise, ...none, create, advance, save, load, ...rest };
}

const auction = named('auction', { needs: ['holdings'] });
const garden = named('garden', { promise: 'regional' });

function featuresIn({ groups, regions }: Topology, log: string): readonly string[] {
  return [...groups, ...regions].find(({ name }) => name === log)?.features ?? [];
}

test('what is linearizable lives in the economy, what is regional in every region', () => {
  const topology = withOwnFeatures(SEED, [garden, auction]);
  assert.deepEqual(featuresIn(topology, 'economy'), ['holdings', 'trade', 'auction']);
  for (const { features } of topology.regions) assert.deepEqual(features, ['chat', 'crafting', 'garden']);
  assert.deepEqual(topology.groups.filter(({ features }) => features.includes('auction')).length, 1);
  assert.deepEqual(validateTopology(topology, [...stockFeatures, garden, auction]), []);
});

test('features stay where a topology has them already', () => {
  const inGuild: Topology = {
    ...SEED,
    groups: SEED.groups.map((group) => {
      return group.name === 'guild' ? { ...group, features: [...group.features, 'mail'] } : group;
    }),
  };
  const topology = withOwnFeatures(inGuild, [named('mail'), auction, garden]);
  assert.deepEqual(featuresIn(topology, 'guild'), ['names', 'mail']);
  assert.deepEqual(featuresIn(topology, 'economy'), ['holdings', 'trade', 'auction']);
  assert.deepEqual(withOwnFeatures(topology, [named('mail'), auction, garden]), topology);
});

const unsound: readonly (readonly [features: readonly Feature[], sentence: RegExp])[] = [
  [[], /the list of features is empty/],
  [[named('')], /"" is no name of a feature/],
  [[named('a'.repeat(33))], /needs 1 to 32 characters/],
  [[named('trade')], /"trade" is a feature of the stock world/],
  [[named('position')], /"position" means something else in a world/],
  [[named('events')], /"events" means something else in a world/],
  [[auction, garden, auction], /two features are named "auction"/],
  [[named('mist', { promise: 'ephemeral' })], /"mist" promises ephemeral/],
  [[named('a', { commands: { ['b'.repeat(63)]: give } })], /longer than the 64 characters/],
  [[named('a', { commands: { b: give }, queries: { b: balance } })], /"a\.b" is a command and a query/],
];

for (const [features, sentence] of unsound) {
  test(`features that no world could have are refused: ${sentence.source}`, () => {
    assert.throws(() => refuseUnsound(features), (error) => {
      assert.ok(error instanceof InvalidInputError);
      assert.match(error.message, sentence);
      return true;
    });
  });
}
