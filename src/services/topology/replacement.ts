// A world's topology after a node was replaced for good: a new identity at the same place.
//
// `host/replacing` writes it down. Ids only grow: whoever comes back with the retired id and its old or
// empty disk is turned away at the handshake, since a member that forgot what it promised could make a
// group forget it too. Founders stay on record: a node that starts with an empty log must not take
// today's members for the first ones.
import { invariant } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import type { Topology } from './topology.ts';

/** `id` must be a node of this topology. Returns the new topology and the id in it. */
export function replaceNode(
  topology: Topology,
  id: NodeId,
): { readonly topology: Topology; readonly id: NodeId } {
  const retired = [...(topology.retired ?? []), id];
  invariant(
    topology.nodes.some((node) => node.id === id),
    `node ${id} is in the topology`,
  );
  const fresh = nodeId(Math.max(...retired, ...topology.nodes.map((node) => node.id)) + 1);
  const exchanged = (node: NodeId): NodeId => (node === id ? fresh : node);
  return {
    id: fresh,
    topology: {
      ...topology,
      nodes: topology.nodes.map((node) => ({ ...node, id: exchanged(node.id) })),
      groups: topology.groups.map((group) => {
        if (!group.members.includes(id)) return group;
        const founders = group.founders ?? group.members;
        return { ...group, members: group.members.map(exchanged), founders };
      }),
      regions: topology.regions.map((region) => ({
        ...region,
        copies: region.copies.map(exchanged),
      })),
      retired,
    },
  };
}
