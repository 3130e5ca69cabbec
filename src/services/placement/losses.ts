// What promotions of a region have cost, as placement has recorded it: the places that its log lost.
//
// The operator's views and `metrics.ts` read it.
import type { Appointment, PlacedRegion } from '../../wire/placement.ts';

/** Entries of a region's log that a new primary began without; places of that log, both included. */
export interface Loss {
  /** The epoch that began without them: they are of older ones. */
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** A copy that had them came back and has told. Else: as far as anybody who was left had heard. */
  readonly isTold: boolean;
}

/** Oldest first; placement remembers the last eight appointments of a region. */
export function lossesOf({ appointments }: Pick<PlacedRegion, 'appointments'>): readonly Loss[] {
  return appointments.flatMap((appointment) => lossOf(appointment) ?? []);
}

export function lostEntries(losses: readonly Loss[]): number {
  return losses.reduce((sum, loss) => sum + sizeOf(loss), 0);
}

/** Copies that return tell of the same tail, each as far as it had come: the longest is all of it. */
function lossOf({ epoch, start, mayLose, lost }: Appointment): Loss | undefined {
  const tails = lost.map(
    ({ from, to }): Loss => ({ epoch, from: from.sequence, to: to.sequence, isTold: true }),
  );
  const [first, ...others] = tails;
  if (first !== undefined) {
    return others.reduce((most, tail) => (sizeOf(tail) > sizeOf(most) ? tail : most), first);
  }
  if (mayLose === 0) return undefined;
  return { epoch, from: start.sequence + 1, to: start.sequence + mayLose, isTold: false };
}

function sizeOf({ from, to }: Loss): number {
  return to - from + 1;
}
