// A fault planted on purpose: a small change of the sources that a careful reader might miss.
//
// The lists beside this file hold them; `cli/planted.ts` runs the simulator on sources changed so, in
// memory and one by one, to prove that the simulator would notice. What runs otherwise holds none. A
// text that no longer stands exactly once in its file ends the run: the planted fault must then follow.

export interface PlantedFault {
  readonly name: string;
  /** What goes wrong, in words. */
  readonly what: string;
  readonly changes: readonly PlantedChange[];
}

/**
 * A fault is looked for in those runs that reach what it changes, so that no time is lost on others: where
 * regions live, all of them or those where players walk; where none do, all, those whose members may change,
 * or those that read by lease.
 */
export type Worlds = 'groups' | 'members' | 'leases' | 'regions' | 'walkers';

export interface SoughtFault extends PlantedFault {
  readonly worlds: Worlds;
}

export interface PlantedChange {
  /** Below `src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
