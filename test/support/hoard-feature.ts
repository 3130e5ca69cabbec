// A tiny regional feature for tests and measurements: any number of entities by key, each with its words.
import { ByteWriter } from '../../src/base/bytes.ts';
import { CowMap } from '../../src/base/cow-map.ts';
import { done } from '../../src/base/errors.ts';
import { playerId } from '../../src/base/id.ts';
import { loadedInSlices, savedMap } from '../../src/base/slices.ts';
import type { Shape } from '../../src/wire/call-shape.ts';
import { encodeCommand, encodeQuery } from '../../src/wire/command.ts';
import { encodeWith, integer, nothing, object, type Schema } from '../../src/wire/schema.ts';
import { command, type Feature, query } from '../../src/world/feature.ts';

interface Entity {
  readonly value: number;
  readonly label: string;
}

interface Hoard {
  readonly entities: CowMap<number, Entity>;
}

interface Put {
  readonly key: number;
  readonly value: number;
}

const number = integer(0, Number.MAX_SAFE_INTEGER);
const put: Schema<Put> = object({ key: number, value: number });
const putShape: Shape<Put, number, never> = { args: put, value: number, refusals: [] };
const countShape: Shape<null, number, never> = { args: nothing, value: number, refusals: [] };
const SESSION_ENDS_MS = 9_000_000_000_000;

export const hoard: Feature<Hoard> = {
  name: 'hoard',
  promise: 'regional',
  version: 1,
  needs: [],
  commands: {
    put: command('player', putShape, (state: Hoard, { key, value }, { tell, player }) => {
      state.entities.set(key, { value, label: `entity ${key} of the hoard` });
      tell(player, 'hoard', { key });
      return done(state.entities.size);
    }),
  },
  queries: {
    count: query('player', countShape, (state: Hoard) => done(state.entities.size)),
  },
  create: () => ({ entities: new CowMap() }),
  advance: () => undefined,
  save(state, writer) {
    writer.varint(state.entities.size);
    for (const entry of state.entities) write(writer, entry);
  },
  *load(reader) {
    const entities = new CowMap<number, Entity>();
    yield* loadedInSlices(reader, reader.varint(), () => {
      entities.set(reader.varint(), { value: reader.varint(), label: reader.text(64) });
    });
    return { entities };
  },
  slices: (state) => savedMap(new ByteWriter(), state.entities, write),
};

function write(writer: ByteWriter, [key, { value, label }]: readonly [number, Entity]): void {
  writer.varint(key).varint(value).text(label);
}

export function putCommand(o: Put & { readonly session: number; readonly number?: number }): Uint8Array {
  return encodeCommand({
    session: o.session,
    sessionExpiresAtMs: SESSION_ENDS_MS,
    number: o.number ?? 1,
    answeredBelow: o.number ?? 1,
    player: playerId(7),
    call: 'hoard.put',
    args: encodeWith(put, { key: o.key, value: o.value }),
  });
}

export const countQuery: Uint8Array = encodeQuery({
  player: 7,
  call: 'hoard.count',
  args: encodeWith(nothing, null),
});
