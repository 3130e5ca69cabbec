// What the crowd's process and the one that started it say to each other.
//
// The crowd sends `stats` every second, of which some may be lost, and `result` once, as its last
// words. `host/up` sends `finish` when the world is about to stop.
import type { Comparison } from './ledger.ts';
import type { CallSummary } from './tally.ts';

export interface CrowdStats {
  readonly players: number;
  /** Players that stand in the world now. */
  readonly joined: number;
  /** Gifts and accepted offers that were acknowledged. */
  readonly trades: number;
  /** Messages that were said. */
  readonly said: number;
  /** Things that were made and collected. */
  readonly crafted: number;
  /** All calls together first. */
  readonly calls: readonly CallSummary[];
}

export interface CrowdResult {
  readonly stats: CrowdStats;
  /** Players whom the world did not let in, although there was time. */
  readonly absent: number;
  /** Players 1 to this number have accounts now. */
  readonly known: number;
  readonly comparison: Comparison;
}

export type FromCrowd =
  | { readonly kind: 'stats'; readonly stats: CrowdStats }
  | { readonly kind: 'result'; readonly result: CrowdResult };

export interface ToCrowd {
  readonly kind: 'finish';
}
