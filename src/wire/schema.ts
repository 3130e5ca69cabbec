// A message described once: its type, its bytes and its check come from the same description.
//
// Features describe the arguments and values of their calls with it; the gateway checks what players
// sent (`parse`, from JSON), groups store and answer in bytes (`encode`, `decode`), and the client's
// types are inferred (`Infer`). Everything is bounded: a text has a longest length, a list a highest
// count, a number its least and greatest value, so that hostile input is refused before it costs.
import { ByteReader, ByteWriter, copyOf } from '../base/bytes.ts';
import { InvalidInputError, invariant } from '../base/errors.ts';

const ZIGZAG_MAX: number = 2 ** 52 - 1;
/** Of a name that is refused: longer than any of ours. */
const FIELD_SHOWN_MAX = 64;

/** `parse` takes JSON values from outside; `encode` and `decode` are each other's inverse. */
export interface Schema<Value> {
  /** Returns the checked value as a copy, or throws `InvalidInputError` that names `path`. */
  parse(input: unknown, path: string): Value;
  encode(writer: ByteWriter, value: Value): void;
  decode(reader: ByteReader): Value;
}

export type Infer<Described> = Described extends Schema<infer Value> ? Value : never;

export function encodeWith<Value>(schema: Schema<Value>, value: Value): Uint8Array {
  const writer = new ByteWriter();
  schema.encode(writer, value);
  return writer.finish();
}

export function decodeWith<Value>(schema: Schema<Value>, bytes: Uint8Array): Value {
  const reader = new ByteReader(bytes);
  const value = schema.decode(reader);
  reader.end();
  return value;
}

/**
 * An integer from `min` to `max`, both included and safe. Where negative ones may be they travel
 * zigzag, which takes a bit: the bounds are then within 2^52.
 */
export function integer(min: number, max: number): Schema<number> {
  const bitsMax = min < 0 ? ZIGZAG_MAX : Number.MAX_SAFE_INTEGER;
  invariant(-bitsMax <= min && min <= max && max <= bitsMax, 'an integer schema fits its bytes');
  return {
    parse(input, path) {
      if (typeof input !== 'number' || !Number.isSafeInteger(input) || input < min || input > max) {
        throw new InvalidInputError(`${path} must be an integer from ${min} to ${max}`);
      }
      // Adding zero turns -0, which JSON can hold and the wire can not, into 0.
      return input + 0;
    },
    encode(writer, value) {
      if (min >= 0) writer.varint(value);
      else writer.varint(value >= 0 ? value * 2 : -value * 2 - 1);
    },
    decode(reader) {
      const raw = reader.varint();
      const value = min >= 0 ? raw : raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      if (value < min || value > max) throw new InvalidInputError(`${value} is out of range`);
      return value;
    },
  };
}

/** Text of `min` to `max` UTF-16 units that matches `pattern`, if one is given. */
export function text(min: number, max: number, pattern?: RegExp, rule?: string): Schema<string> {
  // Half a surrogate pair would come out of UTF-8 as another text.
  const check = (value: string): boolean =>
    value.length >= min &&
    value.length <= max &&
    value.isWellFormed() &&
    (pattern === undefined || pattern.test(value));
  return {
    parse(input, path) {
      if (typeof input !== 'string' || !check(input)) {
        const form = rule === undefined ? '' : ` of ${rule}`;
        throw new InvalidInputError(`${path} must be text${form}, ${min} to ${max} characters`);
      }
      return input;
    },
    encode(writer, value) {
      writer.text(value);
    },
    decode(reader) {
      const value = reader.text(max * 4);
      if (!check(value)) throw new InvalidInputError('text is not of the agreed form');
      return value;
    },
  };
}

export function boolean(): Schema<boolean> {
  return {
    parse(input, path) {
      if (typeof input !== 'boolean') throw new InvalidInputError(`${path} must be true or false`);
      return input;
    },
    encode(writer, value) {
      writer.u8(value ? 1 : 0);
    },
    decode(reader) {
      return decodeFlag(reader);
    },
  };
}

/** One of a closed list of words; travels as its place in the list. */
export function oneOf<Word extends string>(words: readonly Word[]): Schema<Word> {
  return {
    parse(input, path) {
      const word = words.find((candidate) => candidate === input);
      if (word === undefined) {
        throw new InvalidInputError(`${path} must be one of ${words.join(', ')}`);
      }
      return word;
    },
    encode(writer, value) {
      writer.u8(words.indexOf(value));
    },
    decode(reader) {
      const word = words[reader.u8()];
      if (word === undefined) throw new InvalidInputError('unknown word number');
      return word;
    },
  };
}

/** At most `max` values of one kind. */
export function list<Value>(of: Schema<Value>, max: number): Schema<readonly Value[]> {
  return {
    parse(input, path) {
      if (!Array.isArray(input) || input.length > max) {
        throw new InvalidInputError(`${path} must be a list of at most ${max}`);
      }
      return input.map((item: unknown, place) => of.parse(item, `${path}[${place}]`));
    },
    encode(writer, value) {
      writer.varint(value.length);
      for (const item of value) of.encode(writer, item);
    },
    decode(reader) {
      const count = reader.varint();
      if (count > max) throw new InvalidInputError(`a list of ${count} where ${max} may be`);
      const items: Value[] = [];
      for (let i = 0; i < count; i++) items.push(of.decode(reader));
      return items;
    },
  };
}

/** A list of texts or numbers in which none stands twice. */
export function distinct<Value extends string | number>(
  of: Schema<readonly Value[]>,
): Schema<readonly Value[]> {
  const check = (values: readonly Value[], path: string): readonly Value[] => {
    if (values.length < 2 || new Set(values).size === values.length) return values;
    throw new InvalidInputError(`${path} must not name anything twice`);
  };
  return {
    parse(input, path) {
      return check(of.parse(input, path), path);
    },
    encode(writer, value) {
      of.encode(writer, value);
    },
    decode(reader) {
      return check(of.decode(reader), 'a list');
    },
  };
}

/** A value that may be absent: `null` on the wire and in JSON. */
export function nullable<Value>(of: Schema<Value>): Schema<Value | null> {
  return {
    parse(input, path) {
      return input === null || input === undefined ? null : of.parse(input, path);
    },
    encode(writer, value) {
      writer.u8(value === null ? 0 : 1);
      if (value !== null) of.encode(writer, value);
    },
    decode(reader) {
      return decodeFlag(reader) ? of.decode(reader) : null;
    },
  };
}

/** Raw bytes of at most `max`, for credentials and the like; never part of a player's call. */
export function octets(max: number): Schema<Uint8Array> {
  return {
    parse(input, path) {
      if (!(input instanceof Uint8Array) || input.length > max) {
        throw new InvalidInputError(`${path} must be at most ${max} bytes`);
      }
      return copyOf(input);
    },
    encode(writer, value) {
      writer.bytes(value);
    },
    decode(reader) {
      return reader.bytes(max);
    },
  };
}

type Fields = Record<string, Schema<unknown>>;
type ObjectOf<Described extends Fields> = { readonly [Name in keyof Described]: Infer<Described[Name]> };

/** An object with exactly these fields, encoded in the order of the description. */
export function object<Described extends Fields>(fields: Described): Schema<ObjectOf<Described>> {
  const names = Object.keys(fields);
  const members = names.map((name) => ({ name, schema: fields[name] as Schema<unknown> }));
  return {
    parse(input, path) {
      if (typeof input !== 'object' || input === null || Array.isArray(input)) {
        throw new InvalidInputError(`${path} must be an object`);
      }
      const given = input as Record<string, unknown>;
      for (const name of Object.keys(given)) {
        if (!names.includes(name)) throw unknownField(path, name);
      }
      const value: Record<string, unknown> = {};
      for (const { name, schema } of members) {
        const field = Object.hasOwn(given, name) ? given[name] : undefined;
        value[name] = schema.parse(field, `${path}.${name}`);
      }
      return value as ObjectOf<Described>;
    },
    encode(writer, value) {
      const given = value as Record<string, unknown>;
      for (const { name, schema } of members) schema.encode(writer, given[name]);
    },
    decode(reader) {
      const value: Record<string, unknown> = {};
      for (const { name, schema } of members) value[name] = schema.decode(reader);
      return value as ObjectOf<Described>;
    },
  };
}

/** The name is from outside: cut, so that a refusal stays a sentence, and quoted, so that it ends no line. */
function unknownField(path: string, name: string): InvalidInputError {
  const shown = name.length > FIELD_SHOWN_MAX ? `${name.slice(0, FIELD_SHOWN_MAX)}...` : name;
  return new InvalidInputError(`${path} has the unknown field ${JSON.stringify(shown)}`);
}

/** No arguments, or no value. */
export const nothing: Schema<null> = {
  parse(input, path) {
    const empty =
      input === null ||
      input === undefined ||
      (typeof input === 'object' && !Array.isArray(input) && Object.keys(input).length === 0);
    if (!empty) throw new InvalidInputError(`${path} must be empty`);
    return null;
  },
  encode() {},
  decode() {
    return null;
  },
};

function decodeFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new InvalidInputError(`${flag} where a flag of 0 or 1 must be`);
  return flag === 1;
}
