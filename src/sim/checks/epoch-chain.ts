// Which logs a region can have, as the simulator saw them on disks: each epoch begins behind another one.
//
// `region-history.ts` keeps one per region. An epoch has one primary, and his log behind which he began is
// fixed; so a log is known by its last place, and what a log holds can be told without keeping any log.

/** A place in a region's log. */
export interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

export const NOWHERE: Place = { epoch: 0, sequence: 0 };

interface Beginning {
  readonly first: number;
  /** The epoch of the entry before. */
  readonly behind: number;
}

export class EpochChain {
  readonly #begun = new Map<number, Beginning>();

  /** How many epochs have entries. */
  get size(): number {
    return this.#begun.size;
  }

  /** An entry follows one of epoch `behind`. False when that contradicts what was seen before. */
  follows({ epoch, sequence }: Place, behind: number): boolean {
    const begun = this.#begun.get(epoch);
    if (begun === undefined) {
      this.#begun.set(epoch, { first: sequence, behind });
      return epoch > behind;
    }
    return sequence === begun.first ? behind === begun.behind : behind === epoch;
  }

  /** Of the entry at `sequence` in the log that ends at `last`; `undefined` when it has none there. */
  epochAt(last: Place, sequence: number): number | undefined {
    if (sequence > last.sequence) return undefined;
    if (sequence === 0) return 0;
    let { epoch } = last;
    for (;;) {
      const begun = this.#begun.get(epoch);
      if (begun === undefined) return undefined;
      if (sequence >= begun.first) return epoch;
      epoch = begun.behind;
    }
  }

  holds(last: Place, place: Place): boolean {
    return this.epochAt(last, place.sequence) === place.epoch;
  }

  /** The epoch's log, however far it goes. */
  logOf(epoch: number): Place {
    return { epoch, sequence: Number.MAX_SAFE_INTEGER };
  }

  /** How far two logs are the same. */
  common(one: Place, other: Place): number {
    let sequence = Math.min(one.sequence, other.sequence);
    while (sequence > 0) {
      const [own, theirs] = [this.epochAt(one, sequence), this.epochAt(other, sequence)];
      if (own === undefined || theirs === undefined) return 0;
      if (own === theirs) return sequence;
      sequence = Math.max(this.#firstOf(own), this.#firstOf(theirs)) - 1;
    }
    return 0;
  }

  #firstOf(epoch: number): number {
    return this.#begun.get(epoch)?.first ?? 1;
  }
}
