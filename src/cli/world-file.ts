// The world that the simulator runs: the stock one, or one with the features of a studio's world file.
//
// `sim-seeds.ts` and its workers load it.
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import { readDrawnWorldFile } from '../host/world-file.ts';
import { stockWorld, worldOf, type WorldUnderTest } from '../sim/play/worlds.ts';

/** The stock world when no file is named. Throws `StartError` with what to change in the file. */
export async function loadWorld(file: string | undefined): Promise<WorldUnderTest> {
  if (file === undefined) return stockWorld;
  const { features, drawDeed } = await readDrawnWorldFile(file);
  try {
    return worldOf(features, drawDeed);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(`${file} can not be simulated: ${cause.message}`, { cause });
  }
}
