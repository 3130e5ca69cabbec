// Which gateway a test player comes through, and to which he goes when it is gone.
//
// `crowd` asks for each player. Any gateway serves any region; the region's own node is the nearest, and pure
// gateways, which hold no region's copy, are there to take players off such nodes.
import type { NodePlan, Topology } from '../services/topology/topology.ts';

/** All gateways' addresses: first those that share the region's players, in turn by their number. */
export function gatewaysOf(topology: Topology, region: string, number: number): readonly string[] {
  const { nodes, regions } = topology;
  const own = regions.find(({ name }) => name === region)?.copies[0];
  const isShared = ({ id }: NodePlan): boolean =>
    id === own || regions.every(({ copies }) => !copies.includes(id));
  const gateways = nodes.filter(({ kind }) => kind === 'region');
  const shared = gateways.filter(isShared);
  const turn = number % Math.max(1, shared.length);
  const inTurn = [...shared.slice(turn), ...shared.slice(0, turn)];
  const others = gateways.filter((node) => !isShared(node));
  return [...inTurn, ...others].map(({ host, httpPort }) => `ws://${host}:${httpPort}/v1/ws`);
}
