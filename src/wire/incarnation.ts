// What nodes know of each other's data folders: which one each id was first met with.
//
// `services/incarnations` decides on it, the handshake between nodes carries a node's own, and one message
// between nodes carries what else is known. The same description reads the file in which a node keeps it.
import type { NodeId } from '../base/id.ts';
import { boolean, integer, list, object, type Schema, text } from './schema.ts';

export const INCARNATION_BYTES = 16;
const NODES_MAX = 64;

/** A data folder, from its first start until it is lost: a random word that is written at its birth. */
export interface Claim {
  /** In hexadecimal. */
  readonly incarnation: string;
  /** Enough other nodes have written it down: no other folder can ever be settled under the same id. */
  readonly isSettled: boolean;
}

export interface KnownNode extends Claim {
  readonly node: NodeId;
}

export const knownNodes: Schema<readonly KnownNode[]> = list(
  object({
    node: integer(1, 65_535) as Schema<NodeId>,
    incarnation: text(2 * INCARNATION_BYTES, 2 * INCARNATION_BYTES, /^[0-9a-f]+$/, 'must be hexadecimal'),
    isSettled: boolean(),
  }),
  NODES_MAX,
);
