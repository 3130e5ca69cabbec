// Faults that an operator lays on the links between nodes: described once, for both who asks and who obeys.
//
// `host/network` composes them and tells each node by the link to its supervisor; the fault gate of the
// peer adapter obeys. No other node and no player can send them.
import type { NodeId } from '../base/id.ts';
import { integer, list, object, oneOf, type Schema } from './schema.ts';

/** The longest that a frame may be held back: beyond it a link is as good as cut. */
export const DELAY_MS_MAX = 10_000;
/** Loss is counted in thousandths of all frames. */
export const LOSS_MAX = 1_000;
const LINKS_MAX = 64;

/**
 * What befalls the frames on one link in one direction.
 *
 * - `cut: 'silent'`: they vanish, as behind a firewall that drops. The connection stands until one end gives
 *   it up as silent; no new one comes up in either direction meanwhile.
 * - `cut: 'reset'`: the connection breaks, and none comes up.
 */
export interface LinkFault {
  readonly cut: 'no' | 'silent' | 'reset';
  readonly delayMs: number;
  /** The delay is longer or shorter by up to this, at random. */
  readonly jitterMs: number;
  /** How many of a thousand frames vanish. */
  readonly lossPerMille: number;
}

export interface FaultyLink extends LinkFault {
  readonly to: NodeId;
}

/** What a supervisor tells a node: from now on these links are faulty, and no others. */
export interface LinkFaults {
  readonly kind: 'link-faults';
  readonly links: readonly FaultyLink[];
}

const lossPerMille = integer(0, LOSS_MAX);
const delayMs = integer(0, DELAY_MS_MAX);
const kind: Schema<LinkFaults['kind']> = oneOf(['link-faults']);
const node = integer(1, 65_535) as Schema<NodeId>;
const cut: Schema<LinkFault['cut']> = oneOf(['no', 'silent', 'reset']);

const fault = { cut, delayMs, jitterMs: delayMs, lossPerMille };

export const linkFault: Schema<LinkFault> = object(fault);
export const linkFaults: Schema<LinkFaults> = object({
  kind,
  links: list(object({ to: node, ...fault }), LINKS_MAX),
});
