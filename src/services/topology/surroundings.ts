// What the log of a group or region holds, and where it stands among the world's others.
//
// The roles of nodes hand it to the state machines of the groups and regions that they hold. Out of the
// topology alone, so that it is the same on every copy.
import { invariant } from '../../base/errors.ts';
import type { Feature, Surroundings } from '../../world/feature.ts';
import type { Topology } from './topology.ts';

/** Of the group or region with this number. */
export function surroundingsOf(topology: Topology, number: number): Surroundings {
  const { groups, regions } = topology;
  const log = [...groups, ...regions].find((each) => each.number === number);
  invariant(log !== undefined, `log ${number} is in the topology`);
  return {
    number,
    name: log.name,
    otherRegions: regions.map((region) => region.number).filter((other) => other !== number),
    homeOf: (feature) => groups.find(({ features }) => features.includes(feature))?.number,
  };
}

/** The features that a validated topology names, in its order. */
export function featuresNamed(
  names: readonly string[],
  features: readonly Feature[],
): readonly Feature[] {
  return names.map((name) => {
    const feature = features.find((each) => each.name === name);
    invariant(feature !== undefined, `the validated topology holds no unknown feature (${name})`);
    return feature;
  });
}
