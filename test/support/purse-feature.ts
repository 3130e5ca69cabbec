// A small feature of a studio's, sound or with a fault that only a replay or a saved state shows.
import { done } from '../../src/base/errors.ts';
import type { AckLevel } from '../../src/wire/levels.ts';
import { integer, nothing, object, type Schema } from '../../src/wire/schema.ts';
import { acknowledgedAt, command, type Feature, query } from '../../src/world/feature.ts';

export interface Purse {
  sum: number;
  adds: number;
}

export interface PurseOptions {
  readonly name?: string;
  readonly promise?: 'linearizable' | 'regional';
  readonly ack?: AckLevel;
  /** `save` leaves out how often it was added. */
  readonly forgets?: boolean;
  /** By how much an answer is wrong, and a sum that is loaded. */
  readonly lies?: () => number;
  readonly loads?: () => number;
}

const count = integer(0, 1_000_000);
export const addition: Schema<{ readonly amount: number }> = object({ amount: count });

/** Adds up; what it has added in how many steps is asked, and answered to each addition. */
export function purse(options: PurseOptions = {}): Feature<Purse> {
  const { name = 'purse', promise = 'linearizable', ack = 'quorum' } = options;
  const { forgets = false, lies = () => 0, loads = () => 0 } = options;
  const value = object({ sum: count, adds: count });
  const add = command('player', { args: addition, value, refusals: [] }, (state: Purse, { amount }) => {
    state.sum += amount;
    state.adds += 1;
    return done({ sum: state.sum + lies(), adds: state.adds });
  });
  return {
    name,
    promise,
    version: 1,
    needs: [],
    commands: { add: acknowledgedAt(ack, add) },
    queries: {
      look: query('player', { args: nothing, value, refusals: [] }, (state: Purse) => done({ ...state })),
    },
    create: () => ({ sum: 0, adds: 0 }),
    advance: () => {},
    save: ({ sum, adds }, writer) => {
      writer.varint(sum).varint(forgets ? 0 : adds);
    },
    *load(reader) {
      return { sum: reader.varint() + loads(), adds: reader.varint() };
    },
  };
}
