// The planet's real distances for a world on one machine: how long a frame travels between its regions.
//
// `bluemarble up --wan` lays them below all links. One-way, in milliseconds, as between large data centres
// of those regions (Virginia, Oregon, Frankfurt, Tokyo): half of the round trips that public measurements
// of cloud providers show, rounded. A region node stands in the centre that is nearest to its region, by
// longitude; nodes without a region, the global ones and pure gateways, are spread over the centres.
// Players' own way to their region is not in it: they are where their region is.
import { LON_TURN, normalLon } from '../base/earth.ts';
import type { RegionPlan, Topology } from '../services/topology/topology.ts';
import { type DirectedFault, HEALTHY } from './network.ts';

const PLACES = ['na-east', 'na-west', 'eu', 'asia'] as const;
type Place = (typeof PLACES)[number];
/** Longitudes of the data centres, in units of 1e-7 degree. */
const LONGITUDES: Readonly<Record<Place, number>> = {
  'na-east': -775_000_000,
  'na-west': -1_212_000_000,
  eu: 87_000_000,
  asia: 1_397_000_000,
};

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

/** The delays of all links. */
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

/** Where every node stands. */
export function placesOf({ nodes, regions }: Topology): ReadonlyMap<string, Place> {
  let turn = 0;
  return new Map(
    nodes.map(({ id, name }) => {
      const own = regions.find(({ copies }) => copies[0] === id);
      const region = own ?? regions.find(({ copies }) => copies.includes(id));
      const inTurn = (): Place => PLACES[turn++ % PLACES.length] ?? 'na-east';
      return [name, region === undefined ? inTurn() : placeOf(region)];
    }),
  );
}

/** The place that is nearest to the middle of the region. */
function placeOf({ westLon, eastLon }: RegionPlan): Place {
  const width = normalLon(eastLon - westLon);
  const middle = westLon + (width > 0 ? width : width + LON_TURN) / 2;
  const away = (place: Place): number => Math.abs(normalLon(LONGITUDES[place] - middle));
  return PLACES.reduce((nearest, place) => (away(place) < away(nearest) ? place : nearest));
}

function oneWayMs(here: Place, there: Place): number {
  if (here === there) return SAME_PLACE_MS;
  const way = ONE_WAY_MS.find(([a, b]) => [a, b].includes(here) && [a, b].includes(there));
  return way?.[2] ?? SAME_PLACE_MS;
}
