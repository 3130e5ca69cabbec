// A copy of a region, as placement deals with it at its node.
//
// `appointments.ts` appoints and fences copies through it, `hand-overs.ts` asks it who else is how far,
// `desertions.ts` whether they hear their primary.
import type { NodeId } from '../../base/id.ts';

/** `runtime/replica-set` is one. */
export interface PlacedCopy {
  readonly number: number;
  promise(epoch: number, promised: (promised: PromisedPlace) => void): void;
  appoint(appointment: { epoch: number; primary: NodeId; start: number }): void;
  lease(epoch: number, untilMs: number): void;
  status(): {
    readonly role: string;
    readonly epoch: number;
    readonly primary: NodeId | undefined;
    /** A majority of the copies, this one among them, hears each other and not the primary. */
    readonly isDeserted: boolean;
    readonly copies: readonly {
      readonly node: NodeId;
      readonly last?: number | undefined;
      readonly isHealthy: boolean;
    }[];
    readonly lostTails: readonly TailRange[];
  };
}

/** All entries between these places, both included. */
export interface TailRange {
  readonly fromEpoch: number;
  readonly fromSequence: number;
  readonly toEpoch: number;
  readonly toSequence: number;
}

export interface PromisedPlace {
  readonly epoch: number;
  readonly lastEpoch: number;
  readonly lastSequence: number;
  readonly isBlank: boolean;
}
