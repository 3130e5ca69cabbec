// `bluemarble up`: a whole world on this machine, from the first process to the last report.
//
// The CLI calls `runUp`. In order: claim the folder (`claim.ts`), start the nodes, let the crowd in, watch,
// and end everything the other way round (`run.ts`).
import { claimWorld } from './claim.ts';
import { readOwnTopology } from './own-topology.ts';
import { Run, type RunDoors, type RunOptions } from './run.ts';
import { changeNote, rememberedFile } from './world-features.ts';
import { readWorldFile } from './world-file.ts';
import { findWorld, openWorld } from './world-folder.ts';

export interface UpOptions extends RunOptions {
  readonly folder: string;
  /** A topology file of one's own; `undefined`: the world in the folder, or a new one like the seed's. */
  readonly topologyFile: string | undefined;
  /** A studio's features, by an absolute path; `undefined`: those that the world in the folder remembers. */
  readonly worldFile: string | undefined;
  /** `undefined`: where the world was, or the default for a new one. */
  readonly basePort: number | undefined;
}

/**
 * Runs a world to its end; the exit code. Throws `StartError` when it can not start: nothing runs
 * then, and a new folder holds nothing that would hinder another try.
 */
export async function runUp(options: UpOptions, doors: RunDoors): Promise<number> {
  const { folder, topologyFile, worldFile } = options;
  const former = findWorld(folder);
  const file = await (worldFile === undefined ? rememberedFile(former) : readWorldFile(worldFile));
  const own = topologyFile === undefined ? undefined : readOwnTopology(topologyFile, file?.features ?? []);
  const world = openWorld({ ...options, own, file, entropy: doors.entropy });
  const note = changeNote(former, file);
  if (note !== undefined) doors.terminal.note(`${note}\n`);
  const run = new Run(world, options, doors);
  const claim = await claimWorld(world, doors.clock, (question) => run.answer(question));
  try {
    return await run.toItsEnd();
  } finally {
    await claim.release();
  }
}
