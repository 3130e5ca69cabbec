// The package's public face: what a studio needs to describe a world and to run a node of it.
//
// Nobody inside imports it. Players' clients have their own face, `bluemarble/client`.
export type { Outcome } from './base/errors.ts';
export { InvalidInputError } from './base/errors.ts';
export type { NodeId } from './base/id.ts';
export type { NodeDoors, NodeSetting, Storage } from './services/node-role.ts';
export { startWorldNode, type WorldNode } from './services/node.ts';
export { soundTopology, validateTopology } from './services/topology/topology-rules.ts';
export {
  type GroupPlan,
  type NodePlan,
  parseTopology,
  type RegionPlan,
  seedTopology,
  type Topology,
} from './services/topology/topology.ts';
export type { NodeStatus } from './wire/status.ts';
export { stockFeatures } from './world/catalogue.ts';
export type { Feature } from './world/feature.ts';
