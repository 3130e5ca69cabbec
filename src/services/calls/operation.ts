// What the supervisor asks of a node's groups on behalf of an operator.
//
// `host` sends it over the link to its child, `global-node.ts` does it where this node leads. Nothing is
// answered: whoever asks looks at the groups' status and asks again.
import { InvalidInputError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { VOTERS_MAX } from '../../protocols/raft/messages.ts';
import { integer, list, object, oneOf, type Schema, text } from '../../wire/schema.ts';

/**
 * `transfer` names one node, the one to lead; `reconfigure` names all who shall vote; `promote` names the
 * region as its group and the copy to be primary, `force` where the loss of what others hold is accepted.
 */
export interface Operation {
  readonly kind: 'transfer' | 'reconfigure' | 'promote' | 'force';
  readonly group: string;
  readonly nodes: readonly NodeId[];
}

const kind: Schema<Operation['kind']> = oneOf(['transfer', 'reconfigure', 'promote', 'force']);
const node = integer(1, 65_535) as Schema<NodeId>;
const operation: Schema<Operation> = object({
  kind,
  group: text(1, 32),
  nodes: list(node, VOTERS_MAX),
});

/** `undefined` for a message that is something else. */
export function readOperation(message: unknown): Operation | undefined {
  try {
    return operation.parse(message, 'operation');
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    return undefined;
  }
}

/** `region` empty: of all of them. */
export interface CheckpointWish {
  readonly kind: 'checkpoint';
  readonly region: string;
}

const checkpointWish: Schema<CheckpointWish> = object({
  kind: oneOf(['checkpoint'] as const),
  region: text(0, 32),
});

/** What `region-node.ts` does for an operator; `undefined` for a message that is something else. */
export function readCheckpointWish(message: unknown): CheckpointWish | undefined {
  try {
    return checkpointWish.parse(message, 'checkpoint');
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    return undefined;
  }
}
