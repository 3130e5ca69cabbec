// Whether a place in a region's log outlived the promotions since: by what placement remembers of them.
//
// `lost-notices.ts` asks for what its player was told at `one`. Each appointment says behind which place of
// which epoch its log goes on; so the way from the standing one back to the place's epoch is known, however
// many were missed, as long as placement remembers them.
import type { Appointment } from '../../wire/placement.ts';

/** Places of a region's log, both included. */
export interface LostPlaces {
  readonly from: number;
  readonly to: number;
}

/** The standing appointment is the last. `undefined`: it is not lost, or nobody remembers any more. */
export function lostPlaces(
  place: { readonly epoch: number; readonly order: number },
  appointments: readonly Pick<Appointment, 'epoch' | 'start'>[],
): LostPlaces | undefined {
  const of = (epoch: number): Pick<Appointment, 'epoch' | 'start'> | undefined =>
    appointments.find((each) => each.epoch === epoch);
  let next = appointments.at(-1);
  while (next !== undefined && next.epoch > place.epoch) {
    const { start } = next;
    if (start.epoch <= place.epoch) {
      // An epoch that nobody went on from is lost from where it left the others.
      const left = start.epoch === place.epoch ? start : of(place.epoch)?.start;
      const kept = Math.min(start.sequence, left?.sequence ?? start.sequence);
      return place.order > kept ? { from: kept + 1, to: place.order } : undefined;
    }
    next = of(start.epoch);
  }
  return undefined;
}
