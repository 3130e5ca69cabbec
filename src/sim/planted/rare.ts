// Faults planted in crafting across logs: rare items that are claimed by events, and delivered by them.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inRareItems: readonly PlantedFault[] = [
  {
    name: 'claim-not-booked',
    what: 'the economy grants an item to a workshop and leaves it to its owner',
    changes: [
      {
        file: 'world/features/holdings.ts',
        from: `      if (reason === '') ledger.consume(item);`,
        to: `      if (reason === '' && job < 0) ledger.consume(item);`,
      },
    ],
  },
  {
    name: 'unready-job-delivered',
    what: 'a job is delivered whatever it waits for',
    changes: [
      {
        file: 'world/features/crafting.ts',
        from: `  if (job.state !== 'working' || job.finishesAtMs > nowMs) return rejected('not-ready');`,
        to: `  if (job.finishesAtMs > nowMs) return rejected('not-ready');`,
      },
    ],
  },
  {
    name: 'product-made-twice',
    what: 'a job whose product is in the holdings can be delivered once more',
    changes: [
      {
        file: 'world/features/crafting.ts',
        from: `  if (reason === '') return { ...job`,
        to: `  if (reason === '' && item % 2 === 0) return { ...job`,
      },
    ],
  },
];
