// The folder of a region's copy on a virtual disk, opened as a node opens it.
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import type { CopyStorage } from '../../src/runtime/copy-journal.ts';
import { Journal } from '../../src/runtime/journal.ts';
import type { Disk } from '../../src/runtime/ports.ts';

const SEGMENT_BYTES = 64 * 1024;
const KEEP = 10;

export function openCopyStorage(disk: Disk, world: string = ''): CopyStorage {
  const { journal, recovered } = Journal.open(disk, { segmentBytes: SEGMENT_BYTES });
  return { disk, journal, recovered, checkpoints: new Checkpoints(disk, { keep: KEEP, world }) };
}
