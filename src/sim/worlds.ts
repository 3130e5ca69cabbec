// The world under test: which features, in which groups, and what players do in it.
//
// The stock world in the seed's topology, one five-member group of it for benchmarks, or a studio's own
// features in a group of five.
import { nodeId } from '../base/id.ts';
import { type GroupPlan, seedTopology, type Topology } from '../services/topology.ts';
import type { Schema } from '../wire/schema.ts';
import { stockFeatures } from '../world/catalogue.ts';
import type { Caller, Feature } from '../world/feature.ts';
import { type DrawDeed, drawStockDeed } from './deeds.ts';

export interface WorldUnderTest {
  readonly topology: Topology;
  readonly features: readonly Feature[];
  readonly drawDeed: DrawDeed;
}

/** What a call needs to be asked. */
export interface CallPlan {
  readonly name: string;
  readonly group: number;
  readonly mode: 'command' | 'query';
  readonly by: Caller;
  readonly args: Schema<unknown>;
  readonly value: Schema<unknown>;
}

const SEED: Topology = seedTopology({ world: 'simulated' });

/** The stock world, all three groups. */
export const stockWorld: WorldUnderTest = {
  topology: SEED,
  features: stockFeatures,
  drawDeed: drawStockDeed,
};

/**
 * A studio's features beside the stock ones, in the economy's group of five. `drawDeed` says what its
 * players do; without it they play the stock world, and the features only keep still.
 */
export function worldOf(features: readonly Feature[], drawDeed?: DrawDeed): WorldUnderTest {
  const own = features.filter(({ name }) => !stockFeatures.some((stock) => stock.name === name));
  const names = own.map(({ name }) => name);
  const widened = (group: GroupPlan): GroupPlan =>
    group.name === 'economy' ? { ...group, features: [...group.features, ...names] } : group;
  return {
    topology: { ...SEED, groups: SEED.groups.map(widened) },
    features: [...stockFeatures, ...own],
    drawDeed: drawDeed ?? drawStockDeed,
  };
}

/** One group of five with everything in it. */
export const fiveReplicas: WorldUnderTest = {
  ...stockWorld,
  topology: {
    ...SEED,
    groups: [
      {
        number: 1,
        name: 'all',
        members: [1, 2, 3, 4, 5].map(nodeId),
        features: stockFeatures.map(({ name }) => name),
      },
    ],
  },
};

/** Every global node holds every group; who votes in it is who founded it, until that is changed. */
export function heldEverywhere(topology: Topology): Topology {
  const globals = topology.nodes.filter(({ kind }) => kind === 'global').map(({ id }) => id);
  const widened = (group: GroupPlan): GroupPlan => {
    return { ...group, founders: group.founders ?? group.members, members: globals };
  };
  return { ...topology, groups: topology.groups.map(widened) };
}

/** Every call of a world, by name. */
export function callsOf({ topology, features }: WorldUnderTest): ReadonlyMap<string, CallPlan> {
  const calls = new Map<string, CallPlan>();
  for (const feature of features) {
    const home = topology.groups.find((group) => group.features.includes(feature.name));
    if (home === undefined) continue;
    for (const mode of ['command', 'query'] as const) {
      const described = mode === 'command' ? feature.commands : feature.queries;
      for (const [call, { by, args, value }] of Object.entries(described)) {
        const name = `${feature.name}.${call}`;
        calls.set(name, { name, group: home.number, mode, by, args, value });
      }
    }
  }
  return calls;
}
