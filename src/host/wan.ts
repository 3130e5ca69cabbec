// The planet's real distances for a world on one machine: how long a frame travels between its regions.
//
// `bluemarble up --wan` lays them below all links. One-way, in milliseconds, as between large data centres
// of those regions (Virginia, Oregon, Frankfurt, Tokyo): half of the round trips that public measurements
// of cloud providers show, rounded. The global nodes are spread over the regions, each in one of them.
// Players' own way to their region is not in it: they are where their region is.
import { StartError } from '../adapters/node/start-error.ts';
import type { Topology } from '../services/topology.ts';
import { type DirectedFault, HEALTHY } from './network.ts';

const PLACES = ['na-east', 'na-west', 'eu', 'asia'] as const;
type Place = (typeof PLACES)[number];

/** Nodes of one place stand in one data centre. */
const SAME_PLACE_MS = 1;
const ONE_WAY_MS: readonly (readonly [Place, Place, number])[] = [
  ['na-east', 'na-west', 33],
  ['na-east', 'eu', 45],
  ['na-east', 'asia', 78],
  ['na-west', 'eu', 70],
  ['na-west', 'asia', 50],
  ['eu', 'asia', 115],
];
/** Of a hundred milliseconds, so many come and go. */
const JITTER_PERCENT = 3;

/** The delays of all links. Throws `StartError` for a world with regions that stand nowhere on Earth. */
export function wanDelays(topology: Topology): readonly DirectedFault[] {
  const places = placesOf(topology);
  return [...places].flatMap(([from, here]) =>
    [...places].flatMap(([to, there]) => {
      if (from === to) return [];
      const delayMs = oneWayMs(here, there);
      const jitterMs = Math.round((delayMs * JITTER_PERCENT) / 100);
      return [{ from, to, fault: { ...HEALTHY, delayMs, jitterMs } }];
    }),
  );
}

/** Where every node stands: region nodes in their region, global ones in turn. */
export function placesOf({ nodes }: Topology): ReadonlyMap<string, Place> {
  let turn = 0;
  return new Map(
    nodes.map(({ name, kind }) => {
      const place =
        kind === 'global' ? PLACES[turn++ % PLACES.length] : PLACES.find((each) => each === name);
      if (place !== undefined) return [name, place];
      throw new StartError(`--wan knows no place for the region node ${name}: leave --wan out.`);
    }),
  );
}

function oneWayMs(here: Place, there: Place): number {
  if (here === there) return SAME_PLACE_MS;
  const way = ONE_WAY_MS.find(([a, b]) => [a, b].includes(here) && [a, b].includes(there));
  return way?.[2] ?? SAME_PLACE_MS;
}
