// The first broken promise of a run: which invariant, at whom, in words.
//
// Every checker of a run reports to the same `Verdicts`; `run.ts` stops when there is one.

/**
 * - `ES` one leader per term, by a majority of votes; `OWN` it commits by counting only entries of its
 *   own term; `MV` one durable vote per term, before anybody hears of it.
 * - `CFG` members change in single steps, each after the one before it is committed.
 * - `LM` log matching; `LC` leader completeness; `CI` what is committed never changes.
 * - `CQ` what is called held or committed is on the disks that it is said to be on.
 * - `SMS` same index, same command, reply and state everywhere; `EO` applied at most once.
 * - `MT` `MC` `MA` term, commit and applied index never go back; `ORD` snapshot, applied, commit, last
 *   in order; `TIME` the log's time never runs backwards; `BND` bounded queues and files.
 * - `GOLD` gold and items as minted; `TRUTH` what clients were told; `LIN` what they read and when.
 * - `STALE` a primary serves in an epoch after a later one has; `BOUND` a read is older than it may be;
 *   `TAIL` what a promotion lost was not set aside; `EFFECT` what is not committed has left a region;
 *   `EVENT` events are lost, doubled or out of order; `HOP` an ask is handed on twice.
 * - `RARE` a rare item is claimed twice, or made twice or of no claim.
 * - `STAY` a player is had by a region under what his gateway did not give it, under less than before, or
 *   after the end of it; or is let go before another one has him. `SPEED` he is had where he can not have
 *   gone since he last leapt, or is put back as too fast and was not, where nothing is wrong.
 * - `DIE` a process ends for no reason that the faults give; `FORGET` a start that lost memory.
 * - `LEAD` `SERVE` `CHANGE` `CONVERGE` `CALM`: liveness once faults have ended, or in spite of those allowed.
 *   `PLACE` who is in the world stands in one region then, and `GHOST` is seen where he is, by those near.
 *   `ROT` who has become something else than the other members stops by himself.
 */
export type Invariant =
  | 'ES' | 'OWN' | 'MV' | 'CFG' | 'LM' | 'LC' | 'CI' | 'CQ' | 'SMS' | 'EO' | 'MT' | 'MC' | 'MA' | 'ORD'
  | 'TIME' | 'BND' | 'GOLD' | 'TRUTH' | 'LIN' | 'DIE' | 'FORGET'
  | 'STALE' | 'BOUND' | 'TAIL' | 'EFFECT' | 'EVENT' | 'HOP' | 'STAY' | 'SPEED' | 'RARE'
  | 'LEAD' | 'SERVE' | 'CHANGE' | 'CONVERGE' | 'CALM' | 'PLACE' | 'GHOST' | 'ROT';

const LIVENESS: readonly Invariant[] = [
  'LEAD',
  'SERVE',
  'CHANGE',
  'CONVERGE',
  'CALM',
  'PLACE',
  'GHOST',
  'ROT',
];

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

export class Verdicts {
  #first: Violation | undefined;

  get first(): Violation | undefined {
    return this.#first;
  }

  broken(invariant: Invariant, what: string): void {
    this.#first ??= { invariant, what };
  }
}

export function isLiveness({ invariant }: Violation): boolean {
  return LIVENESS.includes(invariant);
}
