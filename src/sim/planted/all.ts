// All faults that the simulator must find, each within a few hundred seeds.
import { inAnswers } from './answers.ts';
import type { PlantedFault } from './fault.ts';
import { inLogs } from './logs.ts';
import { inMemberships } from './members.ts';
import { inReads } from './reads.ts';
import { inFencing, inService, inStream } from './regions.ts';
import { inJournal, inSnapshots } from './storage.ts';
import { inElections } from './votes.ts';

export const plantedFaults: readonly PlantedFault[] = [
  ...inElections,
  ...inLogs,
  ...inReads,
  ...inMemberships,
  ...inJournal,
  ...inSnapshots,
  ...inAnswers,
  ...inFencing,
  ...inStream,
  ...inService,
];
