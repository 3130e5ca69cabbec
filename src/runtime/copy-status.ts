// What a copy tells of itself and of the others, in the words of the status that operators read.
//
// `replica-set.ts` calls it; nothing here decides anything.
import type { NodeId } from '../base/id.ts';
import type { RegionCopyStatus } from '../protocols/primary/copy.ts';
import type { CopyPlace, CopyStatus } from '../wire/status.ts';

/** What the driver adds to what the core knows. */
type Driven = Pick<
  CopyStatus,
  'region' | 'waiting' | 'stateHash' | 'hashedSequence' | 'lostTails'
>;

export function copyStatus(self: NodeId, copy: RegionCopyStatus, driven: Driven): CopyStatus {
  const copies = copy.copies.map((lag): CopyPlace => {
    const { node, at, entries, isHealthy } = lag;
    return {
      node,
      last: at?.last.sequence,
      applied: at?.applied,
      // JSON knows no infinity: what can not be told is left out.
      lagEntries: entries === Number.POSITIVE_INFINITY ? undefined : entries,
      lagMs: at === undefined || at.lagMs < 0 ? undefined : at.lagMs,
      isHealthy,
      isBlank: at?.isBlank ?? true,
    };
  });
  const own = copies.find(({ node }) => node === self);
  return {
    ...driven,
    role: copy.role,
    epoch: copy.promised,
    primary: copy.primary,
    isServing: copy.isServing,
    isDeserted: copy.isDeserted,
    isHealthy: own?.isHealthy ?? copy.isHealthy,
    last: copy.last.sequence,
    durable: copy.durable,
    committed: copy.committed,
    applied: copy.applied,
    checkpoint: copy.checkpoint.sequence,
    lagEntries: own?.lagEntries,
    lagMs: own?.lagMs,
    copies,
  };
}
