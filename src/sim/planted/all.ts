// All faults that the simulator must find, and in which runs it looks for them.
//
// Each must be found by one of the first 200 seeds.
import { inAnswers } from './answers.ts';
import { inCopies, inStream } from './copies.ts';
import type { PlantedFault, SoughtFault, Worlds } from './fault.ts';
import { inLogs } from './logs.ts';
import { inMemberships } from './members.ts';
import { inRareItems } from './rare.ts';
import { inLeases, inReads } from './reads.ts';
import { inFencing, inService } from './regions.ts';
import { inGhosts, inHandOver } from './space.ts';
import { inStates } from './states.ts';
import { inJournal, inSnapshots } from './storage.ts';
import { inElections } from './votes.ts';

export const plantedFaults: readonly SoughtFault[] = [
  ...sought('groups', inElections, inLogs, inReads, inJournal, inSnapshots, inStates, inAnswers),
  ...sought('members', inMemberships),
  ...sought('leases', inLeases),
  ...sought('regions', inFencing, inStream, inCopies, inService, inRareItems),
  ...sought('walkers', inHandOver, inGhosts),
];

function sought(worlds: Worlds, ...lists: readonly (readonly PlantedFault[])[]): readonly SoughtFault[] {
  return lists.flat().map((fault) => ({ ...fault, worlds }));
}
