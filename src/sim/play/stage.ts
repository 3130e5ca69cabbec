// What a simulated player meets: the calls of the world, the others, and the way to the gateways.
//
// `workload.ts` is one; `client.ts` plays on it.
import type { Random } from '../../base/random.ts';
import type { GroupCall } from '../../services/calls/group-calls.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import type { Reply } from '../../wire/command.ts';
import type { DrawDeed, Known } from '../../world/deed.ts';
import type { Asking } from '../checks/region-truth.ts';
import type { Call, RegionalPart, Truth } from '../checks/truth.ts';

/** How an ask ended: an answer of the group, or what a link or a dead gateway left. */
export type Ended =
  | { readonly kind: 'answered'; readonly reply: Uint8Array; readonly regional?: RegionalAnswer }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'uncertain' }
  | { readonly kind: 'not-asked' };

/** Where a region answered, and what was asked. */
export interface RegionalAnswer extends Asking {
  readonly epoch: number;
}

export interface Stage {
  readonly calls: ReadonlyMap<string, GroupCall>;
  readonly known: Known;
  readonly truth: Truth;
  readonly drawDeed: DrawDeed;
  readonly thinkMsMax: number;
  /** Players finish what they are at, and rest. */
  readonly isOver: boolean;
  after(ms: number, then: () => void): void;
  anyGateway(random: Random): number;
  newCall(
    plan: GroupCall,
    body: Uint8Array,
    id: { readonly session: number; readonly number: number },
    region?: { readonly group: number } & RegionalPart,
  ): Call;
  /** The regions that live; none where they are not simulated. */
  readonly regions: readonly RegionPlan[];
  /** Judges a decided answer, and returns it decoded. */
  answered(call: Call, ended: Extract<Ended, { kind: 'answered' }>): Reply;
  /** The client gives up a call of which every ask was refused. */
  neverHappens(call: Call): void;
  /** `settle` is called once, after the answer has travelled back. */
  ask(gateway: number, call: Call, settle: (ended: Ended) => void): void;
}
