// What a simulated player meets: the calls of the world, the others, and the way to the gateways.
//
// `workload.ts` is one; `client.ts` plays on it.
import type { Random } from '../base/random.ts';
import type { DrawDeed, Known } from './deeds.ts';
import type { Call, Truth } from './truth.ts';
import type { CallPlan } from './worlds.ts';

/** How an ask ended: an answer of the group, or what a link or a dead gateway left. */
export type Ended =
  | { readonly kind: 'answered'; readonly reply: Uint8Array }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }
  | { readonly kind: 'uncertain' }
  | { readonly kind: 'not-asked' };

export interface Stage {
  readonly calls: ReadonlyMap<string, CallPlan>;
  readonly known: Known;
  readonly truth: Truth;
  readonly drawDeed: DrawDeed;
  readonly thinkMsMax: number;
  /** Players finish what they are at, and rest. */
  readonly isOver: boolean;
  after(ms: number, then: () => void): void;
  anyGateway(random: Random): number;
  newCall(
    plan: CallPlan,
    body: Uint8Array,
    id: { readonly session: number; readonly number: number },
  ): Call;
  /** `settle` is called once, after the answer has travelled back. */
  ask(gateway: number, call: Call, settle: (ended: Ended) => void): void;
}
