// A studio's own features beside the stock ones: which may stand there, and in which logs they live.
//
// The simulator and the host place them with it, so that what was simulated is what runs.
import { InvalidInputError } from '../../base/errors.ts';
import { CALL_NAME_MAX } from '../../wire/player.ts';
import { stockFeatures } from '../../world/catalogue.ts';
import { EVENTS } from '../../world/events.ts';
import type { Feature, PromiseKind } from '../../world/feature.ts';
import type { GroupPlan, Topology } from './topology.ts';

/** The group that takes what is `linearizable`: the one of five. */
const HOME = 'economy';
/** As topologies have it. */
const NAME_MAX = 32;
/** Of gateways' own calls, and of the events that each log may keep. */
const NAMES_TAKEN: readonly string[] = ['account', 'position', EVENTS];

/** Throws `InvalidInputError` for features that could not stand beside the stock ones in any world. */
export function refuseUnsound(features: readonly Feature[]): void {
  if (features.length === 0) throw new InvalidInputError('the list of features is empty');
  const names = new Set<string>();
  for (const feature of features) {
    const { name, promise } = feature;
    refuseName(name);
    if (names.has(name)) throw new InvalidInputError(`two features are named "${name}"`);
    names.add(name);
    if (promise !== 'linearizable' && promise !== 'regional') {
      throw new InvalidInputError(
        `"${name}" promises ${promise}: only linearizable and regional features have a log`,
      );
    }
    refuseCalls(feature);
  }
}

/**
 * The topology with these features: what is `linearizable` in the group `economy`, what is `regional` in
 * every region, unless the topology names it itself. `validateTopology` tells whether that can be run.
 */
export function withOwnFeatures(topology: Topology, features: readonly Feature[]): Topology {
  const held = topology.groups.flatMap((group) => group.features);
  const further = (promise: PromiseKind, there: readonly string[]): readonly string[] =>
    features
      .filter((feature) => feature.promise === promise && !there.includes(feature.name))
      .map(({ name }) => name);
  const widened = (group: GroupPlan): GroupPlan => {
    if (group.name !== HOME) return group;
    return { ...group, features: [...group.features, ...further('linearizable', held)] };
  };
  return {
    ...topology,
    groups: topology.groups.map(widened),
    regions: topology.regions.map((region) => {
      return { ...region, features: [...region.features, ...further('regional', region.features)] };
    }),
  };
}

function refuseName(name: string): void {
  if (name.length === 0 || name.length > NAME_MAX) {
    throw new InvalidInputError(`"${name}" is no name of a feature: it needs 1 to ${NAME_MAX} characters`);
  }
  if (stockFeatures.some((stock) => stock.name === name)) {
    throw new InvalidInputError(`"${name}" is a feature of the stock world: give yours another name`);
  }
  if (NAMES_TAKEN.includes(name)) {
    throw new InvalidInputError(`"${name}" means something else in a world: give your feature another name`);
  }
}

function refuseCalls({ name: of, commands, queries }: Feature): void {
  for (const call of [...Object.keys(commands), ...Object.keys(queries)]) {
    const name = `${of}.${call}`;
    if (name.length > CALL_NAME_MAX) {
      throw new InvalidInputError(`"${name}" is longer than the ${CALL_NAME_MAX} characters of a call`);
    }
    if (Object.hasOwn(commands, call) && Object.hasOwn(queries, call)) {
      throw new InvalidInputError(`"${name}" is a command and a query: give one of them another name`);
    }
  }
}
