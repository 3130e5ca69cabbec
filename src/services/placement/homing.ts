// When the acting primary hands its region back to the first of its copies, the region's home.
//
// `appointments.ts` looks each second at the regions that it has. After failures one node may be primary of
// many regions; they go home by themselves, once nothing has been wrong for a while. Whom an operator
// chose by hand stays: his appointment is the newest on record, and only a failure after it frees the region.
// Source: Kafka's preferred leader, and what KIP-491 and its like ask of it: a calm before.
import type { NodeId } from '../../base/id.ts';
import type { PlacedRegion } from '../../wire/placement.ts';

export class Homing {
  /** So long the home must have been without fault, and the region with this primary. */
  readonly #calmMs: number;
  /** Since when each region might have gone, of the epoch that it is in. */
  readonly #calm = new Map<number, { readonly epoch: number; readonly sinceMs: number }>();

  constructor(calmMs: number) {
    this.#calmMs = calmMs;
  }

  /** To be asked at each look; `isSound`: the home is trusted, linked, and as far as a healthy copy is. */
  isDue(region: PlacedRegion, nowMs: number, isSound: (home: NodeId) => boolean): boolean {
    const { number, epoch } = region;
    const home = homeOf(region);
    if (home === undefined || !isSound(home)) {
      this.#calm.delete(number);
      return false;
    }
    const known = this.#calm.get(number);
    const calm = known?.epoch === epoch ? known : { epoch, sinceMs: nowMs };
    this.#calm.set(number, calm);
    return nowMs - calm.sinceMs >= this.#calmMs;
  }
}

/** Where the region should be and is not; `undefined` where it is, or where an operator wants it. */
export function homeOf({ copies, primary, fence, appointments }: PlacedRegion): NodeId | undefined {
  const [home] = copies;
  const cause = appointments.at(-1)?.cause;
  const isByHand = cause === 'moved' || cause === 'forced';
  return fence !== null || isByHand || home === primary ? undefined : home;
}
