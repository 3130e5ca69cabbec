// Regions whose primary no majority of the copies hears: one of those copies asks placement for another.
//
// `appointments.ts` owns one and asks it each second. The witnesses hear such a primary, so that it does not
// count as failed, and yet nothing can be committed there while the others could go on. Which copies hear
// whom `protocols/primary/lag.ts` judges; that placement is asked by several at once changes nothing.
import type { NodeId } from '../../base/id.ts';
import type { Logger } from '../../runtime/ports.ts';
import { type PlacedRegion, reportDesertion } from '../../wire/placement.ts';
import type { PlacementCalls } from '../calls/placement-calls.ts';
import type { PlacedCopy } from './placed-copy.ts';

export interface DesertionOptions {
  readonly self: NodeId;
  readonly logger: Logger;
  readonly calls: PlacementCalls;
  readonly copies: ReadonlyMap<number, PlacedCopy>;
  /** What placement said last about a region. */
  readonly region: (number: number) => PlacedRegion | undefined;
}

export class Desertions {
  readonly #o: DesertionOptions;
  /** Regions for which placement was asked, and has not answered yet. */
  readonly #asking = new Set<number>();

  constructor(options: DesertionOptions) {
    this.#o = options;
  }

  report(): void {
    const { calls, copies, logger, region: placed, self: node } = this.#o;
    for (const [region, copy] of copies) {
      const { epoch, isDeserted } = copy.status();
      if (!isDeserted || this.#asking.has(region) || placed(region)?.fence !== null) continue;
      this.#asking.add(region);
      calls.ask('deserted', reportDesertion, { region, epoch, node }, ({ kind }) => {
        this.#asking.delete(region);
        if (kind === 'done') logger.log('warn', 'primary-deserted', { region, epoch });
      });
    }
  }
}
