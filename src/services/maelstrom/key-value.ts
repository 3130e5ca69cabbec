// A key-value map as a feature: the replicated state that the workload `lin-kv` is judged by.
//
// `lin-kv.ts` puts it into a group of its own; no world holds it. Promise: linearizable. Keys and values
// are texts, which are equal or not. Invariant: what is stored is never longer than `STORED_LENGTH_MAX`.
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CorruptionError, type Decision, done, rejected } from '../../base/errors.ts';
import type { Shape } from '../../wire/call-shape.ts';
import { nothing, object, text } from '../../wire/schema.ts';
import { command, type Feature, query } from '../../world/feature.ts';

const KEY_LENGTH_MAX = 1_024;
/** Two of them and a key fit into one command, whatever their characters. */
const VALUE_LENGTH_MAX = 8 * 1_024;
/** Of all keys and values together, in UTF-16 units; what would add to more is refused as `full`. */
const STORED_LENGTH_MAX: number = 16 * 1_024 * 1_024;

interface Write {
  readonly key: string;
  readonly value: string;
}
interface Cas {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

const key = text(1, KEY_LENGTH_MAX);
const value = text(1, VALUE_LENGTH_MAX);

export const readKey: Shape<{ readonly key: string }, { readonly value: string }, 'absent'> = {
  args: object({ key }),
  value: object({ value }),
  refusals: ['absent'],
};
export const writeKey: Shape<Write, null, 'full'> = {
  args: object({ key, value }),
  value: nothing,
  refusals: ['full'],
};
/** Sets `to` where `from` stands. */
export const casKey: Shape<Cas, null, 'absent' | 'mismatch' | 'full'> = {
  args: object({ key, from: value, to: value }),
  value: nothing,
  refusals: ['absent', 'mismatch', 'full'],
};

export class KeyValues {
  readonly #values = new Map<string, string>();
  readonly #lengthMax: number;
  #length = 0;

  constructor(lengthMax: number = STORED_LENGTH_MAX) {
    this.#lengthMax = lengthMax;
  }

  read(key: string): string | undefined {
    return this.#values.get(key);
  }

  write({ key, value }: Write): Decision<null, 'full'> {
    const before = this.#values.get(key);
    const freed = before === undefined ? 0 : key.length + before.length;
    const length = this.#length - freed + key.length + value.length;
    if (length > this.#lengthMax && length > this.#length) return rejected('full');
    this.#length = length;
    this.#values.set(key, value);
    return done(null);
  }

  cas({ key, from, to }: Cas): Decision<null, 'absent' | 'mismatch' | 'full'> {
    const standing = this.#values.get(key);
    if (standing === undefined) return rejected('absent');
    return standing === from ? this.write({ key, value: to }) : rejected('mismatch');
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#values.size);
    for (const [key, value] of this.#values) writer.text(key).text(value);
  }

  static load(reader: ByteReader): KeyValues {
    const values = new KeyValues();
    const count = reader.varint();
    for (let i = 0; i < count; i++) {
      const entry = { key: reader.text(), value: reader.text() };
      if (values.read(entry.key) !== undefined || values.write(entry).kind !== 'done') {
        throw new CorruptionError(`the key ${entry.key} is saved twice, or more than may be`);
      }
    }
    return values;
  }
}

export const keyValue: Feature<KeyValues> = {
  name: 'key-value',
  promise: 'linearizable',
  version: 1,
  needs: [],
  commands: {
    write: command('player', writeKey, (state: KeyValues, args) => state.write(args)),
    cas: command('player', casKey, (state: KeyValues, args) => state.cas(args)),
  },
  queries: {
    read: query('player', readKey, (state: KeyValues, { key }) => {
      const value = state.read(key);
      return value === undefined ? rejected('absent') : done({ value });
    }),
  },
  create: () => new KeyValues(),
  advance() {},
  save: (state, writer) => state.save(writer),
  *load(reader) {
    return KeyValues.load(reader);
  },
};
