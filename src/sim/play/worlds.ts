// The world under test: which features, in which groups, and what players do in it.
//
// The stock world in the seed's topology, one five-member group of it for benchmarks, or a studio's own
// features beside the stock ones.
import { InvalidInputError } from '../../base/errors.ts';
import { nodeId } from '../../base/id.ts';
import { refuseUnsound, withOwnFeatures } from '../../services/topology/own-features.ts';
import { type GroupPlan, seedTopology, type Topology } from '../../services/topology/topology.ts';
import { validateTopology } from '../../services/topology/topology-rules.ts';
import { stockFeatures } from '../../world/catalogue.ts';
import type { DrawDeed } from '../../world/deed.ts';
import type { Feature } from '../../world/feature.ts';
import { quickened } from './craft-deeds.ts';
import { drawStockDeed } from './deeds.ts';

export interface WorldUnderTest {
  readonly topology: Topology;
  readonly features: readonly Feature[];
  readonly drawDeed: DrawDeed;
  /** A studio's features that players can ask something of. */
  readonly asked: readonly string[];
}

const SEED: Topology = seedTopology({ world: 'simulated' });
const FEATURES: readonly Feature[] = stockFeatures.map(quickened);

/** The stock world, all three groups. */
export const stockWorld: WorldUnderTest = {
  topology: SEED,
  features: FEATURES,
  drawDeed: drawStockDeed,
  asked: [],
};

/**
 * A studio's features beside the stock ones, where worlds of processes have them too. `drawDeed` says what
 * its players do. Throws `InvalidInputError` for features that could not be simulated, since a run without
 * them would keep every promise.
 */
export function worldOf(features: readonly Feature[], drawDeed: DrawDeed): WorldUnderTest {
  refuseUnsound(features);
  const topology = withOwnFeatures(SEED, features);
  const all = [...FEATURES, ...features];
  const faults = validateTopology(topology, all);
  if (faults.length > 0) throw new InvalidInputError(faults.join(' '));
  const asked = features.filter(isAsked).map(({ name }) => name);
  return { topology, features: all, drawDeed, asked };
}

function isAsked({ commands, queries }: Feature): boolean {
  return [...Object.values(commands), ...Object.values(queries)].some(({ by }) => by === 'player');
}

/** One group of five with everything in it. */
export const fiveReplicas: WorldUnderTest = {
  ...stockWorld,
  topology: {
    ...SEED,
    regions: [],
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
