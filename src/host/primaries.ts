// Who was primary of which region when: counts the promotions and what they cost, and says them in words.
//
// `watch.ts` feeds it every look. A first primary is no promotion; a region without one is told once.
import type { Loss } from '../services/placement/losses.ts';
import { grouped } from './lines.ts';
import type { PlacedView } from './placement-view.ts';

type Placed = Pick<PlacedView, 'primary' | 'epoch' | 'isSought' | 'lost' | 'losses'> & {
  readonly region: string;
};

interface Known {
  primary: string;
  epoch: number;
  isSought: boolean;
  lost: number;
}

export class Primaries {
  readonly #known = new Map<string, Known>();
  #promotions = 0;
  #lostEntries = 0;

  get promotions(): number {
    return this.#promotions;
  }

  /** How many entries of regions' logs the promotions have cost, as far as it is known. */
  get lostEntries(): number {
    return this.#lostEntries;
  }

  /** What happened to the regions since the look before, one sentence each. */
  note(regions: readonly Placed[]): readonly string[] {
    return regions.flatMap((placed) => this.#noteRegion(placed));
  }

  #noteRegion({ region, primary, epoch, isSought, lost, losses }: Placed): readonly string[] {
    // Nobody answers: what is not seen did not happen.
    if (primary === undefined) return [];
    const known = this.#known.get(region);
    if (known === undefined) {
      this.#known.set(region, { primary, epoch, isSought, lost });
      return [];
    }
    const events: string[] = [];
    if (epoch > known.epoch) {
      this.#promotions += 1;
      const before = `before: ${known.primary}, ${known.epoch}`;
      events.push(`${region}: ${primary} is primary in epoch ${epoch} (${before})`);
    } else if (isSought && !known.isSought) {
      events.push(`${region}: a primary is sought (last was ${primary} in epoch ${epoch})`);
    }
    if (lost > known.lost) {
      this.#lostEntries += lost - known.lost;
      const newest = losses.at(-1);
      const which = newest === undefined ? '' : ` (${lostPlaces(newest)})`;
      events.push(`${region}: ${entries(lost - known.lost)} lost${which}`);
    }
    this.#known.set(region, { primary, epoch: Math.max(epoch, known.epoch), isSought, lost });
    return events;
  }
}

/** Which entries of a region's log a promotion has cost. */
export function lostPlaces({ epoch, from, to, isTold }: Loss): string {
  const places = from === to ? `entry ${from}` : `entries ${from} to ${to}`;
  const surely = isTold ? '' : ', as far as was heard';
  return `${places} before epoch ${epoch}${surely}`;
}

function entries(count: number): string {
  return count === 1 ? '1 entry is' : `${grouped(count)} entries are`;
}
