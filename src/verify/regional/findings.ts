// What a regional history breaks, gathered while it is read.
//
// What a quorum acknowledged is broken where it is missed. What one disk acknowledged may be gone where a
// promotion owns up to its place, which is known only when all is read: so it is kept until then.
import { Sentences } from '../invariants.ts';
import type { Level } from './calls.ts';

/** Places in a region's log that a promotion cost, both included. */
export interface LostPlaces {
  readonly region: string;
  readonly from: number;
  readonly to: number;
}

/** Something that was acknowledged. */
export interface Acknowledged {
  readonly what: string;
  readonly region: string;
  readonly place: number;
  readonly level: Level;
}

export class Findings {
  /** Acknowledged at quorum or by all, and gone in the end. */
  readonly lost: Sentences = new Sentences();
  /** Not shown to whom it must have been. */
  readonly unseen: Sentences = new Sentences();
  readonly disordered: Sentences = new Sentences();
  readonly #missing = new Map<string, Acknowledged>();
  readonly #costs: LostPlaces[] = [];

  cost(lost: LostPlaces): void {
    this.#costs.push(lost);
  }

  /** `words` say to whom it was not shown, or that it is gone. */
  miss(missed: Acknowledged, where: Sentences, words: (what: string) => string): void {
    const what = describe(missed);
    if (missed.level === 'one') this.#missing.set(what, missed);
    else where.add(words(what));
  }

  isMissing(acknowledged: Acknowledged): boolean {
    return this.#missing.has(describe(acknowledged));
  }

  /** Of what one disk acknowledged and is gone: how much promotions own up to, and the rest. */
  account(): { readonly paid: number; readonly unaccounted: readonly string[] } {
    const unaccounted = new Sentences();
    let paid = 0;
    for (const [what, { region, place }] of this.#missing) {
      const isOwnedUp = this.#costs.some(
        (lost) => lost.region === region && lost.from <= place && place <= lost.to,
      );
      if (isOwnedUp) paid += 1;
      else unaccounted.add(`${what}, is gone, and no promotion says so`);
    }
    return { paid, unaccounted: unaccounted.list };
  }
}

function describe({ what, region, place, level }: Acknowledged): string {
  return `${what} of ${region}, place ${place}, acknowledged at ${level}`;
}
