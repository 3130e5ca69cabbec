// Whether all members became the same: what they are, compared at agreed places of the log.
//
// Every member notes a digest of all replies so far at each multiple of `DIGEST_EVERY`, and now and then,
// at places that `runtime/state-hash.ts` names, a hash of its whole state: that sees what never shows in
// any reply, and later. Its append replies carry the newest of each. The leader holds them against each
// other: where a majority of the voters agrees, whoever says otherwise has diverged, be it a member or the
// leader itself.
// Limit: without a majority nobody is accused.
import type { NodeId } from '../../base/id.ts';
import { majority, type Voters } from '../../base/quorum.ts';

/** Digests of replies are compared at multiples of this. */
export const DIGEST_EVERY = 256;
/** Places for which answers are awaited; the oldest are forgotten. */
const PLACES_MAX = 16;

export interface Digest {
  readonly index: number;
  readonly value: number;
}

export const DIGEST_NONE: Digest = { index: 0, value: 0 };

export class Digests {
  readonly #places: Map<number, Map<NodeId, number>> = new Map();
  /** Our own newest. */
  own: Digest = DIGEST_NONE;

  /** Takes in what a member says of itself. Returns whether that was news. */
  note(node: NodeId, { index, value }: Digest): boolean {
    if (index === 0) return false;
    let place = this.#places.get(index);
    if (place === undefined) {
      this.#places.set(index, (place = new Map<NodeId, number>()));
      if (this.#places.size > PLACES_MAX) this.#places.delete(Math.min(...this.#places.keys()));
    }
    if (place.get(node) === value) return false;
    place.set(node, value);
    return true;
  }

  /** Those who contradict what a majority of each voter set says about this place. */
  divergent({ incoming, outgoing }: Voters, index: number): readonly NodeId[] {
    const place = this.#places.get(index);
    if (place === undefined) return [];
    for (const value of new Set(place.values())) {
      const says = (voters: readonly NodeId[]): boolean => {
        const count = voters.filter((node) => place.get(node) === value).length;
        return voters.length === 0 || count >= majority(voters.length);
      };
      if (!says(incoming) || !says(outgoing)) continue;
      return [...place].filter(([, said]) => said !== value).map(([node]) => node);
    }
    return [];
  }
}
