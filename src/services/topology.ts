// The world's machines as data: which processes there are, which groups and regions they hold.
//
// `npm start` runs `seedTopology` on one machine; every node is given the same file. A topology whose
// promises cannot be kept is refused at start with a sentence that says what to change.
// Source: seed, "Recommended Topology".
import type { NodeId } from '../base/id.ts';

export interface NodePlan {
  readonly id: NodeId;
  readonly name: string;
  readonly kind: 'global' | 'region';
  readonly host: string;
  /** Links between nodes. */
  readonly peerPort: number;
  /** Players (`/v1/ws`) and operators (`/healthz`, `/readyz`, `/v1/status`). */
  readonly httpPort: number;
}

/** A replicated group: at least three members on different nodes, and the features it holds. */
export interface GroupPlan {
  /** On the wire and in the journal; never reused for another group. */
  readonly number: number;
  readonly name: string;
  readonly members: readonly NodeId[];
  /** In order of need: a feature comes after those it works on. */
  readonly features: readonly string[];
}

/** From the western meridian (included) eastward to the eastern one (excluded), pole to pole. */
export interface RegionPlan {
  readonly name: string;
  /** Units of 1e-7 degree. West may be greater than east: the region then crosses the antimeridian. */
  readonly westLon: number;
  readonly eastLon: number;
  readonly node: NodeId;
}

export interface Topology {
  readonly world: string;
  readonly nodes: readonly NodePlan[];
  readonly groups: readonly GroupPlan[];
  readonly regions: readonly RegionPlan[];
}
