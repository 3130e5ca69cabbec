// A small world of one's own: three global nodes, two regions on three region nodes, and pure gateways.
import { nodeId } from '../../src/base/id.ts';
import type { GroupPlan, NodePlan, RegionPlan, Topology } from '../../src/services/topology/topology.ts';

const DEGREE = 10_000_000;

/** Nodes by their names: `global-1` to `global-3`, `west`, `east`, `spare`, then `gate-1` and so on. */
export function smallTopology(o: { readonly basePort: number; readonly gateways: number }): Topology {
  const node = (id: number, name: string, kind: NodePlan['kind']): NodePlan => ({
    id: nodeId(id),
    name,
    kind,
    host: '127.0.0.1',
    peerPort: o.basePort + 50 + id,
    httpPort: o.basePort + id,
  });
  const group = (number: number, name: string, features: readonly string[]): GroupPlan => {
    return { number, name, members: [1, 2, 3].map(nodeId), features };
  };
  const region = (
    number: number,
    name: string,
    [west, east]: readonly [number, number],
    copies: readonly number[],
  ): RegionPlan => ({
    number,
    name,
    westLon: west * DEGREE,
    eastLon: east * DEGREE,
    copies: copies.map(nodeId),
    features: ['chat', 'crafting'],
  });
  return {
    world: 'small',
    nodes: [
      ...[1, 2, 3].map((id) => node(id, `global-${id}`, 'global')),
      ...['west', 'east', 'spare'].map((name, place) => node(4 + place, name, 'region')),
      ...Array.from({ length: o.gateways }, (_, place) => node(7 + place, `gate-${place + 1}`, 'region')),
    ],
    groups: [
      group(1, 'auth', ['accounts']),
      group(2, 'economy', ['holdings', 'trade']),
      group(3, 'guild', ['names']),
      group(4, 'world', ['placement']),
    ],
    regions: [region(101, 'west', [-180, 0], [4, 5, 6]), region(102, 'east', [0, 180], [5, 6, 4])],
  };
}
