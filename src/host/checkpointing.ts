// `bluemarble checkpoint`: all copies that run save what they hold, and the answer comes when they have.
//
// `operator.ts` calls it. A copy that is saving already when it is told does nothing more for that word, so
// that it is told again until its newest durable checkpoint is as far as it had applied at first.
import type { Clock } from '../runtime/ports.ts';
import type { NodeKeeper } from './node-keeper.ts';
import type { WorldView } from './view.ts';
import { pauseUntil } from './waits.ts';

/** A state of a million entities takes two seconds. */
const SAVE_MS_MAX = 10_000;
const TELL_AGAIN_MS = 1_000;

export interface SavingWorld {
  readonly clock: Clock;
  view(): Promise<WorldView>;
  keeper(name: string): NodeKeeper | undefined;
}

export interface SavedCopies {
  readonly node: string;
  /** False when the node does not run, or needs longer. */
  readonly done: boolean;
  readonly text: string;
}

/** Of one region, or of all. One answer for each node that holds copies, in the order of the nodes. */
export async function saveCopies(
  world: SavingWorld,
  before: WorldView,
  region: string | undefined,
): Promise<readonly SavedCopies[]> {
  const { clock } = world;
  const asked = copiesIn(before, region);
  const holders = before.nodes.filter(({ name }) => asked.some((copy) => copy.node === name));
  const running = holders.filter(({ condition }) => condition === 'up').map(({ name }) => name);
  const missing = new Set(running);
  const look = async (): Promise<boolean> => {
    const now = copiesIn(await world.view(), region);
    for (const name of missing) {
      const isSaved = asked.every(({ node, of, applied }) => {
        const copy = now.find((each) => each.node === node && each.of === of);
        return node !== name || (copy !== undefined && copy.saved >= applied);
      });
      if (isSaved) missing.delete(name);
    }
    return missing.size === 0;
  };
  const untilMs = clock.monotonicMs() + SAVE_MS_MAX;
  do {
    for (const name of missing) world.keeper(name)?.tell({ kind: 'checkpoint', region: region ?? '' });
  } while (!(await pauseUntil(clock, TELL_AGAIN_MS, look)) && clock.monotonicMs() < untilMs);
  const what = region === undefined ? 'its copies' : `its copy of ${region}`;
  return holders.map(({ name, condition }): SavedCopies => {
    const silent = `${name} is ${condition}: it saves nothing`;
    if (condition !== 'up') return { node: name, done: false, text: silent };
    const done = !missing.has(name);
    const text = done ? `has saved ${what}` : `has not saved ${what} within ${SAVE_MS_MAX / 1_000} s`;
    return { node: name, done, text: `${name} ${text}` };
  });
}

interface HeldCopy {
  readonly node: string;
  readonly of: string;
  readonly applied: number;
  readonly saved: number;
}

function copiesIn({ regions }: WorldView, region: string | undefined): readonly HeldCopy[] {
  const meant = regions.filter((each) => region === undefined || each.region === region);
  return meant.flatMap(({ region: of, copies }) =>
    copies.map(({ name: node, applied = 0, saved = 0 }) => ({ node, of, applied, saved })),
  );
}
