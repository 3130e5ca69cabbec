// How a fault of the disk begins on one drive, and what ends it.
//
// `nemesis.ts` calls it for each drive of the machine that it strikes.
import type { Drive } from '../machine/drive.ts';
import type { Fault } from '../plan/plan.ts';

export type DriveFault = Extract<
  Fault,
  { readonly kind: 'slow-disk' | 'hung-disk' | 'disk-error' | 'full-disk' | 'misdirected' }
>;

/** `untilUs`: what can not be undone before its time ends by then. */
export function disturbDrive(fault: DriveFault, drive: Drive, untilUs: number): () => void {
  switch (fault.kind) {
    case 'slow-disk':
      drive.syncExtraUs += fault.syncMs * 1_000;
      return () => (drive.syncExtraUs -= fault.syncMs * 1_000);
    case 'hung-disk':
      drive.hungUntilUs = untilUs;
      return () => {};
    case 'disk-error':
      drive.failsNext = fault.operation;
      return () => (drive.failsNext = undefined);
    case 'full-disk':
      drive.isFull = true;
      return () => (drive.isFull = false);
    case 'misdirected':
      drive.misdirectsNext = true;
      return () => (drive.misdirectsNext = false);
  }
}
