// Two features of different logs: what is harvested in a region is told there, and counted for the world.
import type { ByteReader, ByteWriter } from '../../src/base/bytes.ts';
import { done } from '../../src/base/errors.ts';
import { playerId } from '../../src/base/id.ts';
import type { Loading } from '../../src/base/slices.ts';
import type { EventShape } from '../../src/wire/events.ts';
import { integer, nothing, object } from '../../src/wire/schema.ts';
import { command, type Feature, query, taker } from '../../src/world/feature.ts';

interface Count {
  count: number;
}

const number = integer(0, Number.MAX_SAFE_INTEGER);
const countShape = { args: nothing, value: number, refusals: [] };
const harvested: EventShape<{ readonly player: number }> = {
  name: 'chest.harvested',
  args: object({ player: number }),
};
const counting = {
  version: 1,
  needs: [],
  create: (): Count => ({ count: 0 }),
  advance: () => {},
  save: ({ count }: Count, writer: ByteWriter) => void writer.varint(count),
  *load(reader: ByteReader): Loading<Count> {
    return { count: reader.varint() };
  },
};

const garden: Feature<Count> = {
  ...counting,
  name: 'garden',
  promise: 'regional',
  events: [],
  commands: {
    harvest: command('player', countShape, (state: Count, _none, { player, here, emit, tellRegion }) => {
      state.count += 1;
      tellRegion('garden.seen', { player });
      emit(harvested, { player }, { to: here.homeOf('chest') ?? 0, keep: 'always' });
      return done(state.count);
    }),
  },
  queries: {},
};

const chest: Feature<Count> = {
  ...counting,
  name: 'chest',
  promise: 'linearizable',
  events: [
    taker(harvested, (state: Count, { player }, { tell }) => {
      state.count += 1;
      tell(playerId(player), 'chest.filled', { count: state.count });
    }),
  ],
  commands: {},
  queries: { count: query('player', countShape, ({ count }: Count) => done(count)) },
};

export const gardenFeatures: readonly Feature[] = [garden, chest];
